/* sendfile.c - a file through a stream socket, within the kernel where it can. */
#include "error.h"
#include "io.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <limits.h>

#define CHUNK ((size_t)1 << 30) /* Python's: sendfile(2) takes at most 2 GiB */
#define COPY 8192

/* A transfer under way. */
struct transfer {
    skt *s;
    struct skti_op op;
    size_t count, done; /* count: SIZE_MAX for all there is */
};

static size_t left(const struct transfer *t, size_t most)
{
    return t->count - t->done < most ? t->count - t->done : most;
}

static int fail_part_way(struct transfer *t, int code, skti_blame blame)
{
    skti_fail_on(t->s, "sendfile", code, blame);
    skti_record_done(t->done);
    return -1;
}

static int send_copy(struct transfer *t, char *buf, size_t len)
{
    struct skti_op op = { .call = SKTI_SEND, .buf = buf, .len = len, .deadline = t->op.deadline };
    skti_blame blame;
    while (op.len > 0) {
        ssize_t n = skti_try(t->s, &op, &blame);
        if (n < 0)
            return fail_part_way(t, errno, blame);
        skti_advance(&op, (size_t)n);
        t->done += (size_t)n;
        t->op.offset += n;
    }
    t->op.deadline = op.deadline;
    return 0;
}

/* For files that sendfile(2) does not take: read and send.  (Not inlined: a parked task's stack is to be small.) */
__attribute__((noinline)) static int copy(struct transfer *t)
{
    char buf[COPY];
    while (left(t, COPY) > 0) {
        ssize_t n = skti_sys.pread(t->op.fd, buf, left(t, COPY), t->op.offset);
        if (n < 0 && errno == EINTR && skti_interrupted())
            continue;
        if (n < 0)
            return fail_part_way(t, errno, SKTI_SYSTEM);
        if (n == 0)
            return 0;
        if (send_copy(t, buf, (size_t)n) < 0)
            return -1;
    }
    return 0;
}

/* A short count has two reasons: the file's end, and what cuts a wait short (io.c). */
static bool at_end(const struct transfer *t)
{
    char c;
    return skti_sys.pread(t->op.fd, &c, 1, t->op.offset) == 0;
}

static int transfer(struct transfer *t)
{
    skti_blame blame;
    while ((t->op.len = left(t, CHUNK)) > 0) {
        ssize_t n = skti_try(t->s, &t->op, &blame);
        if (n == 0)
            return 0;
        if (n < 0 && t->done == 0 && (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
            return copy(t);
        if (n < 0)
            return fail_part_way(t, errno, blame);
        t->done += (size_t)n;
        if (t->op.cut && at_end(t))
            return 0;
    }
    return 0;
}

static bool usable(skt *s, off_t offset, size_t count)
{
    if (s->type != SOCK_STREAM)
        skti_fail_argument("sendfile", EINVAL, "only stream sockets send files");
    else if (skti_settled_timeout(s) == 0)
        skti_fail_argument("sendfile", EINVAL, "the socket is non-blocking (timeout 0)");
    else if (offset < 0 || count > SSIZE_MAX)
        skti_fail_argument("sendfile", EINVAL, "the %s is negative", offset < 0 ? "offset" : "count");
    else
        return true;
    return false;
}

ssize_t skt_sendfile(skt *s, int fd, off_t offset, size_t count)
{
    struct transfer t = { .s = s, .op = { .call = SKTI_SENDFILE, .fd = fd, .offset = offset } };
    ssize_t result = -1;
    if (!skti_enter(s, "sendfile"))
        return -1;
    t.count = count ? count : SIZE_MAX;
    if (usable(s, offset, count) && transfer(&t) == 0)
        result = (ssize_t)t.done;
    skti_leave(s);
    return result;
}
