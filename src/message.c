/* message.c - sendmsg and recvmsg, and what is built on them. */
#include "address.h"
#include "error.h"
#include "io.h"
#include "resolve.h"
#include "sys.h"
#include <errno.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <string.h>

static bool usable(const char *call, const skt_msg *msg)
{
    if (!msg)
        skti_fail_argument(call, EFAULT, "the message is NULL");
    else if (!msg->iov && msg->iovlen > 0)
        skti_fail_argument(call, EFAULT, "iov is NULL");
    else if (msg->iovlen > IOV_MAX)
        skti_fail_argument(call, EMSGSIZE, "%zu pieces of data, more than IOV_MAX", msg->iovlen);
    else if (!msg->control && msg->controlsize > 0)
        skti_fail_argument(call, EFAULT, "control is NULL");
    else if (msg->controllen > msg->controlsize)
        skti_fail_argument(call, EINVAL, "controllen %zu is above controlsize %zu", msg->controllen, msg->controlsize);
    else
        return true;
    return false;
}

/* The kernel leaves the address alone on connected sockets; a family of
 * AF_UNSPEC then says that none came. */
static ssize_t receive(skt *s, skt_msg *msg, int flags, const char *call)
{
    struct sockaddr_storage nowhere;
    struct msghdr header = {
        .msg_iov = msg->iov,
        .msg_iovlen = msg->iovlen,
        .msg_control = msg->control,
        .msg_controllen = msg->controlsize,
        .msg_name = msg->addr ? (void *)&msg->addr->as : (void *)&nowhere,
        .msg_namelen = sizeof nowhere,
    };
    struct skti_op op = { .call = SKTI_RECVMSG, .flags = flags, .msg = &header };
    ((struct sockaddr *)header.msg_name)->sa_family = AF_UNSPEC;
    ssize_t n = skti_perform(s, &op, call, NULL, NULL);
    if (n < 0)
        return -1;
    msg->controllen = header.msg_controllen;
    msg->flags = header.msg_flags & ~MSG_CMSG_CLOEXEC;
    if (msg->addr)
        skti_addr_received(msg->addr, header.msg_namelen, s->proto);
    return n;
}

ssize_t skt_recvmsg(skt *s, skt_msg *msg, int flags)
{
    ssize_t n = -1;
    if (!skti_enter(s, "recvmsg"))
        return -1;
    if (msg)
        msg->controllen = 0;
    if (usable("recvmsg", msg))
        n = receive(s, msg, flags, "recvmsg");
    skti_leave(s);
    return n;
}

static ssize_t transmit(skt *s, const skt_msg *msg, int flags, const char *call)
{
    struct skti_op op = { .call = SKTI_SENDMSG, .flags = flags };
    struct msghdr header = {
        .msg_iov = msg->iov,
        .msg_iovlen = msg->iovlen,
        .msg_control = msg->controllen ? msg->control : NULL,
        .msg_controllen = msg->controllen,
    };
    const skt_addr *to = NULL;
    skt_addr room;
    if (msg->addr) {
        to = skti_resolve(s, call, msg->addr, &room, &op.deadline);
        if (!to)
            return -1;
        header.msg_name = (void *)&to->as.any;
        header.msg_namelen = to->len;
    }
    op.msg = &header;
    return skti_perform(s, &op, call, to, to ? skti_name_of(msg->addr) : NULL);
}

ssize_t skt_sendmsg(skt *s, const skt_msg *msg, int flags)
{
    if (!skti_enter(s, "sendmsg"))
        return -1;
    ssize_t n = usable("sendmsg", msg) ? transmit(s, msg, flags, "sendmsg") : -1;
    skti_leave(s);
    return n;
}

/* ---- Descriptors ---- */

#define MOST_FDS 253 /* the kernel's SCM_MAX_FD */

union rights {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
};

static bool fds_usable(const char *call, const void *buf, size_t len, const int *fds, size_t nfds)
{
    if (!fds && nfds > 0)
        skti_fail_argument(call, EFAULT, "the array of descriptors is NULL");
    else if (nfds > SSIZE_MAX)
        skti_fail_argument(call, EINVAL, "the number of descriptors is negative");
    else if (len > SSIZE_MAX || (!buf && len > 0))
        skti_fail_argument(call, buf ? EINVAL : EFAULT, buf ? "the length is negative" : "the buffer is NULL");
    else
        return true;
    return false;
}

ssize_t skt_send_fds(skt *s, const void *buf, size_t len, const int *fds, size_t nfds, int flags)
{
    union rights control;
    struct iovec iov = { (void *)buf, len };
    skt_msg msg = { .iov = &iov, .iovlen = 1, .control = &control, .controlsize = sizeof control };
    ssize_t n = -1;
    if (!skti_enter(s, "send_fds"))
        return -1;
    if (!fds_usable("send_fds", buf, len, fds, nfds))
        ;
    else if (s->family != AF_UNIX) /* the kernel would drop them in silence */
        skti_fail_argument("send_fds", EAFNOSUPPORT, "only AF_UNIX passes descriptors");
    else if (nfds > MOST_FDS)
        skti_fail_argument("send_fds", EINVAL, "%zu descriptors: a message carries at most %d", nfds, MOST_FDS);
    else if (nfds == 0 || skt_put_rights(&msg, fds, nfds) == 0)
        n = transmit(s, &msg, flags, "send_fds");
    skti_leave(s);
    return n;
}

ssize_t skt_recv_fds(skt *s, void *buf, size_t len, int *fds, size_t *nfds, int flags, int *msg_flags)
{
    union rights control;
    struct iovec iov = { buf, len };
    skt_msg msg = { .iov = &iov, .iovlen = 1, .control = &control };
    size_t room = nfds ? *nfds : 0;
    ssize_t n = -1;
    if (!skti_enter(s, "recv_fds"))
        return -1;
    if (!nfds)
        skti_fail_argument("recv_fds", EFAULT, "nfds is NULL");
    else if (fds_usable("recv_fds", buf, len, fds, room)) {
        msg.controlsize = room < MOST_FDS ? CMSG_SPACE(room * sizeof(int)) : sizeof control;
        n = receive(s, &msg, flags, "recv_fds");
    }
    if (n >= 0) {
        ssize_t came = skt_get_rights(&msg, fds, room);
        *nfds = (size_t)came < room ? (size_t)came : room;
        if ((size_t)came > room)
            msg.flags |= MSG_CTRUNC;
        if (msg_flags)
            *msg_flags = msg.flags;
    }
    skti_leave(s);
    return n;
}

/* ---- AF_ALG ---- */

#define MOST_IV 256

ssize_t skt_sendmsg_afalg(skt *s, const struct iovec *iov, size_t iovlen, int op, const void *iv, size_t ivlen,
                          int assoclen, int flags)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int)) * 2 + CMSG_SPACE(sizeof(struct af_alg_iv) + MOST_IV)];
    } control;
    _Alignas(struct af_alg_iv) char ivdata[sizeof(struct af_alg_iv) + MOST_IV];
    struct af_alg_iv head = { .ivlen = (uint32_t)ivlen };
    skt_msg msg = { .iov = (struct iovec *)iov, .iovlen = iovlen, .control = &control, .controlsize = sizeof control };
    ssize_t n = -1;
    if (!skti_enter(s, "sendmsg_afalg"))
        return -1;
    if (s->family != AF_ALG) {
        skti_fail_argument("sendmsg_afalg", EAFNOSUPPORT, "not a socket of AF_ALG");
    } else if (ivlen > MOST_IV || (!iv && ivlen > 0)) {
        skti_fail_argument("sendmsg_afalg", EINVAL, iv ? "an iv of %zu bytes is too long" : "iv is NULL", ivlen);
    } else if (usable("sendmsg_afalg", &msg)) {
        memcpy(ivdata, &head, sizeof head);
        if (ivlen > 0)
            memcpy(ivdata + sizeof head, iv, ivlen);
        skt_put_cmsg(&msg, SOL_ALG, ALG_SET_OP, &op, sizeof op);
        if (ivlen > 0)
            skt_put_cmsg(&msg, SOL_ALG, ALG_SET_IV, ivdata, sizeof head + ivlen);
        if (assoclen >= 0)
            skt_put_cmsg(&msg, SOL_ALG, ALG_SET_AEAD_ASSOCLEN, &assoclen, sizeof assoclen);
        n = transmit(s, &msg, flags, "sendmsg_afalg");
    }
    skti_leave(s);
    return n;
}
