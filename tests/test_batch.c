/* test_batch.c - many datagrams in few system calls, and nobody can tell.
 *
 * skt_sendmmsg makes runs of datagrams into one message, skt_recvmmsg takes such runs apart, and both do
 * without where a kernel or a device cannot.  A mistake there would glue datagrams together, drop one or send it
 * twice, while every single call succeeds.  So each batch here is compared with what arrives, datagram by
 * datagram and in order, and the system calls are counted: a fallback must be one, and UDP_SEGMENT and UDP_GRO
 * really be used. */
#include "check.h"
#include "fake_time.h"
#include "peer.h"
#include "sys.h"
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_NO_CHECK
#define SO_NO_CHECK 11
#endif

#define MOST 512

/* ---- What the library asks the system for ---- */

static struct {
    unsigned calls;      /* of sendmmsg(2) or recvmmsg(2) */
    unsigned messages;   /* that these moved */
    unsigned segmented;  /* messages that asked for UDP_SEGMENT */
    unsigned single;     /* calls of sendmsg(2) or recvmsg(2) */
    int refuse_segments; /* the errno for UDP_SEGMENT, or 0 */
} sys;

static bool asks_for_segments(const struct msghdr *msg)
{
    const struct cmsghdr *item = CMSG_FIRSTHDR(msg);
    return item && item->cmsg_level == SOL_UDP && item->cmsg_type == UDP_SEGMENT;
}

/* Up to the first that is refused, as the kernel does. */
static int counting_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    unsigned allowed = 0;
    while (allowed < n && !(sys.refuse_segments && asks_for_segments(&msg[allowed].msg_hdr)))
        allowed++;
    sys.calls++;
    if (allowed == 0) {
        errno = sys.refuse_segments;
        return -1;
    }
    int sent = sendmmsg(fd, msg, allowed, flags);
    for (int i = 0; i < sent; i++, sys.messages++)
        sys.segmented += asks_for_segments(&msg[i].msg_hdr);
    return sent;
}

static int no_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    (void)fd, (void)msg, (void)n, (void)flags;
    errno = ENOSYS;
    return -1;
}

static ssize_t counting_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    sys.single++;
    if (sys.refuse_segments && asks_for_segments(msg)) {
        errno = sys.refuse_segments;
        return -1;
    }
    sys.segmented += asks_for_segments(msg);
    return sendmsg(fd, msg, flags);
}

static int counting_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    int received = recvmmsg(fd, msg, n, flags, NULL);
    sys.calls++;
    if (received > 0)
        sys.messages += (unsigned)received;
    return received;
}

static int no_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    (void)fd, (void)msg, (void)n, (void)flags;
    errno = ENOSYS;
    return -1;
}

static struct skti_sys real; /* the table as it was */

static void count_calls(void)
{
    memset(&sys, 0, sizeof sys);
    skti_sys.sendmmsg = counting_sendmmsg;
    skti_sys.sendmsg = counting_sendmsg;
    skti_sys.recvmmsg = counting_recvmmsg;
}

static void count_no_more(void)
{
    skti_sys = real;
}

/* ---- Batches ---- */

static char bytes[MOST * 1024];

/* The i-th datagram: len bytes that no other has. */
static skt_datagram datagram(size_t i, size_t len, skt_addr *addr)
{
    char *data = bytes + i * 1024;
    CHECK(i < MOST && len <= sizeof bytes - i * 1024);
    for (size_t at = 0; at < len && at < 1024; at++)
        data[at] = (char)(i * 31 + at * 7 + at / 256);
    return (skt_datagram){ .data = data, .len = len, .addr = addr };
}

static bool same_bytes(const skt_datagram *d, const void *data)
{
    return d->len == 0 || !memcmp(d->data, data, d->len);
}

static skt *receiver(int family, skt_addr *addr)
{
    skt *s = skt_socket(family, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_name(family == AF_INET ? "127.0.0.1" : "::1", 0)), 0);
    CHECK_INT(skt_getsockname(s, addr), 0);
    CHECK_INT(skt_setsockopt_int(s, SOL_SOCKET, SO_RCVBUF, 1 << 20), 0);
    CHECK_INT(skt_settimeout(s, 60), 0);
    return s;
}

static skt *sender(int family)
{
    skt *s = skt_socket(family, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_name(family == AF_INET ? "127.0.0.1" : "::1", 0)), 0);
    CHECK_INT(skt_settimeout(s, 60), 0);
    return s;
}

/* Takes one by one, by recv(2), what of d went to addr (NULL: all). */
static void check_arrived(skt *s, const skt_datagram *d, size_t n, const skt_addr *addr)
{
    static char buf[65536];
    for (size_t i = 0; i < n; i++) {
        if (addr && d[i].addr != addr)
            continue;
        errno = 0;
        ssize_t len = skt_recvfrom(s, buf, sizeof buf, 0, NULL);
        CHECK_INT(len, d[i].len);
        CHECK(same_bytes(&d[i], buf));
    }
    CHECK_ERRNO(skt_recvfrom(s, buf, sizeof buf, MSG_DONTWAIT, NULL), EAGAIN); /* and no more */
}

static bool has_segments(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    bool has = skt_setsockopt_int(s, SOL_UDP, UDP_SEGMENT, 0) == 0;
    skt_close(s);
    return has;
}

/* 100 of one length, a shorter one, another run. */
static size_t two_runs(skt_datagram *d, skt_addr *to)
{
    size_t n = 0;
    while (n < 100)
        d[n] = datagram(n, 500, to), n++;
    d[n] = datagram(n, 77, to), n++;
    while (n < 111)
        d[n] = datagram(n, 900, to), n++;
    return n;
}

static void mixed(int family)
{
    static const size_t lengths[] = {
        5, 5, 5, 3, 0, 0, 1000, 10, 10, 11, 0, 7, 1, 1, 900, 900, 900, 20, 9, 9, 4, 4, 9, 9, 4, 2
    }; /* a shorter one ends its run */
    static const int targets[] = { 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    skt_datagram d[26];
    skt_addr to[2];
    skt *s = sender(family), *r[2] = { receiver(family, &to[0]), receiver(family, &to[1]) };
    for (size_t i = 0; i < 26; i++)
        d[i] = datagram(i, lengths[i], &to[targets[i]]);
    d[5].data = NULL; /* it is empty */
    for (int times = 0; times < 2; times++) {
        CHECK_INT(skt_sendmmsg(s, d, 26, 0), 26);
        check_arrived(r[0], d, 26, &to[0]);
        check_arrived(r[1], d, 26, &to[1]);
    }
    skt_close(s);
    skt_close(r[0]);
    skt_close(r[1]);
}

static void mixed_lengths_and_targets(void)
{
    mixed(AF_INET);
}

static void mixed_over_ipv6(void)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    mixed(AF_INET6);
}

/* As many system calls as there have to be. */
static void segments_are_used(void)
{
    skt_datagram d[MOST];
    skt_addr to, copy;
    if (!has_segments())
        SKIP("this kernel has no UDP_SEGMENT");
    skt *r = receiver(AF_INET, &to);
    for (int connected = 0; connected < 2; connected++) {
        skt *s = sender(AF_INET);
        if (connected)
            CHECK_INT(skt_connect(s, to), 0);
        size_t n = two_runs(d, connected ? NULL : &to);
        copy = to; /* the same target in another place */
        if (!connected)
            d[50].addr = &copy;
        count_calls();
        CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
        count_no_more();
        CHECK_INT(sys.calls, 1);
        CHECK_INT(sys.messages, 3); /* 64, 36 with the shorter one, 10 */
        CHECK_INT(sys.segmented, 3);
        CHECK_INT(sys.single, 0);
        check_arrived(r, d, n, NULL);
        skt_close(s);
    }
    skt_close(r);
}

/* Bytes of a message are limited too: 65000. */
static void long_runs(void)
{
    skt_datagram d[8];
    skt_addr to;
    skt *s = sender(AF_INET), *r = receiver(AF_INET, &to);
    for (size_t i = 0; i < 8; i++)
        d[i] = datagram(i, 20000, &to);
    d[7].len = 65000; /* as it would be alone */
    count_calls();
    CHECK_INT(skt_sendmmsg(s, d, 8, 0), 8);
    count_no_more();
    if (has_segments())
        CHECK(sys.messages == 4 && sys.segmented == 2);
    check_arrived(r, d, 8, NULL);
    skt_close(s);
    skt_close(r);
}

static void segments_refused(void)
{
    static const int codes[] = { EINVAL, EIO, EMSGSIZE, EOPNOTSUPP };
    skt_datagram d[MOST];
    skt_addr to;
    skt *r = receiver(AF_INET, &to);
    size_t n = two_runs(d, &to);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        for (size_t first = 0; first < 2; first++) { /* 1: after a message that goes */
            skt *s = sender(AF_INET);
            d[0].len = first ? 400 : 500;
            count_calls();
            sys.refuse_segments = codes[i];
            CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
            CHECK_INT(sys.calls, first + 1 + (n - first + 63) / 64);
            CHECK_INT(sys.messages, n);
            CHECK_INT(sys.segmented, 0);
            check_arrived(r, d, n, NULL);
            sys.calls = 0; /* it was refused once, and is not asked for again */
            CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
            CHECK_INT(sys.calls, (n + 63) / 64);
            count_no_more();
            check_arrived(r, d, n, NULL);
            skt_close(s);
        }
    skt_close(r);
}

/* Without checksums Linux refuses UDP_SEGMENT in earnest. */
static void segments_refused_by_the_kernel(void)
{
    skt_datagram d[MOST];
    skt_addr to;
    skt *s = sender(AF_INET), *r = receiver(AF_INET, &to);
    size_t n = two_runs(d, &to);
    CHECK_INT(skt_setsockopt_int(s, SOL_SOCKET, SO_NO_CHECK, 1), 0);
    count_calls();
    CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
    count_no_more();
    CHECK_INT(sys.segmented, 0);
    CHECK_INT(sys.messages, n);
    check_arrived(r, d, n, NULL);
    skt_close(s);
    skt_close(r);
}

static void without_sendmmsg(void)
{
    skt_datagram d[MOST];
    skt_addr to;
    skt *r = receiver(AF_INET, &to);
    size_t n = two_runs(d, &to);
    for (int refuse = 0; refuse < 2; refuse++) {
        skt *s = sender(AF_INET);
        count_calls();
        skti_sys.sendmmsg = no_sendmmsg;
        sys.refuse_segments = refuse ? EINVAL : 0;
        CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
        count_no_more();
        if (refuse)
            CHECK_INT(sys.single, n + 1);
        else if (has_segments())
            CHECK_INT(sys.single, 3);
        check_arrived(r, d, n, NULL);
        skt_close(s);
    }
    skt_close(r);
}

/* Growing lengths are no run: each is a message, and a system call takes 64. */
static void more_than_64_messages(void)
{
    skt_datagram d[MOST];
    skt_addr to;
    skt *s = sender(AF_INET), *r = receiver(AF_INET, &to);
    for (size_t i = 0; i < 150; i++)
        d[i] = datagram(i, i, &to);
    count_calls();
    CHECK_INT(skt_sendmmsg(s, d, 150, 0), 150);
    CHECK(sys.calls == 3 && sys.messages == 150 && sys.segmented == 0);
    static skt_datagram got[MOST];
    static char buf[MOST * 200];
    for (size_t done = 0, n; done < 150; done += n) {
        n = (size_t)skt_recvmmsg(r, got, MOST, buf, sizeof buf, 0);
        CHECK(n > 0 && n <= 64);
        for (size_t i = 0; i < n; i++)
            CHECK(got[i].len == done + i && !memcmp(got[i].data, d[done + i].data, got[i].len));
    }
    count_no_more();
    skt_close(s);
    skt_close(r);
}

static void names_are_targets(void)
{
    skt_datagram d[6];
    skt_addr to, name, digits;
    skt *s = sender(AF_INET), *r = receiver(AF_INET, &to);
    name = skt_name("localhost", skt_port(&to));
    digits = skt_name("127.0.0.1", skt_port(&to));
    static const size_t lengths[] = { 3, 9, 9, 4, 5, 6 };
    for (size_t i = 0; i < 6; i++)
        d[i] = datagram(i, lengths[i], i == 0 || i == 4 ? &digits : i == 5 ? &to : &name);
    CHECK_INT(skt_sendmmsg(s, d, 6, 0), 6);
    check_arrived(r, d, 6, NULL);
    d[0] = datagram(0, 100, &name);
    d[0].len = 70000;
    CHECK_ERRNO(skt_sendmmsg(s, d, 1, 0), EMSGSIZE);
    char text[64], expected[128];
    skt_addr_text(&to, text, sizeof text);
    snprintf(expected, sizeof expected, "sendmmsg localhost (%s): Message too long", text);
    CHECK_STR(skt_strerror(), expected); /* both, as in sendto */
    skt_close(s);
    skt_close(r);
}

static int unknown_host(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    if (!strcmp(host, "nobody.invalid"))
        return EAI_NONAME;
    return getaddrinfo(host, service, hints, list);
}

/* Sends n datagrams of which the one in the middle cannot go. */
static void check_partial(skt_datagram *d, skt_addr *to, skt *s, skt *r, int code, const char *sentence)
{
    CHECK_INT(skt_sendmmsg(s, d, 5, 0), 2);
    CHECK_STR(skt_strerror(), sentence);
    CHECK_INT(skt_error_record()->code, code);
    CHECK_STR(skt_error_record()->call, "sendmmsg");
    check_arrived(r, d, 2, to);
    CHECK_ERRNO(skt_sendmmsg(s, d + 2, 3, 0), skt_error_record()->domain == SKT_ERROR_NAME ? EHOSTUNREACH : code);
    CHECK_STR(skt_strerror(), sentence);
    CHECK_INT(skt_sendmmsg(s, d + 3, 2, 0), 2);
    check_arrived(r, d + 3, 2, to);
}

static void partial_sending(void)
{
    skt_datagram d[5];
    skt_addr to, wrong = skt_inet("127.0.0.1", 70000), nobody = skt_name("nobody.invalid", 7), path = skt_unix("/x");
    skt *s = sender(AF_INET), *r = receiver(AF_INET, &to);
    char text[64], expected[128];
    for (size_t i = 0; i < 5; i++)
        d[i] = datagram(i, 10, &to);
    d[2].len = 70000;
    skt_addr_text(&to, text, sizeof text);
    snprintf(expected, sizeof expected, "sendmmsg %s: Message too long", text);
    check_partial(d, &to, s, r, EMSGSIZE, expected);
    d[2] = datagram(2, 10, &wrong);
    CHECK_ERRNO(skt_sendmmsg(s, d + 2, 1, 0), EINVAL);
    snprintf(expected, sizeof expected, "%s", skt_strerror());
    check_partial(d, &to, s, r, EINVAL, expected);
    d[2].addr = &path;
    CHECK_ERRNO(skt_sendmmsg(s, d + 2, 1, 0), EAFNOSUPPORT);
    snprintf(expected, sizeof expected, "%s", skt_strerror());
    check_partial(d, &to, s, r, EAFNOSUPPORT, expected);
    d[2].addr = &nobody;
    CHECK_INT(skt_settimeout(s, SKT_NO_TIMEOUT), 0);
    skti_sys.getaddrinfo = unknown_host;
    CHECK_ERRNO(skt_sendmmsg(s, d + 2, 1, 0), EHOSTUNREACH);
    snprintf(expected, sizeof expected, "%s", skt_strerror());
    check_partial(d, &to, s, r, EAI_NONAME, expected);
    skti_sys.getaddrinfo = getaddrinfo;
    skt_close(s);
    skt_close(r);
}

/* ---- Receiving ---- */

static void receiving(void)
{
    skt_datagram d[8], got[16];
    skt_addr to, own, from[16];
    char buf[16 * 8 + 5];
    skt *s = sender(AF_INET), *r = receiver(AF_INET, &to);
    static const size_t lengths[] = { 8, 9, 0, 1, 8, 8, 8, 100 };
    CHECK_INT(skt_getsockname(s, &own), 0);
    for (size_t i = 0; i < 8; i++)
        d[i] = datagram(i, lengths[i], &to);
    for (size_t i = 0; i < 16; i++)
        got[i] = (skt_datagram){ .addr = i % 2 ? &from[i] : NULL, .flags = -1 };
    for (int without = 0; without < 2; without++) {
        if (without)
            skti_sys.recvmmsg = no_recvmmsg; /* one at a time then */
        CHECK_INT(skt_sendmmsg(s, d, 8, 0), 8);
        if (!without)
            count_calls();
        size_t n = 0;
        for (size_t done = 0; done < 8; done += n) {
            n = (size_t)skt_recvmmsg(r, got, 16, buf, sizeof buf, 0);
            CHECK(n >= 1 && n <= 8 - done && (!without || n == 1));
            for (size_t i = 0; i < n; i++) {
                const skt_datagram *sent = &d[done + i];
                CHECK(got[i].data == buf + i * 8); /* the slots are size / n */
                CHECK_INT(got[i].len, sent->len < 8 ? sent->len : 8);
                CHECK_INT(got[i].flags, sent->len > 8 ? MSG_TRUNC : 0);
                CHECK(!memcmp(got[i].data, sent->data, got[i].len));
                CHECK(!got[i].addr || skt_addr_equal(got[i].addr, &own));
            }
        }
        CHECK_ERRNO(skt_recvmmsg(r, got, 16, buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
        if (!without) {
            CHECK_INT(sys.messages, 8);
            count_no_more();
        }
    }
    skti_sys.recvmmsg = real.recvmmsg;
    CHECK_ERRNO(skt_recvmmsg(r, got, 16, buf, 15, 0), EINVAL);
    CHECK_STR(skt_strerror(), "recvmmsg: 15 bytes are not enough for 16 datagrams");
    skt_close(s);
    skt_close(r);
}

static void receive_one(void *arg)
{
    char buf[64];
    skt_datagram got[4] = { { 0 } };
    CHECK_INT(skt_recvmmsg(arg, got, 4, buf, sizeof buf, 0), 1); /* what is there, and not four */
    CHECK_INT(got[0].len, 3);
}

static void receiving_waits_for_the_first(void)
{
    skt *pair[2];
    struct peer peer;
    char buf[8];
    skt_datagram got = { .len = 0 };
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    start_peer(&peer, receive_one, pair[1]);
    wait_until_blocked(&peer);
    CHECK_INT(skt_send(pair[0], "abc", 3, 0), 3);
    join_peer(&peer);
    CHECK_INT(skt_settimeout(pair[1], 5), 0);
    fake_time_begin();
    CHECK_ERRNO(skt_recvmmsg(pair[1], &got, 1, buf, sizeof buf, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_INT(fake_slept, 5 * SECOND);
    fake_time_end();
    CHECK_STR(skt_strerror(), "recvmmsg: timed out");
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static char gro_buf[4 * 65536];

/* A receiver with UDP_GRO, or NULL where there is none. */
static skt *gro_receiver(skt_addr *to)
{
    skt *r = receiver(AF_INET, to);
    if (skt_setsockopt_int(r, SOL_UDP, UDP_GRO, 1) == 0)
        return r;
    skt_close(r);
    return NULL;
}

/* Takes n datagrams, which have to be those of d. */
static void check_batches(skt *r, const skt_datagram *d, size_t n, size_t room, size_t size, const skt_addr *from)
{
    static skt_datagram got[4 * SKT_GRO_MAX];
    static skt_addr addrs[4 * SKT_GRO_MAX];
    size_t more;
    for (size_t i = 0; i < room; i++)
        got[i] = (skt_datagram){ .addr = &addrs[i] };
    for (size_t done = 0; done < n; done += more) {
        more = (size_t)skt_recvmmsg(r, got, room, gro_buf, size, 0);
        CHECK(more >= 1 && more <= n - done);
        for (size_t i = 0; i < more; i++) {
            CHECK_INT(got[i].len, d[done + i].len);
            CHECK(same_bytes(&d[done + i], got[i].data));
            CHECK((char *)got[i].data + got[i].len <= gro_buf + size);
            CHECK(skt_addr_equal(got[i].addr, from) && !(got[i].flags & MSG_TRUNC));
        }
    }
    CHECK_ERRNO(skt_recvmmsg(r, got, room, gro_buf, size, MSG_DONTWAIT), EAGAIN);
}

static void runs_come_apart(void)
{
    skt_datagram d[MOST];
    skt_addr to, own;
    skt *s = sender(AF_INET), *r = gro_receiver(&to);
    if (!r) {
        skt_close(s);
        SKIP("this kernel has no UDP_GRO");
    }
    CHECK_INT(skt_getsockname(s, &own), 0);
    size_t n = two_runs(d, &to);
    d[n] = datagram(n, 0, &to), n++;
    d[n] = datagram(n, 1, &to), n++;
    static const size_t room[] = { 1, 4, 4, 1 }, size[] = { 1, 4, 1, 4 }; /* for so many runs */
    for (int i = 0; i < 4; i++) {
        count_calls();
        CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
        sys.messages = 0;
        check_batches(r, d, n, room[i] * SKT_GRO_MAX, size[i] * 65536, &own);
        count_no_more();
        if (has_segments())
            CHECK_INT(sys.messages, 5); /* they did come in runs */
    }
    skt_close(s);
    skt_close(r);
}

/* Other items come first, and must not take the room of the one that tells the segments' length. */
static void runs_come_apart_beside_other_items(void)
{
    static const int options[] = { SO_TIMESTAMP, SO_TIMESTAMPNS, SO_RXQ_OVFL };
    skt_datagram d[MOST];
    skt_addr to, own;
    if (under_qemu())
        SKIP("qemu-user knows neither SO_TIMESTAMPNS nor SO_RXQ_OVFL");
    skt *s = sender(AF_INET), *r = gro_receiver(&to);
    if (!r) {
        skt_close(s);
        SKIP("this kernel has no UDP_GRO");
    }
    CHECK_INT(skt_getsockname(s, &own), 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK_INT(skt_setsockopt_int(r, SOL_SOCKET, options[i], 1), 0);
    CHECK_INT(skt_setsockopt_int(r, IPPROTO_IP, IP_PKTINFO, 1), 0);
    size_t n = two_runs(d, &to);
    CHECK_INT(skt_sendmmsg(s, d, n, 0), n);
    check_batches(r, d, n, SKT_GRO_MAX, 65536, &own);
    skt_close(s);
    skt_close(r);
}

static void gro_needs_room(void)
{
    static skt_datagram got[SKT_GRO_MAX];
    skt_addr to;
    skt *r = gro_receiver(&to);
    if (!r)
        SKIP("this kernel has no UDP_GRO");
    CHECK_ERRNO(skt_recvmmsg(r, got, SKT_GRO_MAX - 1, gro_buf, 65536, MSG_DONTWAIT), EINVAL);
    CHECK_STR(skt_strerror(), "recvmmsg: UDP_GRO needs room for 128 datagrams and 65536 bytes");
    CHECK_ERRNO(skt_recvmmsg(r, got, SKT_GRO_MAX, gro_buf, 65535, MSG_DONTWAIT), EINVAL);
    CHECK_ERRNO(skt_recvmmsg(r, got, SKT_GRO_MAX, gro_buf, 65536, MSG_DONTWAIT), EAGAIN);
    CHECK_INT(skt_setsockopt_int(r, SOL_UDP, UDP_GRO, 0), 0);
    CHECK_ERRNO(skt_recvmmsg(r, got, 1, gro_buf, 1, MSG_DONTWAIT), EAGAIN);
    skt_close(r);
}

/* ---- AF_UNIX ---- */

static void over_unix(void)
{
    skt_datagram d[4], got[8];
    skt_addr to, from[8];
    char buf[8 * 100];
    skt *s = skt_socket(AF_UNIX, SOCK_DGRAM, 0), *r = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(r, skt_unix("")), 0);
    CHECK_INT(skt_getsockname(r, &to), 0);
    for (size_t i = 0; i < 4; i++)
        d[i] = datagram(i, i == 2 ? 0 : 50, &to);
    for (size_t i = 0; i < 8; i++)
        got[i] = (skt_datagram){ .addr = &from[i] };
    count_calls();
    CHECK_INT(skt_sendmmsg(s, d, 4, 0), 4);
    CHECK(sys.calls == 1 && sys.segmented == 0);
    count_no_more();
    CHECK_INT(skt_recvmmsg(r, got, 8, buf, sizeof buf, 0), 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK(got[i].len == d[i].len && !memcmp(got[i].data, d[i].data, d[i].len) && got[i].flags == 0);
        CHECK_INT(from[i].family, AF_UNSPEC); /* the sender has no name */
        CHECK_STR(skt_host(&from[i]), "");
    }
    skt_close(r);
    CHECK_ERRNO(skt_sendmmsg(s, d, 4, 0), ECONNREFUSED);
    skt_close(s);
}

/* Nobody can fetch them from a batch: they must not stay open in this process. */
static void descriptors_in_a_batch(void)
{
    skt *pair[2];
    char buf[8];
    skt_datagram got[2] = { { 0 } };
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    int fd = skt_fileno(pair[0]), before = count_fds();
    for (int without = 0; without < 2; without++) {
        CHECK_INT(skt_send_fds(pair[0], "x", 1, &fd, 1, 0), 1);
        if (without)
            skti_sys.recvmmsg = no_recvmmsg;
        CHECK_INT(skt_recvmmsg(pair[1], got, 2, buf, sizeof buf, 0), 1);
        CHECK_INT(got[0].len, 1);
        CHECK_INT(got[0].flags, MSG_CTRUNC);
        CHECK_INT(count_fds(), before);
    }
    skti_sys.recvmmsg = real.recvmmsg;
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* The queue takes some; the others are waited for as long as the timeout is. */
static void a_full_queue(void)
{
    static skt_datagram d[5000];
    skt *pair[2];
    char c;
    for (size_t i = 0; i < 5000; i++)
        d[i] = datagram(0, 1, NULL);
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    CHECK_INT(skt_settimeout(pair[0], 5), 0);
    fake_time_begin();
    ssize_t sent = skt_sendmmsg(pair[0], d, 5000, 0);
    CHECK(sent > 0 && sent < 5000);
    CHECK(skt_timed_out());
    CHECK_INT(fake_slept, 5 * SECOND);
    CHECK_ERRNO(skt_sendmmsg(pair[0], d, 1, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_INT(fake_slept, 10 * SECOND);
    fake_time_end();
    CHECK_STR(skt_strerror(), "sendmmsg: timed out");
    CHECK_ERRNO(skt_sendmmsg(pair[0], d, 1, MSG_DONTWAIT), EAGAIN);
    for (ssize_t i = 0; i < sent; i++)
        CHECK_INT(skt_recv(pair[1], &c, 1, MSG_DONTWAIT), 1);
    CHECK_ERRNO(skt_recv(pair[1], &c, 1, MSG_DONTWAIT), EAGAIN);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void send_batch(void *arg)
{
    static skt_datagram d[300];
    for (size_t i = 0; i < 300; i++)
        d[i] = datagram(i, i % 3 + 1, NULL);
    CHECK_INT(skt_sendmmsg(arg, d, 300, 0), 300);
}

static void waits_until_all_are_sent(void)
{
    skt *pair[2];
    struct peer peer;
    char buf[4];
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    start_peer(&peer, send_batch, pair[0]);
    wait_until_blocked(&peer); /* the queue is full */
    for (size_t i = 0; i < 300; i++) {
        const char first = (char)(i * 31);
        CHECK_INT(skt_recv(pair[1], buf, 4, 0), i % 3 + 1);
        CHECK_INT(buf[0], first);
    }
    join_peer(&peer);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

struct crowd {
    skt *s;
    skt_datagram d[8];
};

static void send_again_and_again(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 20; i++)
        CHECK_INT(skt_sendmmsg(crowd->s, crowd->d, 8, 0), 8);
}

static pthread_barrier_t both;

/* Refuses UDP_SEGMENT to two threads at the same time. */
static int refusing_both(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    if (!asks_for_segments(&msg->msg_hdr))
        return sendmmsg(fd, msg, n, flags);
    pthread_barrier_wait(&both);
    errno = EINVAL;
    return -1;
}

static void threads_share_a_socket(void)
{
    struct crowd crowd;
    struct peer peers[2];
    skt_addr to;
    char buf[20];
    skt *r = receiver(AF_INET, &to);
    crowd.s = sender(AF_INET);
    for (size_t i = 0; i < 8; i++)
        crowd.d[i] = datagram(i, 10, &to);
    CHECK_INT(pthread_barrier_init(&both, NULL, 2), 0);
    skti_sys.sendmmsg = refusing_both;
    for (int i = 0; i < 2; i++)
        start_peer(&peers[i], send_again_and_again, &crowd);
    for (int i = 0; i < 2; i++)
        join_peer(&peers[i]);
    skti_sys.sendmmsg = real.sendmmsg;
    pthread_barrier_destroy(&both);
    for (int i = 0; i < 2 * 20 * 8; i++)
        CHECK_INT(skt_recv(r, buf, sizeof buf, 0), 10);
    CHECK_ERRNO(skt_recv(r, buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
    skt_close(crowd.s);
    skt_close(r);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "mixed lengths and targets arrive as they were", mixed_lengths_and_targets },
        { "the same over IPv6", mixed_over_ipv6 },
        { "UDP_SEGMENT makes runs one message", segments_are_used },
        { "runs of long datagrams", long_runs },
        { "UDP_SEGMENT refused: one by one, and not asked again", segments_refused },
        { "UDP_SEGMENT refused by the kernel", segments_refused_by_the_kernel },
        { "without sendmmsg(2)", without_sendmmsg },
        { "more than 64 messages", more_than_64_messages },
        { "names are targets", names_are_targets },
        { "partial sending, and why", partial_sending },
        { "receiving: lengths, MSG_TRUNC, senders, slots", receiving },
        { "receiving waits for the first, within the timeout", receiving_waits_for_the_first },
        { "UDP_GRO: runs come apart again", runs_come_apart },
        { "UDP_GRO beside other items", runs_come_apart_beside_other_items },
        { "UDP_GRO needs room", gro_needs_room },
        { "AF_UNIX", over_unix },
        { "descriptors in a batch are closed", descriptors_in_a_batch },
        { "a full queue: the timeout, and how many went", a_full_queue },
        { "waits until all are sent", waits_until_all_are_sent },
        /* two are in one system call at the same time, as tasks of a thread never are */
        { "threads that share a socket learn of a refusal at once", threads_share_a_socket, ON_THREAD },
    };
    real = skti_sys;
    /* On one processor datagrams cannot overtake each other on their way through lo. */
    cpu_set_t all, one;
    CHECK_INT(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    CHECK_INT(sched_setaffinity(0, sizeof one, &one), 0);
    return RUN_CASES(cases);
}
