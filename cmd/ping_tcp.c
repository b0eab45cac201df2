/* ping_tcp.c - how long TCP takes to connect: a socket for each question, which is closed when it has connected. */
#include "clock.h"
#include "ping.h"
#include <errno.h>
#include <string.h>

/* Whether there is a way there a datagram socket tells, without a packet. */
static int open_tcp(struct ping *p)
{
    skt *datagram = skt_socket(p->peer.family, SOCK_DGRAM, 0), *stream = NULL;
    int status = skt_connect(datagram, p->peer);
    if (status == 0) {
        stream = skt_socket(p->peer.family, SOCK_STREAM, 0);
        status = !stream ? -1 : cmd_prepare(stream, p->settings) < 0 ? STATUS_FAILED : 0;
    }
    skt_close(stream);
    skt_close(datagram);
    return status;
}

static void fail(struct ping *p, uint32_t number, skt *s, int code)
{
    struct ping_error error = { .text = "" };
    if (s && !ping_take_error(s, &error))
        error.text[0] = '\0';
    if (!ping_tally_fail(&p->tally, number))
        return;
    ping_tell_error(p, number, *error.text ? error.text : strerror(code), error.from);
}

static void succeed(struct ping *p, uint32_t number)
{
    struct ping_answer answer = { .number = number, .ttl = -1 };
    answer.verdict = ping_tally_answer(&p->tally, number, cmd_now_ns(), &answer.took);
    ping_tell_answer(p, &answer);
}

/* TCP connects to itself where nobody listens on a port that happens to be given to the client. */
static bool connected_to_itself(skt *s)
{
    skt_addr here, there;
    return skt_getsockname(s, &here) == 0 && skt_getpeername(s, &there) == 0 && skt_addr_equal(&here, &there);
}

/* The attempt has ended, with this errno or 0. */
static void finish(struct ping *p, uint32_t number, skt *s, int code)
{
    if (code == 0 && connected_to_itself(s))
        code = ECONNREFUSED;
    if (code == 0)
        succeed(p, number);
    else
        fail(p, number, s, code);
    skt_close(s);
}

/* 0, EINPROGRESS, or the errno of the failure. */
static int begin(struct ping *p, uint32_t number, skt *s)
{
    if (!s || skt_settimeout(s, 0) < 0 || cmd_prepare(s, p->settings) < 0)
        return errno;
    ping_ask_for_errors(s);
    ping_tally_probe(&p->tally, number)->sent = cmd_now_ns();
    return skt_connect(s, p->peer) == 0 ? 0 : errno;
}

static void remove_attempt(struct ping *p, size_t i)
{
    p->attempts[i] = p->attempts[--p->under_way];
}

/* Those that have taken too long are given up. */
static void close_lost(struct ping *p)
{
    for (size_t i = p->under_way; i-- > 0;) {
        const struct ping_probe *probe = ping_tally_probe(&p->tally, p->attempts[i].number);
        if (probe && probe->state == PING_WAITING)
            continue;
        skt_close(p->attempts[i].sock);
        remove_attempt(p, i);
    }
}

static void send_question(struct ping *p, uint32_t number)
{
    close_lost(p); /* and there is room for one more */
    skt *s = skt_socket(p->peer.family, SOCK_STREAM, 0);
    int code = begin(p, number, s);
    if (code == EINPROGRESS)
        p->attempts[p->under_way++] = (struct ping_attempt){ s, number };
    else
        finish(p, number, s, code);
}

static size_t watch(struct ping *p, struct pollfd *fds)
{
    close_lost(p);
    for (size_t i = 0; i < p->under_way; i++)
        fds[i] = (struct pollfd){ .fd = skt_fileno(p->attempts[i].sock), .events = POLLOUT };
    return p->under_way;
}

/* What the kernel says of an attempt that has ended. */
static int code_of(skt *s)
{
    int code;
    return skt_getsockopt_int(s, SOL_SOCKET, SO_ERROR, &code) < 0 ? errno : code;
}

/* From the end, so that those that are still to be looked at keep their places. */
static void receive(struct ping *p, const struct pollfd *fds, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        struct ping_attempt attempt = p->attempts[i];
        if (!fds[i].revents)
            continue;
        remove_attempt(p, i);
        finish(p, attempt.number, attempt.sock, code_of(attempt.sock));
    }
}

const struct ping_kind ping_tcp = { "TCP", "connections", open_tcp, send_question, watch, receive, PING_ATTEMPTS };
