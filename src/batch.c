/* batch.c - many datagrams in one system call.
 *
 * Sending: datagrams become messages of one sendmmsg(2).  A run of datagrams to
 * one target and of one length (the last may be shorter) becomes a single
 * message with UDP_SEGMENT, whose pieces point to the datagrams themselves:
 *
 *     d[0..2] to A, 1200 each    d[3] to A, 300    d[4] to B, 50
 *     '----------- message 0: segments of 1200 --' '- message 1 -'
 *
 * Receiving is the reverse with UDP_GRO: the kernel puts a run into one buffer
 * and tells the segments' length, and each becomes a datagram again. */
#include "address.h"
#include "error.h"
#include "io.h"
#include "resolve.h"
#include "sys.h"
#include <errno.h>
#include <limits.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define MOST_MESSAGES 64     /* in a system call */
#define MOST_SEGMENTS 64     /* in a message; the kernel's limit was this before 6.9 */
#define MOST_GSO_BYTES 65000 /* in a message: less than an IP packet can be */
#define GRO_BUFFER 65536
#define GRO_CONTROL 256 /* the segments' length comes after timestamps, SO_MARK and others */
#define GRO_MESSAGES 8  /* in a system call: each is up to SKT_GRO_MAX datagrams */

/* ---- Sending ---- */

/* Messages for one sendmmsg(2). */
struct outgoing {
    struct mmsghdr messages[MOST_MESSAGES];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control[MOST_MESSAGES];
    struct iovec pieces[MOST_MESSAGES * 4];
    size_t datagrams[MOST_MESSAGES]; /* that each message stands for */
    unsigned n;
    size_t pieces_used;
};

static bool same_target(const skt_datagram *a, const skt_datagram *b)
{
    return a->addr == b->addr || (a->addr && b->addr && skt_addr_equal(a->addr, b->addr));
}

/* How many of the first n datagrams can be one message. */
static size_t run_length(const skt_datagram *d, size_t n)
{
    size_t length = 1, bytes = d->len;
    if (d->len == 0)
        return 1;
    while (length < n && length < MOST_SEGMENTS && d[length].len > 0 && d[length].len <= d->len &&
           bytes + d[length].len <= MOST_GSO_BYTES && same_target(d, &d[length])) {
        bytes += d[length].len;
        length++;
        if (d[length - 1].len < d->len)
            break;
    }
    return length;
}

static void ask_for_segments(struct outgoing *o, struct msghdr *header, size_t size)
{
    uint16_t segment = (uint16_t)size;
    skt_msg msg = { .control = &o->control[o->n], .controlsize = sizeof o->control[o->n] };
    skt_put_cmsg(&msg, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
    header->msg_control = msg.control;
    header->msg_controllen = msg.controllen;
}

/* Adds a message that stands for run datagrams; to: their resolved target or NULL. */
static void add_message(struct outgoing *o, const skt_datagram *d, size_t run, const skt_addr *to)
{
    struct msghdr *header = &o->messages[o->n].msg_hdr;
    struct iovec *pieces = o->pieces + o->pieces_used;
    for (size_t i = 0; i < run; i++)
        pieces[i] = (struct iovec){ d[i].data, d[i].len };
    *header = (struct msghdr){ .msg_iov = pieces, .msg_iovlen = run };
    if (to) {
        header->msg_name = (void *)&to->as.any;
        header->msg_namelen = to->len;
    }
    if (run > 1)
        ask_for_segments(o, header, d->len);
    o->datagrams[o->n++] = run;
    o->pieces_used += run;
}

/* The sending of one batch. */
struct sending {
    skt *s;
    const skt_datagram *d;
    size_t n, sent;
    bool segments; /* UDP_SEGMENT may be used */
    struct skti_op op;
};

/* Turns datagrams from the first unsent one on into messages.  A name is resolved
 * for a message of its own, since there is room for one address.  0 or -1 with the record. */
static int fill(struct sending *b, struct outgoing *o, skt_addr *room)
{
    o->n = 0;
    o->pieces_used = 0;
    for (size_t at = b->sent; at < b->n && o->n < MOST_MESSAGES; at += o->datagrams[o->n - 1]) {
        const skt_addr *to = b->d[at].addr;
        size_t free_pieces = sizeof o->pieces / sizeof *o->pieces - o->pieces_used;
        size_t limit = b->n - at < free_pieces ? b->n - at : free_pieces;
        if (limit == 0 || (to && skti_name_of(to) && o->n > 0))
            break;
        if (to && !(to = skti_resolve(b->s, "sendmmsg", to, room, &b->op.deadline)))
            return o->n > 0 ? 0 : -1;
        add_message(o, b->d + at, b->segments ? run_length(b->d + at, limit) : 1, to);
        if (to == room)
            break;
    }
    return 0;
}

/* The kernel or the device cannot segment, or the segments do not fit the path. */
static bool segments_refused(const struct sending *b, const struct outgoing *o)
{
    return o->datagrams[0] > 1 && (errno == EINVAL || errno == EIO || errno == EMSGSIZE || errno == EOPNOTSUPP) &&
           b->segments;
}

/* Without sendmmsg(2): the first message alone. */
static ssize_t send_first(struct sending *b, struct outgoing *o, skti_blame *blame)
{
    struct skti_op one = b->op;
    one.call = SKTI_SENDMSG;
    one.msg = &o->messages[0].msg_hdr;
    return skti_try(b->s, &one, blame) < 0 ? -1 : 1;
}

/* The record of what the first unsent datagram failed with, errno; room: what its name was resolved to. */
static int fail_to_send(const struct sending *b, const skt_addr *room, skti_blame blame)
{
    const skt_addr *to = b->d[b->sent].addr;
    const char *name = to ? skti_name_of(to) : NULL;
    if (!to)
        return skti_fail_on(b->s, "sendmmsg", errno, blame);
    return skti_fail_at("sendmmsg", name ? room : to, name, errno, blame);
}

/* One system call: how many messages went, 0 to fill again in another way, or -1 with the record. */
static ssize_t send_filled(struct sending *b, struct outgoing *o, const skt_addr *room)
{
    skti_blame blame;
    b->op.mmsg = o->messages;
    b->op.len = o->n;
    ssize_t n = skti_try(b->s, &b->op, &blame);
    if (n < 0 && errno == ENOSYS)
        n = send_first(b, o, &blame);
    if (n >= 0)
        return n;
    if (segments_refused(b, o)) {
        b->segments = false;
        __atomic_store_n(&b->s->no_gso, true, __ATOMIC_RELAXED);
        return 0;
    }
    return fail_to_send(b, room, blame);
}

static ssize_t send_all(struct sending *b)
{
    struct outgoing o;
    skt_addr room;
    while (b->sent < b->n) {
        if (fill(b, &o, &room) < 0)
            break;
        ssize_t messages = send_filled(b, &o, &room);
        if (messages < 0)
            break;
        for (ssize_t i = 0; i < messages; i++)
            b->sent += o.datagrams[i];
    }
    if (b->sent == 0 && b->n > 0)
        return -1;
    if (b->sent < b->n && errno == ECANCELED)
        skti_cancel_next();
    return (ssize_t)b->sent;
}

static bool batch_usable(const char *call, const skt_datagram *d, size_t n)
{
    if (!d && n > 0)
        skti_fail_argument(call, EFAULT, "the datagrams are NULL");
    else if (n > SSIZE_MAX)
        skti_fail_argument(call, EINVAL, "the number of datagrams is negative");
    else
        return true;
    return false;
}

static bool all_usable(const skt_datagram *d, size_t n)
{
    if (!batch_usable("sendmmsg", d, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((!d[i].data && d[i].len > 0) || d[i].len > SSIZE_MAX) {
            skti_fail_argument("sendmmsg", d[i].data ? EINVAL : EFAULT, "datagram %zu has %s", i,
                               d[i].data ? "a negative length" : "no data");
            return false;
        }
    return true;
}

static bool is_udp(const skt *s)
{
    return s->type == SOCK_DGRAM && (s->family == AF_INET || s->family == AF_INET6) &&
           (s->proto == 0 || s->proto == IPPROTO_UDP);
}

ssize_t skt_sendmmsg(skt *s, const skt_datagram *d, size_t n, int flags)
{
    struct sending b = { .s = s, .d = d, .n = n, .op = { .call = SKTI_SENDMMSG, .flags = flags } };
    ssize_t sent = -1;
    if (!skti_enter(s, "sendmmsg"))
        return -1;
    b.segments = is_udp(s) && !__atomic_load_n(&s->no_gso, __ATOMIC_RELAXED);
    if (all_usable(d, n))
        sent = send_all(&b);
    skti_leave(s);
    return sent;
}

/* ---- Receiving ---- */

/* Messages of one recvmmsg(2).  It stands on the stack of a task, which may be small: so a message that is one
 * datagram has its sender put where the caller wants him, and no room for items (the kernel closes descriptors that
 * have none). */
struct incoming {
    struct mmsghdr messages[MOST_MESSAGES];
    struct iovec pieces[MOST_MESSAGES];
    /* With UDP_GRO: */
    struct sockaddr_storage from[GRO_MESSAGES];
    union {
        struct cmsghdr align;
        char bytes[GRO_CONTROL];
    } control[GRO_MESSAGES];
};

static bool gro_is_on(skt *s)
{
    int on = 0;
    socklen_t len = sizeof on;
    return is_udp(s) && skti_sys.getsockopt(skti_fd(s), SOL_UDP, UDP_GRO, &on, &len) == 0 && on;
}

/* Of messages that are one datagram each, for d; NULL: of runs. */
static void prepare(struct incoming *in, unsigned n, char *buf, size_t slot, skt_datagram *d)
{
    for (unsigned i = 0; i < n; i++) {
        struct msghdr *header = &in->messages[i].msg_hdr;
        in->pieces[i] = (struct iovec){ buf + i * slot, slot };
        *header = (struct msghdr){ .msg_iov = &in->pieces[i], .msg_iovlen = 1 };
        if (!d) {
            header->msg_control = &in->control[i];
            header->msg_controllen = sizeof in->control[i];
        }
        if (!d || d[i].addr) {
            header->msg_name = d ? (void *)&d[i].addr->as : &in->from[i];
            header->msg_namelen = sizeof in->from[i];
        }
    }
}

static size_t segment_size(const struct mmsghdr *m)
{
    skt_msg msg = { .control = m->msg_hdr.msg_control, .controllen = m->msg_hdr.msg_controllen };
    skt_cmsg item = { .next = 0 };
    int size = 0;
    while (skt_next_cmsg(&msg, &item))
        if (item.level == SOL_UDP && item.type == UDP_GRO && item.len >= sizeof size)
            memcpy(&size, item.data, sizeof size);
    return size > 0 ? (size_t)size : m->msg_len;
}

/* Takes a message apart into at most room datagrams; how many. */
static size_t take_apart(const skt *s, const struct mmsghdr *m, skt_datagram *d, size_t room)
{
    size_t segment = segment_size(m), n = 0, at = 0;
    do {
        size_t len = m->msg_len - at < segment ? m->msg_len - at : segment;
        d[n].data = (char *)m->msg_hdr.msg_iov->iov_base + at;
        d[n].len = len;
        d[n].flags = m->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
        if (d[n].addr) {
            memmove(&d[n].addr->as, m->msg_hdr.msg_name, sizeof(struct sockaddr_storage));
            skti_addr_received(d[n].addr, m->msg_hdr.msg_namelen, s->proto);
        }
        at += len;
        n++;
    } while (at < m->msg_len && n < room);
    return n;
}

/* Without recvmmsg(2): one message. */
static ssize_t receive_first(skt *s, struct skti_op *op, skti_blame *blame)
{
    op->call = SKTI_RECVMSG;
    op->msg = &op->mmsg[0].msg_hdr;
    ssize_t n = skti_try(s, op, blame);
    if (n >= 0)
        op->mmsg[0].msg_len = (unsigned)n;
    return n < 0 ? -1 : 1;
}

/* messages: how many buffers of slot bytes there are; each: how many datagrams one can hold. */
static ssize_t receive(skt *s, skt_datagram *d, unsigned messages, size_t each, char *buf, size_t slot, int flags)
{
    struct incoming in;
    skti_blame blame;
    /* MSG_WAITFORONE: what is there after the first, without waiting for more. */
    struct skti_op op = {
        .call = SKTI_RECVMMSG, .flags = flags | MSG_WAITFORONE, .mmsg = in.messages, .len = messages
    };
    prepare(&in, messages, buf, slot, each > 1 ? NULL : d);
    ssize_t n = skti_try(s, &op, &blame);
    if (n < 0 && errno == ENOSYS)
        n = receive_first(s, &op, &blame);
    if (n < 0)
        return skti_fail_on(s, "recvmmsg", errno, blame);
    size_t count = 0;
    for (ssize_t i = 0; i < n; i++)
        count += take_apart(s, &in.messages[i], d + count, each);
    return (ssize_t)count;
}

static ssize_t receive_batch(skt *s, skt_datagram *d, size_t n, char *buf, size_t size, int flags)
{
    bool gro = gro_is_on(s);
    if (gro && (n < SKT_GRO_MAX || size < GRO_BUFFER))
        return skti_fail_argument("recvmmsg", EINVAL, "UDP_GRO needs room for %d datagrams and %d bytes", SKT_GRO_MAX,
                                  GRO_BUFFER);
    size_t each = gro ? SKT_GRO_MAX : 1, most = n / each;
    if (gro && most > size / GRO_BUFFER)
        most = size / GRO_BUFFER;
    size_t slot = gro ? GRO_BUFFER : size / n, limit = gro ? GRO_MESSAGES : MOST_MESSAGES;
    if (most > limit)
        most = limit;
    if (slot == 0)
        return skti_fail_argument("recvmmsg", EINVAL, "%zu bytes are not enough for %zu datagrams", size, n);
    return receive(s, d, (unsigned)most, each, buf, slot, flags);
}

ssize_t skt_recvmmsg(skt *s, skt_datagram *d, size_t n, void *buf, size_t size, int flags)
{
    ssize_t received = -1;
    if (!skti_enter(s, "recvmmsg"))
        return -1;
    if (!batch_usable("recvmmsg", d, n))
        ;
    else if (size > SSIZE_MAX || !buf)
        skti_fail_argument("recvmmsg", buf ? EINVAL : EFAULT, "the buffer %s", buf ? "is too large" : "is NULL");
    else
        received = n == 0 ? 0 : receive_batch(s, d, n, buf, size, flags);
    skti_leave(s);
    return received;
}
