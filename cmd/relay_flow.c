/* relay_flow.c - one direction of a link.
 *
 * Between streams it begins by copying through a buffer, and goes over to splice(2) when its buffer is full again
 * and again: for bulk data that takes half the CPU time (docs/design.md), for short messages it would cost two
 * descriptors each and save nothing. */
#include "clock.h"
#include "relay.h"
#include "tcp.h"
#include <errno.h>
#include <unistd.h>

enum {
    LARGEST_DATAGRAM = 65507, /* what a stream is cut into for datagrams */
    OFTEN = 2,                /* full buffers in a row that are bulk data */
    FEW = 16384,              /* bytes in a pipe: it is no bulk data any more */
};
#define FADE 1.0 /* seconds of silence after a stream's end that end a link to datagrams, which have no end */
#define PROBE_AFTER                                                                                                    \
    5 /* seconds; who has ended his data may be gone altogether, of which only keep-alive probes tell                  \
       */
#define RATE_PIECES 20.0 /* --rate: pieces a second, at least */

/* ---- A piece ---- */

/* What a flow has in hand. */
struct hand {
    char *buf;
    bool large;
    int pipe[2]; /* if the flow is spliced; empty between pieces */
};

/* A call of the flow has failed: whether it is only that time is up for it, and not yet for the link. */
static bool goes_on(struct flow *f, skt *s)
{
    double idle = f->link->relay->idle;
    if (errno != ETIMEDOUT || !skt_timed_out() || idle < 0)
        return false;
    double left = f->link->active + idle - cmd_now();
    if (left <= 0)
        return false;
    return skt_settimeout(s, left) == 0; /* the next call waits for the rest only */
}

/* Says why a call has failed.  Returns -1. */
static int fail(struct flow *f, const char *side)
{
    if (errno == ECANCELED)
        return -1;
    if (errno == ETIMEDOUT && skt_timed_out() && (f->from->endless || f->to->endless))
        return -1; /* which is how datagrams end */
    if (errno == ETIMEDOUT && skt_timed_out())
        link_fail(f->link, "nothing has come or gone for %g seconds", f->link->relay->idle);
    else
        link_fail(f->link, "%s: %s", side, skt_strerror());
    f->link->broken |= !skt_timed_out();
    return -1;
}

/* How much may be taken at once. */
static size_t at_once(const struct flow *f, size_t most)
{
    int64_t rate = f->link->relay->settings->rate;
    if (f->to->messages && most > LARGEST_DATAGRAM && !f->from->messages)
        most = LARGEST_DATAGRAM;
    if (rate == 0 || f->from->messages || (double)rate / RATE_PIECES >= (double)most)
        return most;
    return rate < RATE_PIECES ? 1 : (size_t)((double)rate / RATE_PIECES);
}

void flow_pace(struct flow *f, size_t n)
{
    int64_t rate = f->link->relay->settings->rate;
    double now = f->link->active;
    if (rate == 0)
        return;
    f->next = (f->next > now ? f->next : now) + (double)n / (double)rate;
    if (f->next > now)
        skt_sleep(f->next - now);
}

void flow_count(struct flow *f, size_t n)
{
    f->bytes += n;
    if (f->link->relay->timed)
        f->link->active = cmd_now();
    if (f->link->relay->live)
        __atomic_fetch_add(f->total, n, __ATOMIC_RELAXED);
}

static int send_all(struct flow *f, const char *buf, size_t len)
{
    do {
        ssize_t n = f->to->messages ? cmd_peer_send(f->to, buf, len) : skt_send(f->to->sock, buf, len, 0);
        if (f->to->messages && n == 0)
            n = (ssize_t)len;
        if (n < 0 && !goes_on(f, f->to->sock))
            return fail(f, f->to_name);
        if (n > 0) {
            flow_count(f, (size_t)n);
            buf += n;
            len -= (size_t)n;
        }
    } while (len > 0);
    return 0;
}

/* A piece through the buffer: how many bytes; 0: the end; -1: it has failed. */
static ssize_t copy_piece(struct flow *f, struct hand *hand)
{
    size_t size = hand->large ? RELAY_LARGE_BUFFER : RELAY_BUFFER, most = at_once(f, size);
    ssize_t n;
    while ((n = cmd_peer_recv(f->from, hand->buf, most, 0)) < 0)
        if (!goes_on(f, f->from->sock))
            return fail(f, f->from_name);
    if (n > (ssize_t)most) {
        link_fail(f->link, "%s: its message of %zd bytes is longer than %zu", f->from_name, n, most);
        f->link->broken = true;
        return -1;
    }
    f->full = n == (ssize_t)size ? f->full + 1 : 0;
    if ((n == 0 && !f->from->endless) || (n == 0 && !f->to->messages))
        return f->from->endless ? 1 : 0; /* an empty datagram is nothing to a stream */
    return send_all(f, hand->buf, (size_t)n) < 0 ? -1 : n + (n == 0);
}

/* ---- Splicing ---- */

/* What is in the pipe, where the kernel cannot send it from there. */
static int send_held(struct flow *f, struct hand *hand, size_t held)
{
    f->unspliceable = true;
    while (held > 0) {
        ssize_t n = read(hand->pipe[0], hand->buf, held < RELAY_BUFFER ? held : RELAY_BUFFER);
        if (n <= 0 || send_all(f, hand->buf, (size_t)n) < 0)
            return -1;
        held -= (size_t)n;
    }
    return 0;
}

static int send_pipe(struct flow *f, struct hand *hand, size_t held)
{
    while (held > 0) {
        ssize_t n = skt_send_pipe(f->to->sock, hand->pipe[0], held);
        if (n < 0 && errno == EINVAL)
            return send_held(f, hand, held);
        if (n < 0 && !goes_on(f, f->to->sock))
            return fail(f, f->to_name);
        if (n > 0) {
            flow_count(f, (size_t)n);
            held -= (size_t)n;
        }
    }
    return 0;
}

static void stop_splicing(struct flow *f, struct hand *hand, bool empty)
{
    if (f->spliced)
        (empty ? relay_give_pipe : relay_drop_pipe)(hand->pipe);
    f->spliced = false;
    f->full = 0;
}

/* As copy_piece. */
static ssize_t splice_piece(struct flow *f, struct hand *hand)
{
    ssize_t n;
    while ((n = skt_recv_pipe(f->from->sock, hand->pipe[1], at_once(f, RELAY_PIPE))) < 0) {
        if (errno == EINVAL) {
            f->unspliceable = true;
            stop_splicing(f, hand, true);
            return copy_piece(f, hand);
        }
        if (!goes_on(f, f->from->sock))
            return fail(f, f->from_name);
    }
    bool sent = send_pipe(f, hand, (size_t)n) == 0;
    if (!sent || n < FEW || f->unspliceable)
        stop_splicing(f, hand, sent);
    return sent ? n : -1;
}

/* Goes over to splicing or, where that cannot be, to a larger buffer. */
static void adapt(struct flow *f, struct hand *hand)
{
    if (f->spliced || f->full < OFTEN)
        return;
    f->full = 0;
    if (!f->unspliceable && !f->from->messages && !f->to->messages && relay_take_pipe(hand->pipe)) {
        f->spliced = true;
        return;
    }
    char *larger = hand->large ? NULL : relay_take_buffer(true);
    if (!larger)
        return;
    relay_give_buffer(hand->buf, false);
    hand->buf = larger;
    hand->large = true;
}

/* All of a direction; whether it came to its end. */
static bool carry_all(struct flow *f)
{
    struct hand hand = { .large = f->from->messages };
    ssize_t n = -1;
    if (!(hand.buf = relay_take_buffer(hand.large))) {
        link_fail(f->link, "no memory is left");
        return false;
    }
    do {
        adapt(f, &hand);
        n = f->spliced ? splice_piece(f, &hand) : copy_piece(f, &hand);
        if (n > 0)
            flow_pace(f, (size_t)n);
    } while (n > 0);
    stop_splicing(f, &hand, true);
    relay_give_buffer(hand.buf, hand.large);
    return n == 0;
}

/* ---- The end of a direction ---- */

/* Who has ended his data may have gone, and the other side be waiting for his next word for ever. */
static void watch(struct flow *f)
{
    if (skt_sleep(PROBE_AFTER) < 0)
        return;
    struct pollfd gone = { .fd = skt_fileno(f->from->sock), .events = 0 };
    cmd_tcp_keep_alive(f->from->sock, PROBE_AFTER, PROBE_AFTER);
    if (skt_poll(&gone, 1, SKT_NO_TIMEOUT) <= 0)
        return;
    link_fail(f->link, "%s: is gone", f->from_name);
    f->link->broken = true;
}

/* Datagrams have no end: after the stream's, answers are waited for until it is silent. */
static void fade(struct link *link)
{
    double left;
    while ((left = link->active + FADE - cmd_now()) > 0)
        if (skt_sleep(left) < 0)
            return;
}

void flow_carry(struct flow *f)
{
    struct flow *other = f == &f->link->up ? &f->link->down : &f->link->up;
    bool ok = carry_all(f);
    f->ended = true;
    if (ok && !other->ended && !f->to->endless) /* or else it is closed now */
        skt_shutdown(f->to->sock, SHUT_WR);     /* fails only where that side is gone, which others will find */
    if (ok && !other->ended) {
        if (f->to->endless)
            fade(f->link);
        else
            watch(f);
    }
    if (!ok || other->ended || f->to->endless || f->link->broken)
        skt_group_cancel(f->link->flows);
}
