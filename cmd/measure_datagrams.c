/* measure_datagrams.c - load by datagrams, which may be lost, overtake each other and come twice: each has its number
 * and the time when it was sent in it (flow.h), so that this can be counted.
 *
 * In bulk they go in batches, of which the library makes few system calls (UDP_SEGMENT, UDP_GRO).  What has come of
 * them up only the server knows: skt discard is asked for it at the end.  (There is no bulk down: a server that sends
 * much to who sends little could be turned against anybody, since a datagram's source can be forged.) */
#include "clock.h"
#include "measure.h"
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, BATCH_BYTES = 1 << 20, RECEIVE_BATCH = 4 * SKT_GRO_MAX, RECEIVE_BYTES = 4 * 65536, ASKS = 10 };
#define LOST 1.0 /* seconds without an answer, if --timeout says nothing */
#define LOOK 0.1 /* seconds between looks whether more may come */

static bool is_over(const struct measure_connection *c)
{
    return c->failed || cmd_now_ns() >= measure_end(c->plan);
}

/* ---- One datagram ---- */

static int send_one(struct measure_connection *c, int64_t at)
{
    struct flow_header header = { FLOW_DATA, c->run, c->sequence, at };
    cmd_flow_write(c->request, &header);
    if (skt_send(c->s, c->request, c->plan->size, 0) < 0) {
        measure_fail_call(c);
        return -1;
    }
    c->sequence++;
    c->thread->counts.out += c->plan->size;
    return 0;
}

/* Counts an echo: 1 if it is one of ours, 0 if it is left from an earlier measurement, or -1, having failed. */
static int take_echo(struct measure_connection *c, const char *text, size_t len, int64_t now,
                     struct flow_header *header)
{
    if (!cmd_flow_read(text, len, header) || len != c->plan->size ||
        memcmp(text + FLOW_HEADER, c->plan->request + FLOW_HEADER, len - FLOW_HEADER) != 0) {
        measure_fail(c, "the server's answer is not what was sent; is it no echo server?");
        return -1;
    }
    if (header->run != c->run || header->kind != FLOW_DATA)
        return 0;
    c->thread->counts.in += len;
    cmd_flow_add(&c->flow, header, len, now);
    return 1;
}

/* As take_echo; and 0 also if nothing has come in time. */
static int receive_one(struct measure_connection *c, struct flow_header *header, int64_t *now)
{
    ssize_t n = skt_recv(c->s, c->buffer, c->plan->size + 1, 0);
    *now = cmd_now_ns();
    if (n >= 0)
        return take_echo(c, c->buffer, (size_t)n, *now, header);
    if (skt_timed_out())
        return 0;
    measure_fail_call(c);
    return -1;
}

/* ---- A closed loop: one under way ---- */

/* 1, 0 if it is lost, or -1, having failed. */
static int await_echo(struct measure_connection *c, int64_t sent, double patience, int64_t *now)
{
    struct flow_header header;
    do {
        int result = receive_one(c, &header, now);
        if (result < 0)
            return -1;
        if (result > 0 && header.sequence == c->sequence - 1)
            return 1;
    } while ((double)(*now - sent) / 1e9 < patience);
    return 0;
}

static void work_closed(struct measure_connection *c, double patience)
{
    int64_t now = cmd_now_ns();
    skt_settimeout(c->s, patience);
    while (now < measure_end(c->plan)) {
        int64_t sent = now;
        int result = send_one(c, sent) < 0 ? -1 : await_echo(c, sent, patience, &now);
        if (result < 0)
            return;
        if (result > 0)
            measure_answered(c, sent, sent, now);
    }
}

/* ---- With a pace: sent at their times, whatever comes back ---- */

static bool all_here(const struct measure_connection *c)
{
    return c->flow.received - c->flow.duplicates >= c->sequence;
}

static void receive_beside(void *arg)
{
    struct measure_connection *c = arg;
    struct flow_header header;
    int64_t now;
    while (!c->failed && !(is_over(c) && all_here(c))) {
        int result = receive_one(c, &header, &now);
        if (result < 0)
            return;
        if (result > 0)
            measure_answered(c, header.sent_at, header.sent_at, now);
    }
}

/* Its receiver may go on; the connection is at work until both have ended. */
static void work_paced(struct measure_connection *c)
{
    int64_t due;
    uint64_t k = 0;
    skt_settimeout(c->s, LOOK);
    if (measure_beside(c, receive_beside) < 0)
        return;
    for (; (due = measure_due(c, k)) < measure_end(c->plan); k++) {
        if (measure_wait(c, due) >= measure_end(c->plan))
            break;
        if (c->failed || send_one(c, due) < 0)
            return;
    }
    for (; measure_due(c, k) < measure_end(c->plan); k++)
        c->thread->counts.unsent++;
}

static void new_run(struct measure_connection *c)
{
    c->run = (uint64_t)c->plan->begin * 0x9e3779b97f4a7c15 + (uint64_t)c->index;
}

static void work(struct measure_connection *c)
{
    double timeout = c->plan->settings->timeout;
    new_run(c);
    if (c->plan->period > 0)
        work_paced(c);
    else
        work_closed(c, timeout > 0 ? timeout : LOST);
}

/* ---- Bulk ---- */

/* Datagrams, one behind the other in memory. */
struct outgoing {
    size_t n;
    skt_datagram datagrams[BATCH];
    char bytes[];
};

static struct outgoing *new_outgoing(const struct measure_plan *plan)
{
    size_t n = BATCH_BYTES / plan->size;
    n = n < 1 ? 1 : n > BATCH ? BATCH : n;
    struct outgoing *o = malloc(sizeof *o + n * plan->size);
    if (!o)
        return NULL;
    o->n = n;
    for (size_t i = 0; i < n; i++) {
        o->datagrams[i] = (skt_datagram){ o->bytes + i * plan->size, plan->size, NULL, 0 };
        memcpy(o->datagrams[i].data, plan->request, plan->size);
    }
    return o;
}

/* With a pace, how many are due; waits for the first.  0: the time is over. */
static size_t await_turn(const struct measure_connection *c, size_t most)
{
    size_t n = 0;
    if (c->plan->period <= 0)
        return most;
    int64_t now = measure_wait(c, measure_due(c, c->sequence));
    int64_t end = measure_end(c->plan);
    for (int64_t due; n < most && (due = measure_due(c, c->sequence + n)) <= now && due < end;)
        n++;
    return n;
}

static int send_batch(struct measure_connection *c, struct outgoing *o)
{
    size_t n = await_turn(c, o->n);
    struct flow_header header = { FLOW_DATA, c->run, c->sequence, cmd_now_ns() };
    for (size_t i = 0; i < n; i++, header.sequence++)
        cmd_flow_write(o->datagrams[i].data, &header);
    ssize_t sent = n > 0 ? skt_sendmmsg(c->s, o->datagrams, n, 0) : 0;
    if (sent < 0) {
        measure_fail_call(c);
        return -1;
    }
    c->sequence += (size_t)sent;
    c->thread->counts.out += (size_t)sent * c->plan->size;
    c->thread->counts.requests += (size_t)sent;
    return 0;
}

static void send_batches(struct measure_connection *c)
{
    struct outgoing *o = new_outgoing(c->plan);
    if (!o)
        measure_fail(c, "there is no memory for a batch of datagrams");
    while (o && !is_over(c) && send_batch(c, o) == 0)
        skt_yield();
    free(o);
}

/* What the server says that has come.  The question may be lost, and the answer. */
static void ask_for_report(struct measure_connection *c)
{
    char question[FLOW_REPORT_SIZE] = { 0 }, answer[FLOW_REPORT_SIZE + 1];
    struct flow_header header = { .kind = FLOW_ASK, .run = c->run };
    cmd_flow_write(question, &header);
    skt_settimeout(c->s, LOOK);
    for (int i = 0; i < ASKS && !c->reported; i++) {
        ssize_t n = skt_send(c->s, question, sizeof question, 0) < 0 ? -1 : skt_recv(c->s, answer, sizeof answer, 0);
        if (n == FLOW_REPORT_SIZE && cmd_flow_read(answer, (size_t)n, &header) && header.kind == FLOW_REPORT &&
            header.run == c->run) {
            cmd_flow_read_report(answer, &c->flow);
            c->reported = true;
        } else if (n < 0 && !skt_timed_out()) {
            measure_fail_call(c);
            return;
        }
    }
}

static void work_up(struct measure_connection *c)
{
    new_run(c);
    send_batches(c);
    if (!c->failed)
        ask_for_report(c);
}

/* ---- Bulk through an echo server ---- */

struct incoming {
    skt_datagram datagrams[RECEIVE_BATCH];
    char bytes[RECEIVE_BYTES];
};

static int receive_batch(struct measure_connection *c, struct incoming *in)
{
    struct flow_header header;
    ssize_t n = skt_recvmmsg(c->s, in->datagrams, RECEIVE_BATCH, in->bytes, sizeof in->bytes, 0);
    int64_t now = cmd_now_ns();
    if (n < 0 && !skt_timed_out()) {
        measure_fail_call(c);
        return -1;
    }
    for (ssize_t i = 0; i < n; i++)
        if (take_echo(c, in->datagrams[i].data, in->datagrams[i].len, now, &header) < 0)
            return -1;
    return 0;
}

static void receive_batches(void *arg)
{
    struct measure_connection *c = arg;
    struct incoming *in = calloc(1, sizeof *in);
    if (!in)
        measure_fail(c, "there is no memory for a batch of datagrams");
    while (in && !c->failed && !(is_over(c) && all_here(c)) && receive_batch(c, in) == 0)
        ;
    free(in);
}

static void work_both(struct measure_connection *c)
{
    new_run(c);
    c->reported = true;
    skt_settimeout(c->s, LOOK);
    skt_setsockopt_int(c->s, SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES * 16);
    if (skt_family(c->s) != AF_UNIX)
        skt_setsockopt_int(c->s, SOL_UDP, UDP_GRO, 1);
    if (measure_beside(c, receive_batches) == 0)
        send_batches(c);
}

const struct measure_kind measure_datagrams = { .name = "datagrams", .datagrams = true, .work = work };
const struct measure_kind measure_datagrams_up = {
    .name = "datagrams up", .bulk = true, .datagrams = true, .work = work_up
};
const struct measure_kind measure_datagrams_both = {
    .name = "datagrams both", .bulk = true, .datagrams = true, .work = work_both
};
