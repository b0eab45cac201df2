/* data.c - recv, send and their like: bytes and single datagrams. */
#include "address.h"
#include "error.h"
#include "io.h"
#include "resolve.h"
#include "sys.h"
#include <errno.h>
#include <limits.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Frames of what seldom happens are kept out of those of skt_recv and skt_sendall: a parked task's
 * stack is to touch few lines of the cache. */
#define SELDOM __attribute__((noinline, cold))
#define APART __attribute__((noinline))

/* What every buffer and length has to be. */
static bool usable(const char *call, const void *buf, size_t len)
{
    if (len > SSIZE_MAX)
        skti_fail_argument(call, EINVAL, "the length is negative or above SSIZE_MAX: %zd", (ssize_t)len);
    else if (!buf && len > 0)
        skti_fail_argument(call, EFAULT, "the buffer is NULL");
    else
        return true;
    return false;
}

SELDOM static int fail_to_wait(skt *s, const char *call)
{
    return skti_fail_on(s, call, errno, errno == ETIMEDOUT ? SKTI_OWN_TIMEOUT : SKTI_SYSTEM);
}

/* MSG_WAITALL for a stream: all of it, in one timeout; less at the end of the
 * stream, and where an error or the timeout strikes after the first byte. */
static ssize_t recv_whole(skt *s, struct skti_op *op)
{
    size_t done = 0, len = op->len;
    skti_blame blame;
    op->flags &= ~MSG_WAITALL;
    while (done < len) {
        ssize_t n = skti_try(s, op, &blame);
        if (n < 0 && done == 0)
            return skti_fail_on(s, "recv", errno, blame);
        if (n < 0 && errno == ECANCELED)
            skti_cancel_next();
        if (n <= 0)
            break;
        done += (size_t)n;
        skti_advance(op, (size_t)n);
    }
    return (ssize_t)done;
}

static bool wants_whole(const skt *s, int flags)
{
    return (flags & MSG_WAITALL) && !(flags & (MSG_PEEK | MSG_DONTWAIT)) && s->type == SOCK_STREAM &&
           skti_timeout(s) != 0;
}

/* What is not a plain receiving of some bytes on a plain thread. */
SELDOM static ssize_t recv_special(skt *s, void *buf, size_t len, int flags)
{
    struct skti_op op = { .call = SKTI_RECV, .flags = flags, .buf = buf, .len = len };
    if (!usable("recv", buf, len))
        return -1;
    if (len == 0)
        return 0;
    return wants_whole(s, flags) ? recv_whole(s, &op) : skti_perform(s, &op, "recv", NULL, NULL);
}

SELDOM static ssize_t recv_again(skt *s, void *buf, size_t len, int flags, int64_t deadline)
{
    struct skti_op op = {
        .call = SKTI_RECV, .flags = flags, .buf = buf, .len = len, .deadline = deadline, .waited = deadline != 0
    };
    return skti_try_again(s, &op, "recv");
}

/* In a task: parks at once if nothing has come since the last try. */
static ssize_t recv_in_task(skt *s, void *buf, size_t len, int flags)
{
    int64_t deadline = 0;
    if (skti_get_ready(s, POLLIN, flags, &deadline) < 0)
        return fail_to_wait(s, "recv");
    ssize_t n = skti_sys.recv(skti_fd(s), buf, len, flags | MSG_DONTWAIT);
    if (likely(n >= 0)) {
        if ((size_t)n < len && n > 0 && !(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
            skti_found_short(s, POLLIN);
        return n;
    }
    return recv_again(s, buf, len, flags, deadline);
}

static bool is_plain(const void *buf, size_t len, int flags)
{
    return buf && (ssize_t)len > 0 && !(flags & MSG_WAITALL);
}

APART static ssize_t recv_elsewhere(skt *s, void *buf, size_t len, int flags)
{
    if (!skti_enter_here(s, "recv"))
        return -1;
    ssize_t n = skti_in_task() && is_plain(buf, len, flags) ? recv_in_task(s, buf, len, flags)
                                                            : recv_special(s, buf, len, flags);
    skti_leave_here(s);
    return n;
}

ssize_t skt_recv(skt *s, void *buf, size_t len, int flags)
{
    if (unlikely(skti_here.mode || !is_plain(buf, len, flags)))
        return recv_elsewhere(s, buf, len, flags);
    if (!skti_enter(s, "recv"))
        return -1;
    ssize_t n = skti_sys.recv(skti_fd(s), buf, len, flags | skti_wait_flag(s));
    if (unlikely(n < 0))
        n = recv_again(s, buf, len, flags, 0);
    skti_leave(s);
    return n;
}

ssize_t skt_recvfrom(skt *s, void *buf, size_t len, int flags, skt_addr *from)
{
    struct skti_op op = { .call = SKTI_RECVFROM, .flags = flags, .buf = buf, .len = len };
    ssize_t n = -1;
    if (!skti_enter(s, "recvfrom"))
        return -1;
    if (from) {
        op.sa = &from->as.any;
        op.salen = sizeof from->as;
    }
    if (usable("recvfrom", buf, len))
        n = wants_whole(s, flags) && len > 0 ? recv_whole(s, &op) : skti_perform(s, &op, "recvfrom", NULL, NULL);
    if (n >= 0 && from)
        skti_addr_received(from, op.salen, s->proto);
    skti_leave(s);
    return n;
}

SELDOM static ssize_t send_again(skt *s, const void *buf, size_t len, int flags, int64_t *deadline, const char *call)
{
    struct skti_op op = { .call = SKTI_SEND,
                          .flags = flags,
                          .buf = (void *)buf,
                          .len = len,
                          .deadline = *deadline,
                          .waited = *deadline != 0 };
    ssize_t n = skti_try_again(s, &op, call);
    *deadline = op.deadline;
    return n;
}

/* In a task.  *deadline 0: found here, if needed. */
static inline ssize_t send_in_task(skt *s, const void *buf, size_t len, int flags, int64_t *deadline, const char *call)
{
    if (!skti_go_ahead(s, POLLOUT) && skti_get_ready(s, POLLOUT, flags, deadline) < 0)
        return fail_to_wait(s, call);
    ssize_t n = skti_sys.send(skti_fd(s), buf, len, flags | MSG_DONTWAIT | s->nosignal);
    if (unlikely(n < 0))
        return send_again(s, buf, len, flags, deadline, call);
    if ((size_t)n < len)
        skti_found_short(s, POLLOUT);
    return n;
}

/* What is not a plain sending of some bytes on a plain thread. */
SELDOM static ssize_t send_special(skt *s, const void *buf, size_t len, int flags)
{
    struct skti_op op = { .call = SKTI_SEND, .flags = flags, .buf = (void *)(buf ? buf : ""), .len = len };
    return usable("send", buf, len) ? skti_perform(s, &op, "send", NULL, NULL) : -1;
}

static bool is_sendable(const void *buf, size_t len)
{
    return buf && (ssize_t)len >= 0;
}

APART static ssize_t send_elsewhere(skt *s, const void *buf, size_t len, int flags)
{
    int64_t deadline = 0;
    if (!skti_enter_here(s, "send"))
        return -1;
    ssize_t n = skti_in_task() && is_sendable(buf, len) ? send_in_task(s, buf, len, flags, &deadline, "send")
                                                        : send_special(s, buf, len, flags);
    skti_leave_here(s);
    return n;
}

ssize_t skt_send(skt *s, const void *buf, size_t len, int flags)
{
    int64_t deadline = 0;
    if (unlikely(skti_here.mode || !is_sendable(buf, len)))
        return send_elsewhere(s, buf, len, flags);
    if (!skti_enter(s, "send"))
        return -1;
    ssize_t n = skti_sys.send(skti_fd(s), buf, len, flags | s->nosignal | skti_wait_flag(s));
    if (unlikely(n < 0))
        n = send_again(s, buf, len, flags, &deadline, "send");
    skti_leave(s);
    return n;
}

/* What sendall still has to send, after `done` bytes. */
SELDOM static int send_rest(skt *s, struct skti_op *op, size_t done)
{
    do {
        ssize_t n = skti_perform(s, op, "sendall", NULL, NULL);
        if (n < 0) {
            skti_record_done(done);
            return -1;
        }
        done += (size_t)n;
        skti_advance(op, (size_t)n);
    } while (op->len > 0);
    return 0;
}

/* An empty message is one system call too: it may be a datagram. */
SELDOM static int sendall_special(skt *s, const void *buf, size_t len, int flags, int64_t deadline, size_t done)
{
    struct skti_op op = {
        .call = SKTI_SEND, .flags = flags, .buf = (void *)(buf ? buf : ""), .len = len, .deadline = deadline
    };
    if (!usable("sendall", buf, len))
        return -1;
    skti_advance(&op, done);
    return send_rest(s, &op, done);
}

int skt_sendall(skt *s, const void *buf, size_t len, int flags)
{
    int64_t deadline = 0;
    ssize_t n = 0;
    if (!skti_enter_here(s, "sendall"))
        return -1;
    if (likely(skti_in_task() && is_sendable(buf, len) && len > 0))
        n = send_in_task(s, buf, len, flags, &deadline, "sendall");
    int result = n < 0 ? -1 : 0;
    if (unlikely(n >= 0 && (n == 0 || (size_t)n < len)))
        result = sendall_special(s, buf, len, flags, deadline, (size_t)n);
    skti_leave_here(s);
    return result;
}

ssize_t skt_sendto(skt *s, const void *buf, size_t len, int flags, skt_addr to)
{
    struct skti_op op = { .call = SKTI_SENDTO, .flags = flags, .buf = (void *)buf, .len = len };
    const skt_addr *target = NULL;
    skt_addr room;
    ssize_t n = -1;
    if (!skti_enter(s, "sendto"))
        return -1;
    if (usable("sendto", buf, len))
        target = skti_resolve(s, "sendto", &to, &room, &op.deadline);
    if (target) {
        op.sa = (struct sockaddr *)&target->as.any;
        op.salen = target->len;
        n = skti_perform(s, &op, "sendto", target, skti_name_of(&to));
    }
    skti_leave(s);
    return n;
}
