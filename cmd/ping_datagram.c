/* ping_datagram.c - questions and answers in packets: ICMP, by the kernel's ping sockets or by raw ones, whichever we
 * may have (icmp(7)); and UDP, to an echo server. */
#include "clock.h"
#include "ping.h"
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <time.h>

#define AT_ONCE 256 /* packets and errors that are taken before something else has its turn */

static unsigned char room[PING_ROOM];

/* ---- The socket ---- */

/* A raw socket gets every packet of ICMP that comes: let the kernel drop what is no answer. */
static void filter(skt *s, bool ipv6)
{
    struct icmp6_filter answers6;
    struct icmp_filter answers = { ~(1U << ICMP_ECHOREPLY) };
    ICMP6_FILTER_SETBLOCKALL(&answers6);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &answers6);
    if (ipv6)
        skt_setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &answers6, sizeof answers6);
    else
        skt_setsockopt(s, SOL_RAW, ICMP_FILTER, &answers, sizeof answers);
}

/* The time that an answer came, and the hops that it had left. */
static void ask_for_more(skt *s)
{
    skt_setsockopt_int(s, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (skt_family(s) == AF_INET6)
        skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    else
        skt_setsockopt_int(s, IPPROTO_IP, IP_RECVTTL, 1);
    ping_ask_for_errors(s);
}

/* 0, -1 or a status, as of ping_kind.open; s is closed unless it is 0. */
static int connect_socket(struct ping *p, skt *s)
{
    int status = -1;
    p->format.ipv6 = p->peer.family == AF_INET6;
    if (cmd_prepare(s, p->settings) < 0)
        status = STATUS_FAILED;
    else if (skt_connect(s, p->peer) == 0)
        status = 0;
    if (status != 0) {
        skt_close(s);
        return status;
    }
    ask_for_more(s);
    if (p->format.raw)
        filter(s, p->format.ipv6);
    p->sock = s;
    return 0;
}

static int no_right(const char *reason)
{
    cmd_say("ping: neither ping sockets (net.ipv4.ping_group_range) nor raw ones (CAP_NET_RAW) can be had: %s; "
            "--tcp needs no rights",
            reason);
    return STATUS_FAILED;
}

static int open_icmp(struct ping *p)
{
    int protocol = p->peer.family == AF_INET6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;
    skt *s = skt_socket(p->peer.family, SOCK_DGRAM, protocol);
    p->format.icmp = true;
    p->format.raw = !s;
    if (!s && errno == EAFNOSUPPORT)
        return -1;
    if (!s)
        s = skt_socket(p->peer.family, SOCK_RAW, protocol);
    return s ? connect_socket(p, s) : no_right(cmd_reason());
}

static int open_udp(struct ping *p)
{
    skt *s = skt_socket(p->peer.family, SOCK_DGRAM, 0);
    return s ? connect_socket(p, s) : -1;
}

/* ---- Errors ---- */

static void take_error(struct ping *p, const struct ping_error *error)
{
    uint32_t number = 0;
    if (ping_read_quote(&p->format, error->quote, error->len, &number)) {
        number = p->format.icmp ? ping_tally_number(&p->tally, number) : number;
        if (ping_tally_fail(&p->tally, number))
            ping_tell_error(p, number, error->text, error->from);
    } else if (!p->format.icmp) {
        ping_tell_error(p, 0, error->text, error->from); /* it quotes too little of UDP to tell which */
    }
}

/* Takes what the queue has; how many came from elsewhere.  Those of our own the failed call tells. */
static size_t take_errors(struct ping *p)
{
    struct ping_error error;
    size_t n = 0;
    for (size_t i = 0; i < AT_ONCE && ping_take_error(p->sock, &error); i++)
        if (!error.local) {
            take_error(p, &error);
            n++;
        }
    return n;
}

/* ---- Questions ---- */

/* An error that has come back makes the next call fail, and nothing is sent. */
static void send_question(struct ping *p, uint32_t number)
{
    size_t len = ping_make(&p->format, number, room);
    struct ping_probe *probe = ping_tally_probe(&p->tally, number);
    int code = 0;
    for (int tries = 0; tries < 4; tries++) {
        probe->sent = cmd_now_ns();
        if (skt_send(p->sock, room, len, MSG_DONTWAIT) >= 0)
            return;
        code = errno;
        if (take_errors(p) == 0)
            break;
    }
    if (ping_tally_fail(&p->tally, number))
        ping_tell_error(p, number, strerror(code), "");
}

/* ---- Answers ---- */

/* When it came, on the monotonic clock: the kernel's time says how long it lay in the socket.  (That clock is read
 * first: if somebody else has the processor between the two, the answer seems to have come later, and not before the
 * question.) */
static int64_t time_of(const struct ping *p, const skt_msg *msg)
{
    struct timespec came, real;
    if (skt_get_timestamp(msg, &came) < 0)
        return cmd_now_ns();
    clock_gettime(CLOCK_REALTIME, &real);
    int64_t now = cmd_now_ns();
    int64_t ago = (int64_t)(real.tv_sec - came.tv_sec) * 1000000000 + real.tv_nsec - came.tv_nsec;
    return ago > 0 && ago < now - p->began ? now - ago : now; /* otherwise somebody has set the clock */
}

static void take_answer(struct ping *p, const skt_msg *msg, size_t len)
{
    struct ping_answer answer = { .ttl = -1 };
    if (!ping_read(&p->format, room, len, &answer.number, &answer.size))
        return;
    if (p->format.icmp)
        answer.number = ping_tally_number(&p->tally, answer.number);
    if (skt_get_hoplimit(msg, &answer.ttl) < 0)
        answer.ttl = -1;
    answer.verdict = ping_tally_answer(&p->tally, answer.number, time_of(p, msg), &answer.took);
    if (answer.verdict != PING_STRANGE)
        ping_tell_answer(p, &answer);
}

/* false: nothing is left. */
static bool take_packet(struct ping *p)
{
    _Alignas(struct cmsghdr) char control[512];
    struct iovec piece = { room, sizeof room };
    skt_msg msg = { .iov = &piece, .iovlen = 1, .control = control, .controlsize = sizeof control };
    ssize_t n = skt_recvmsg(p->sock, &msg, MSG_DONTWAIT);
    if (n >= 0)
        take_answer(p, &msg, (size_t)n);
    else if (errno == EAGAIN)
        return false;
    else
        take_errors(p);
    return true;
}

static size_t watch(struct ping *p, struct pollfd *fds)
{
    fds[0] = (struct pollfd){ .fd = skt_fileno(p->sock), .events = POLLIN };
    return 1;
}

static void receive(struct ping *p, const struct pollfd *fds, size_t n)
{
    if (n == 0 || !fds[0].revents)
        return;
    take_errors(p);
    for (int i = 0; i < AT_ONCE && take_packet(p); i++)
        continue;
}

const struct ping_kind ping_icmp = { "ICMP", "bytes of data", open_icmp, send_question, watch, receive, PING_WINDOW };
const struct ping_kind ping_udp = { "UDP", "bytes of data", open_udp, send_question, watch, receive, PING_WINDOW };
