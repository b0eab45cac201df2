/* file.c - a FILE on a socket, for stdio's own functions.
 *
 * The FILE has a share in the skt, so the connection lives until both are closed.
 * "r" and "w" leave the buffering to stdio.  stdio has one buffer for both
 * directions and wants to seek between reading and writing, which no socket can: an
 * "rw" FILE is therefore unbuffered in stdio and its read buffer is here.
 *
 * stdio's lock on a FILE is a thread's: while one task waits in it another of the same thread would get in, into
 * buffers that are half changed.  So a FILE that is in use refuses other tasks. */
#include "error.h"
#include "io.h"
#include "sys.h"
#include <errno.h>
#include <stdio_ext.h>
#include <string.h>

#define READ_BUFFER 8192

struct stream {
    skt *s;
    FILE *file;
    const struct skti_scope *user; /* the task that waits in it */
    bool refused;                  /* another one was, meanwhile */
    bool timed_out;                /* nothing may be read any more: bytes may be lost in stdio */
    size_t start, end;             /* what is unread in buf */
    size_t size;                   /* of buf; 0: stdio buffers */
    char buf[];
};

/* What a FILE is when a task begins to wait in it.  Another task that is refused there has left marks: an error, and
 * with glibc, where that is written down (struct_FILE.h), the pointers into its buffer, so that they are put back. */
struct before {
#ifdef __GLIBC__
    char state[offsetof(FILE, _markers)];
#else
    bool failed;
#endif
};

/* Before and after a call that may wait.  false: another task is waiting in it. */
static bool begin_use(struct stream *f, const char *call, struct before *before)
{
    if (f->user) {
        f->refused = true;
        skti_fail_argument(call, EBUSY, "another task is using this FILE: give each task its own (skt_makefile)");
        return false;
    }
    f->user = skti_here.scope;
#ifdef __GLIBC__
    memcpy(before->state, f->file, sizeof before->state);
#else
    before->failed = ferror(f->file);
#endif
    return true;
}

static void end_use(struct stream *f, const struct before *before)
{
    int keep = errno;
    f->user = NULL;
    if (f->refused) {
#ifdef __GLIBC__
        memcpy(f->file, before->state, sizeof before->state);
#else
        if (!before->failed)
            clearerr(f->file);
#endif
    }
    f->refused = false;
    errno = keep;
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
    struct before before;
    if (!begin_use(f, "recv", &before))
        return -1;
    ssize_t n = read_some(f, buf, len);
    end_use(f, &before);
    return n;
}

/* Sends all, or makes the record; len is what stdio gave, for the count of what went before. */
static bool send_all(struct stream *f, struct skti_op *op, size_t len)
{
    skti_blame blame;
    while (op->len > 0) {
        ssize_t n = skti_try(f->s, op, &blame);
        if (n < 0 && errno == EAGAIN && (op->flags & MSG_DONTWAIT))
            return false; /* the first try of a task */
        if (n < 0) {
            skti_fail_on(f->s, "send", errno, blame);
            skti_record_done(len - op->len);
            return false;
        }
        skti_advance(op, (size_t)n);
    }
    return true;
}

/* Makes other tasks' first word to the FILE a call of stream_write, which refuses them, though stdio's buffer has room.
 * stdio sets these pointers anew after each write. */
static void close_buffer(FILE *file)
{
    (void)file;
#ifdef __GLIBC__
    if (file->_IO_write_base)
        file->_IO_write_ptr = file->_IO_write_end = file->_IO_buf_end;
#endif
}

/* A task has to wait with bytes that may lie in stdio's buffer.  Others can get in there all the same,
 * by trying twice: so what we send is a copy, and what they have put there, which stdio will forget, is our failure. */
static void send_copy(struct stream *f, struct skti_op *op, size_t len)
{
    char *copy = skti_malloc("send", op->len);
    if (!copy) {
        skti_record_done(len - op->len);
        return;
    }
    op->buf = memcpy(copy, op->buf, op->len);
    op->flags = 0;
    close_buffer(f->file);
    size_t pending = __fpending(f->file);
    bool sent = send_all(f, op, len);
    skti_sys.free(copy);
    if (sent && __fpending(f->file) != (f->refused ? 0 : pending)) {
        skti_fail_argument("send", EBUSY, "another task has written to this FILE meanwhile, and that is lost");
        skti_record_done(len);
        op->len = 1;
    }
}

/* All, in one timeout: stdio takes a short count for an error. */
static ssize_t stream_write(void *cookie, const char *buf, size_t len)
{
    struct stream *f = cookie;
    struct skti_op op = { .call = SKTI_SEND, .by_file = true, .buf = (char *)buf, .len = len };
    struct before before;
    if (!begin_use(f, "send", &before))
        return 0;
    op.flags = f->user && skti_timeout(f->s) != 0 ? MSG_DONTWAIT : 0;
    skti_share(f->s);
    if (!send_all(f, &op, len) && errno == EAGAIN && op.flags)
        send_copy(f, &op, len);
    skti_leave(f->s);
    end_use(f, &before);
    return (ssize_t)(len - op.len);
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
    f->file = file;
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
