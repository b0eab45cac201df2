/* file.c - a FILE on a socket, for stdio's own functions.
 *
 * The FILE has a share in the skt, so the connection lives until both are closed.
 * "r" and "w" leave the buffering to stdio.  stdio has one buffer for both
 * directions and wants to seek between reading and writing, which no socket can: an
 * "rw" FILE is therefore unbuffered in stdio and its read buffer is here.
 *
 * stdio's lock on a FILE is a thread's: while one task waits in it another of the same thread would get in, into
 * buffers that are half changed.  So a FILE that is in use refuses to read or write for another task. */
#include "error.h"
#include "io.h"
#include "sys.h"
#include <errno.h>
#include <string.h>

#define READ_BUFFER 8192

struct stream {
    skt *s;
    bool in_use;       /* a task is in one of the calls below, which may wait */
    bool timed_out;    /* nothing may be read any more: bytes may be lost in stdio */
    size_t start, end; /* what is unread in buf */
    size_t size;       /* of buf; 0: stdio buffers */
    char buf[];
};

static bool begin_use(struct stream *f, const char *call)
{
    if (f->in_use)
        skti_fail_argument(call, EBUSY, "another task is using this FILE: give each task its own (skt_makefile)");
    bool free = !f->in_use;
    f->in_use = true;
    return free;
}

static ssize_t receive(struct stream *f, char *buf, size_t len)
{
    struct skti_op op = { .call = SKTI_RECV, .by_file = true, .buf = buf, .len = len };
    skti_blame blame;
    skti_share(f->s);
    ssize_t n = skti_try(f->s, &op, &blame);
    if (n < 0)
        skti_fail_on(f->s, "recv", errno, blame);
    if (n < 0 && blame == SKTI_OWN_TIMEOUT)
        f->timed_out = true;
    skti_leave(f->s);
    return n;
}

static ssize_t read_some(struct stream *f, char *buf, size_t len)
{
    if (f->timed_out)
        return skti_fail_argument("recv", EIO, "cannot read from timed out object");
    if (f->start == f->end && len >= f->size)
        return receive(f, buf, len);
    if (f->start == f->end) {
        ssize_t n = receive(f, f->buf, f->size);
        if (n <= 0)
            return n;
        f->start = 0;
        f->end = (size_t)n;
    }
    if (len > f->end - f->start)
        len = f->end - f->start;
    memcpy(buf, f->buf + f->start, len);
    f->start += len;
    return (ssize_t)len;
}

static ssize_t stream_read(void *cookie, char *buf, size_t len)
{
    struct stream *f = cookie;
    if (!begin_use(f, "recv"))
        return -1;
    ssize_t n = read_some(f, buf, len);
    f->in_use = false;
    return n;
}

/* All, in one timeout: how much went. */
static size_t send_all(struct stream *f, const char *buf, size_t len)
{
    struct skti_op op = { .call = SKTI_SEND, .by_file = true, .buf = (char *)buf, .len = len };
    skti_blame blame;
    while (op.len > 0) {
        ssize_t n = skti_try(f->s, &op, &blame);
        if (n < 0) {
            skti_fail_on(f->s, "send", errno, blame);
            skti_record_done(len - op.len);
            break;
        }
        skti_advance(&op, (size_t)n);
    }
    return len - op.len;
}

static ssize_t stream_write(void *cookie, const char *buf, size_t len)
{
    struct stream *f = cookie;
    if (!begin_use(f, "send"))
        return (ssize_t)SKTI_WROTE(0, len);
    skti_share(f->s);
    size_t done = send_all(f, buf, len);
    skti_leave(f->s);
    f->in_use = false;
    return (ssize_t)SKTI_WROTE(done, len);
}

static int stream_close(void *cookie)
{
    struct stream *f = cookie;
    skt *s = f->s;
    pthread_mutex_lock(&s->lock);
    s->files--;
    pthread_mutex_unlock(&s->lock);
    int code = skti_leave(s);
    skti_sys.free(f);
    return code == 0 || code == ECONNRESET ? 0 : skti_fail("close", code);
}

/* Which of the modes that there are: "r" (also where nothing is said, as in Python), "w", "rw" or NULL. */
static const char *direction(const char *mode)
{
    bool r = false, w = false;
    for (; *mode; mode++) {
        r |= *mode == 'r';
        w |= *mode == 'w';
        if (!strchr("rwb", *mode))
            return NULL;
    }
    return r && w ? "rw" : w ? "w" : "r";
}

static FILE *open_stream(skt *s, const char *direction)
{
    const bool both = !strcmp(direction, "rw");
    size_t size = both ? READ_BUFFER : 0;
    struct stream *f = skti_malloc("makefile", sizeof *f + size);
    if (!f)
        return NULL;
    *f = (struct stream){ .s = s, .size = size };
    cookie_io_functions_t io = { .read = stream_read, .write = stream_write, .close = stream_close };
    FILE *file = skti_sys.fopencookie(f, both ? "r+" : direction, io);
    if (!file) {
        int code = errno;
        skti_sys.free(f);
        skti_fail("makefile", code);
        return NULL;
    }
    if (both)
        setvbuf(file, NULL, _IONBF, 0);
    return file;
}

FILE *skt_makefile(skt *s, const char *mode)
{
    FILE *file = NULL;
    if (!skti_enter(s, "makefile"))
        return NULL;
    if (!mode) {
        skti_fail_argument("makefile", EFAULT, "mode is NULL");
    } else if (!direction(mode)) {
        skti_fail_argument("makefile", EINVAL, "invalid mode '%s' (only r, w, b allowed)", mode);
    } else if ((file = open_stream(s, direction(mode)))) {
        skti_share(s);
        pthread_mutex_lock(&s->lock);
        s->files++;
        pthread_mutex_unlock(&s->lock);
    }
    skti_leave(s);
    return file;
}
