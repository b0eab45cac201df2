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

/* What is not a plain receiving of some bytes. */
static ssize_t recv_special(skt *s, struct skti_op *op)
{
    if (!usable("recv", op->buf, op->len))
        return -1;
    if (op->len == 0)
        return 0;
    return wants_whole(s, op->flags) ? recv_whole(s, op) : skti_perform(s, op, "recv", NULL, NULL);
}

ssize_t skt_recv(skt *s, void *buf, size_t len, int flags)
{
    ssize_t n = -1;
    if (!skti_enter(s, "recv"))
        return -1;
    bool plain = buf && (ssize_t)len > 0 && !(flags & MSG_WAITALL) && !skti_here.mode;
    if (likely(plain))
        n = skti_sys.recv(skti_fd(s), buf, len, skti_sys_flags(s, flags, 0));
    if (unlikely(n < 0)) {
        struct skti_op op = { .call = SKTI_RECV, .flags = flags, .buf = buf, .len = len };
        n = plain ? skti_try_again(s, &op, "recv") : recv_special(s, &op);
    }
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

ssize_t skt_send(skt *s, const void *buf, size_t len, int flags)
{
    ssize_t n = -1;
    if (!skti_enter(s, "send"))
        return -1;
    if (likely(buf && (ssize_t)len >= 0 && !skti_here.mode)) {
        n = skti_sys.send(skti_fd(s), buf, len, skti_sys_flags(s, flags, MSG_NOSIGNAL));
        if (unlikely(n < 0)) {
            struct skti_op op = { .call = SKTI_SEND, .flags = flags, .buf = (void *)buf, .len = len };
            n = skti_try_again(s, &op, "send");
        }
    } else if (usable("send", buf, len)) {
        struct skti_op op = { .call = SKTI_SEND, .flags = flags, .buf = (void *)(buf ? buf : ""), .len = len };
        n = skti_perform(s, &op, "send", NULL, NULL);
    }
    skti_leave(s);
    return n;
}

/* An empty message is one system call too: it may be a datagram. */
static int send_whole(skt *s, struct skti_op *op)
{
    size_t done = 0;
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

int skt_sendall(skt *s, const void *buf, size_t len, int flags)
{
    struct skti_op op = { .call = SKTI_SEND, .flags = flags, .buf = (void *)buf, .len = len };
    if (!skti_enter(s, "sendall"))
        return -1;
    int result = usable("sendall", buf, len) ? send_whole(s, &op) : -1;
    skti_leave(s);
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
