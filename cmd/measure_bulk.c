/* measure_bulk.c - as much as goes through a stream: up (to a server that discards), down (from one that sends, as
 * chargen does) or both at the same time (an echo server). */
#include "clock.h"
#include "measure.h"
#include <errno.h>

/* With a pace pieces have their time, but one that is late is not sent sooner than it can be. */
static void await_turn(const struct measure_connection *c, uint64_t k)
{
    if (c->plan->period > 0)
        measure_wait(c, measure_due(c, k));
}

static void send_pieces(struct measure_connection *c)
{
    for (uint64_t k = 0; cmd_now_ns() < measure_end(c->plan); k++) {
        await_turn(c, k);
        if (cmd_now_ns() >= measure_end(c->plan))
            return;
        ssize_t n = skt_send(c->s, c->request, c->plan->size, 0);
        if (n < 0) {
            measure_fail_call(c);
            return;
        }
        c->thread->counts.out += (size_t)n;
    }
}

/* The end is a failure as long as there is time. */
static void receive_pieces(struct measure_connection *c)
{
    while (cmd_now_ns() < measure_end(c->plan))
        if (measure_recv(c, c->buffer, c->plan->size) < 0)
            return;
}

static void send_beside(void *arg)
{
    send_pieces(arg);
}

static void work_both(struct measure_connection *c)
{
    if (measure_beside(c, send_beside) == 0)
        receive_pieces(c);
}

const struct measure_kind measure_bulk_up = { .name = "bulk up", .bulk = true, .work = send_pieces };
const struct measure_kind measure_bulk_down = { .name = "bulk down", .bulk = true, .work = receive_pieces };
const struct measure_kind measure_bulk_both = { .name = "bulk both", .bulk = true, .work = work_both };
