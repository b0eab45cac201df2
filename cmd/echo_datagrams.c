/* echo_datagrams.c - echo, discard and chargen of datagrams: as many in a system call as there are, by skt_recvmmsg
 * and skt_sendmmsg.
 *
 * A sender who cannot be answered loses his answer, and nobody else his: nothing here waits for a peer. */
#include "clock.h"
#include "cmd.h"
#include "echo.h"
#include "flow.h"
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 8 * SKT_GRO_MAX,   /* datagrams in a batch: what skt_recvmmsg takes at most with UDP_GRO */
    SLOT = 65536,             /* the longest that there is */
    SLOTS = 64,               /* without UDP_GRO: a slot for each */
    RECEIVE_BUFFER = 4 << 20, /* of the socket: the kernel gives what it allows */
};

struct batch {
    skt *s;
    char *buffer;
    size_t n, most;
    skt_datagram datagrams[MOST];
    skt_addr addrs[MOST];
    skt_datagram answers[MOST];
};

static struct batch *new_batch(skt *s)
{
    struct batch *b = calloc(1, sizeof *b);
    char *buffer = malloc((size_t)SLOT * SLOTS);
    if (!b || !buffer) {
        free(b);
        free(buffer);
        return NULL;
    }
    b->s = s;
    b->buffer = buffer;
    skt_setsockopt_int(s, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    b->most = skt_family(s) != AF_UNIX && skt_setsockopt_int(s, SOL_UDP, UDP_GRO, 1) == 0 ? MOST : SLOTS;
    for (size_t i = 0; i < MOST; i++)
        b->datagrams[i].addr = &b->addrs[i];
    return b;
}

/* What is said when no more can be taken. */
static int finish(struct batch *b)
{
    if (!b) {
        cmd_say("there is no memory for datagrams");
        return STATUS_FAILED;
    }
    int status = cmd_fail();
    free(b->buffer);
    free(b);
    return status;
}

/* An ICMP error that came for an answer is nobody's concern (ECONNREFUSED and its like). */
static bool take(struct batch *b)
{
    ssize_t n;
    do
        n = skt_recvmmsg(b->s, b->datagrams, b->most, b->buffer, (size_t)SLOT * SLOTS, 0);
    while (n < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH));
    b->n = n > 0 ? (size_t)n : 0;
    return n >= 0;
}

/* Who cannot be answered is passed over.  UDP waits for room in our own buffer only; AF_UNIX would wait for the
 * peer's. */
static void answer(struct batch *b, size_t n)
{
    int flags = skt_family(b->s) == AF_UNIX ? MSG_DONTWAIT : 0;
    for (size_t at = 0; at < n;) {
        ssize_t sent = skt_sendmmsg(b->s, b->answers + at, n - at, flags);
        at += sent > 0 ? (size_t)sent : 1;
    }
}

static bool has_sender(const skt_datagram *d)
{
    return d->addr->family != AF_UNSPEC && skt_addr_sockaddr(d->addr, NULL); /* an AF_UNIX client may have no name */
}

/* ---- echo ---- */

int cmd_echo_datagrams(skt *s)
{
    struct batch *b = new_batch(s);
    while (b && take(b)) {
        size_t n = 0;
        for (size_t i = 0; i < b->n; i++)
            if (has_sender(&b->datagrams[i]))
                b->answers[n++] = b->datagrams[i];
        answer(b, n);
    }
    return finish(b);
}

/* ---- chargen ---- */

enum { FIRST = ' ', CHARACTERS = 95, LINE = 72, LINE_END = 2, ROUND = CHARACTERS * (LINE + LINE_END) };

size_t cmd_chargen_fill(char *buf, size_t len)
{
    size_t n = len >= ROUND ? len / ROUND * ROUND : len;
    for (size_t i = 0; i < n; i++) {
        size_t line = i / (LINE + LINE_END), column = i % (LINE + LINE_END);
        buf[i] = column < LINE ? (char)(FIRST + (line + column) % CHARACTERS) : "\r\n"[column - LINE];
    }
    return n;
}

/* RFC 864 wants a random length up to 512; not more than came, so that nobody can be flooded through us. */
int cmd_chargen_datagrams(skt *s)
{
    static char pattern[SLOT];
    struct batch *b = new_batch(s);
    cmd_chargen_fill(pattern, 512);
    while (b && take(b)) {
        size_t n = 0;
        for (size_t i = 0; i < b->n; i++)
            if (has_sender(&b->datagrams[i])) {
                size_t len = b->datagrams[i].len;
                b->answers[n++] = (skt_datagram){ pattern, len < 512 ? len : 512, b->datagrams[i].addr, 0 };
            }
        answer(b, n);
    }
    return finish(b);
}

/* ---- discard ---- */

enum { FLOWS = 256 }; /* that are kept; the one that has been silent for longest makes room */

struct kept {
    skt_addr from;
    uint64_t run;
    struct flow flow;
};

struct discarding {
    struct batch *batch;
    struct kept kept[FLOWS], *last;
    char (*reports)[FLOW_REPORT_SIZE];
    size_t answers;
};

static bool is(const struct kept *k, const skt_addr *from, uint64_t run)
{
    return k->run == run && skt_addr_equal(&k->from, from);
}

/* The flow of this run from there; a new one is made for data only. */
static struct kept *find(struct discarding *d, const skt_addr *from, const struct flow_header *header)
{
    struct kept *oldest = d->kept;
    if (d->last && is(d->last, from, header->run))
        return d->last;
    for (struct kept *k = d->kept; k < d->kept + FLOWS; k++) {
        if (k->flow.received && is(k, from, header->run))
            return d->last = k;
        if (k->flow.last_at < oldest->flow.last_at)
            oldest = k;
    }
    if (header->kind != FLOW_DATA)
        return NULL;
    *oldest = (struct kept){ .from = *from, .run = header->run };
    return d->last = oldest;
}

static void report(struct discarding *d, const struct kept *k, uint64_t run, skt_addr *to)
{
    static const struct flow nothing;
    char *text = d->reports[d->answers];
    cmd_flow_write_report(text, run, k ? &k->flow : &nothing);
    d->batch->answers[d->answers++] = (skt_datagram){ text, FLOW_REPORT_SIZE, to, 0 };
}

static void look_at(struct discarding *d, const skt_datagram *datagram, int64_t now)
{
    struct flow_header header;
    if (!cmd_flow_read(datagram->data, datagram->len, &header) || header.kind == FLOW_REPORT || !has_sender(datagram))
        return;
    struct kept *k = find(d, datagram->addr, &header);
    if (header.kind == FLOW_ASK)
        report(d, k, header.run, datagram->addr);
    else
        cmd_flow_add(&k->flow, &header, datagram->len, now);
}

static void discard(struct discarding *d)
{
    while (take(d->batch)) {
        int64_t now = cmd_now_ns();
        d->answers = 0;
        for (size_t i = 0; i < d->batch->n; i++)
            look_at(d, &d->batch->datagrams[i], now);
        answer(d->batch, d->answers);
    }
}

int cmd_discard_datagrams(skt *s)
{
    struct discarding *d = calloc(1, sizeof *d);
    char(*reports)[FLOW_REPORT_SIZE] = calloc(MOST, sizeof *reports);
    struct batch *b = new_batch(s);
    if (d && reports && b) {
        d->batch = b;
        d->reports = reports;
        discard(d);
    }
    int status = finish(d && reports ? b : NULL);
    free(reports);
    free(d);
    return status;
}
