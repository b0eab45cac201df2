/* nc_talk.c - netcat's conversation: one loop for both directions, which never waits for one while the other could
 * go on.
 *
 *   standard input  --> to_net    --> the peer
 *   standard output <-- to_output <-- the peer
 *
 * It ends as nc.openbsd's does (skt.1 tells); who wants other rules takes skt connect. */
#include "clock.h"
#include "nc.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ROOM 262144        /* also for the largest datagram */
#define LARGEST_OURS 16384 /* what an input without ends is cut into, for datagrams */

struct queue {
    char data[ROOM];
    size_t start, len;
};

struct talk {
    const struct nc *nc;
    skt *s;
    bool datagrams;
    bool input, net_out; /* may still bring something, or take it */
    bool net_in;
    bool shut; /* our end has been told */
    bool failed, hopeless;
    int received;        /* for -W */
    double active, hold; /* when something last moved; when the next line may go (-i) */
    enum nc_telnet telnet;
    char last; /* for -C */
    struct queue to_net, to_output;
};

enum { INPUT, NET, OUTPUT, PLACES };

/* ---- Queues ---- */

/* Where the next bytes go, and in *room how many may. */
static char *queue_end(struct queue *q, size_t *room)
{
    if (q->start > 0) {
        memmove(q->data, q->data + q->start, q->len);
        q->start = 0;
    }
    *room = ROOM - q->len;
    return q->data + q->len;
}

static void queue_took(struct queue *q, size_t n)
{
    q->start += n;
    q->len -= n;
    if (q->len == 0)
        q->start = 0;
}

/* ---- Standard input to the peer ---- */

static void give_up(struct talk *t, const char *who)
{
    cmd_say("%s: %s", who, strerror(errno));
    t->failed = t->hopeless = true;
}

/* Into an empty queue: so that each piece is a datagram, and -C has room. */
static void read_input(struct talk *t)
{
    static char raw[ROOM / 2];
    ssize_t n = read(STDIN_FILENO, t->nc->crlf ? raw : t->to_net.data, t->datagrams ? LARGEST_OURS : sizeof raw);
    if (n == 0)
        t->input = false;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        give_up(t, "standard input");
    else if (n > 0)
        t->to_net.len = t->nc->crlf ? nc_crlf(t->to_net.data, raw, (size_t)n, &t->last) : (size_t)n;
}

/* The peer takes nothing more. */
static void lose_net_out(struct talk *t)
{
    t->net_out = t->input = false;
    t->to_net.start = t->to_net.len = 0;
}

/* A reset is an end like any other, unless -v wants to know; other failures are failures. */
static void lose_peer(struct talk *t)
{
    bool reset = errno == ECONNRESET || errno == EPIPE;
    if (!reset || t->nc->verbose)
        cmd_say("%s", skt_strerror());
    t->failed |= !reset && !t->nc->keep; /* the next client is not to suffer */
    t->net_in = false;
    lose_net_out(t);
}

static void send_some(struct talk *t)
{
    struct queue *q = &t->to_net;
    size_t len = q->len;
    const char *line = t->nc->interval > 0 ? memchr(q->data + q->start, '\n', len) : NULL;
    if (line)
        len = (size_t)(line + 1 - (q->data + q->start));
    ssize_t n = skt_send(t->s, q->data + q->start, len, MSG_DONTWAIT);
    if (n >= 0) {
        queue_took(q, (size_t)n);
        t->hold = cmd_now() + t->nc->interval;
    } else if (errno == EPIPE) {
        lose_net_out(t); /* what it has sent is still to be taken */
    } else if (errno != EAGAIN) {
        lose_peer(t);
    }
}

/* All has been sent: the peer is told, if it is to be. */
static void tell_end(struct talk *t)
{
    if (t->input || t->to_net.len > 0 || t->shut)
        return;
    t->shut = true;
    if (t->nc->shut && !t->nc->detached && !t->datagrams && t->net_out)
        skt_shutdown(t->s, SHUT_WR); /* fails only where the peer is gone, which recv tells */
}

/* ---- The peer to standard output ---- */

/* How much may be received: its telnet requests make answers. */
static size_t room_to_receive(struct talk *t)
{
    size_t room, answers;
    queue_end(&t->to_output, &room);
    if (t->datagrams)
        return t->to_output.len == 0 ? room : 0;
    if (!t->nc->telnet)
        return room;
    queue_end(&t->to_net, &answers);
    return room < answers / 3 ? room : answers / 3;
}

static void answer_telnet(struct talk *t, const char *data, size_t n)
{
    size_t room;
    char *end = queue_end(&t->to_net, &room);
    size_t len = nc_telnet((unsigned char *)end, (const unsigned char *)data, n, &t->telnet);
    if (t->net_out && !(t->shut && t->nc->shut))
        t->to_net.len += len;
}

static void receive_some(struct talk *t)
{
    size_t room, most = room_to_receive(t);
    char *end = queue_end(&t->to_output, &room);
    ssize_t n = skt_recv(t->s, end, most, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        lose_peer(t);
    if (n == 0 && !t->datagrams)
        t->net_in = false;
    if (n < 0 || (n == 0 && !t->datagrams))
        return;
    t->to_output.len += (size_t)n;
    if (t->nc->telnet && !t->datagrams)
        answer_telnet(t, end, (size_t)n);
    if (t->nc->limit && ++t->received == t->nc->limit)
        t->net_in = false;
}

static void write_some(struct talk *t)
{
    struct queue *q = &t->to_output;
    ssize_t n = nc_write(q->data + q->start, q->len);
    if (n >= 0)
        queue_took(q, (size_t)n);
    else if (errno != EINTR && errno != EAGAIN)
        give_up(t, "standard output");
}

/* ---- The end ---- */

static bool is_ready(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    return skt_poll(&one, 1, 0) > 0;
}

/* A server goes when its client has, but not before what stands in standard input is sent. */
static bool is_over(const struct talk *t)
{
    const struct nc *nc = t->nc;
    bool limit = nc->limit && t->received == nc->limit;
    bool received = !t->net_in && t->to_output.len == 0;
    bool sent = !t->input && t->to_net.len == 0;
    if (t->hopeless)
        return true;
    if (received && (sent || limit))
        return true;
    if (t->datagrams && nc->quit == 0 && sent && t->to_output.len == 0)
        return true;
    return nc->listen && received && t->to_net.len == 0 && !is_ready(STDIN_FILENO);
}

/* How long silence may last, or SKT_NO_TIMEOUT. */
static double patience(const struct talk *t)
{
    bool ended = !t->input && t->to_net.len == 0;
    if (ended && t->nc->quit > 0 && !(t->nc->wait >= 0 && t->nc->wait < t->nc->quit))
        return t->nc->quit;
    return t->nc->wait;
}

/* ---- The loop ---- */

static bool may_send(const struct talk *t)
{
    return t->net_out && t->to_net.len > 0 && cmd_now() >= t->hold;
}

/* What to wait for, at each place. */
static void look_at(struct talk *t, struct pollfd places[static PLACES])
{
    bool receive = t->net_in && room_to_receive(t) > 0, send = may_send(t);
    bool watch = receive || send || (!t->net_in && t->net_out); /* for its going, which cannot be looked away from */
    short events = (short)((receive ? POLLIN : 0) | (send ? POLLOUT : 0));
    places[INPUT] = (struct pollfd){ t->input && t->to_net.len == 0 ? STDIN_FILENO : -1, POLLIN, 0 };
    places[NET] = (struct pollfd){ watch ? skt_fileno(t->s) : -1, events, 0 };
    places[OUTPUT] = (struct pollfd){ t->to_output.len > 0 ? STDOUT_FILENO : -1, POLLOUT, 0 };
}

/* Waits; false: the silence has lasted too long. */
static bool wait_for(struct talk *t, struct pollfd places[static PLACES])
{
    double silence = patience(t), at = cmd_now(), left = silence < 0 ? SKT_NO_TIMEOUT : t->active + silence - at;
    bool held = t->net_out && t->to_net.len > 0 && at < t->hold;
    bool until_hold = held && (silence < 0 || t->hold - at < left);
    if (silence >= 0 && left < 0)
        left = 0;
    int n = skt_poll(places, PLACES, until_hold ? t->hold - at : left);
    if (n > 0)
        t->active = cmd_now();
    return n > 0 || until_hold || (n < 0 && errno == EINTR);
}

static void move(struct talk *t, const struct pollfd places[static PLACES])
{
    short net = places[NET].revents;
    if (places[OUTPUT].revents)
        write_some(t);
    if (net && t->net_in && room_to_receive(t) > 0)
        receive_some(t);
    else if (net & (POLLHUP | POLLERR) && !t->net_in)
        lose_net_out(t);
    if (net && may_send(t))
        send_some(t);
    if (places[INPUT].revents && t->input && t->to_net.len == 0)
        read_input(t);
}

int nc_talk(const struct nc *nc, skt *s, bool connected)
{
    static struct talk talk; /* too large for the stack */
    struct talk *t = &talk;
    struct pollfd places[PLACES];
    memset(t, 0, offsetof(struct talk, to_net));
    t->to_net.start = t->to_net.len = t->to_output.start = t->to_output.len = 0;
    t->nc = nc;
    t->s = s;
    t->datagrams = skt_type(s) == SOCK_DGRAM;
    t->net_in = true;
    t->net_out = connected;
    t->input = connected && !nc->detached;
    t->active = cmd_now();
    for (;;) {
        tell_end(t);
        if (is_over(t))
            break;
        look_at(t, places);
        if (!wait_for(t, places))
            break;
        move(t, places);
    }
    return t->failed ? STATUS_FAILED : STATUS_OK;
}
