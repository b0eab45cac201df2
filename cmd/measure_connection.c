/* measure_connection.c - what all kinds of connections of skt measure do: begin, wait for their turn, count, fail. */
#include "clock.h"
#include "measure.h"
#include "tcp.h"
#include <errno.h>
#include <stdarg.h>

int64_t measure_end(const struct measure_plan *plan)
{
    return __atomic_load_n(&plan->end, __ATOMIC_RELAXED);
}

int measure_open(struct measure_connection *c)
{
    int status = 0;
    if (c->index == 0 && c->plan->opened) {
        c->s = c->plan->opened;
        c->thread->plan->opened = NULL;
    } else {
        status = cmd_try_dial(&c->plan->address, c->plan->settings, &c->s);
    }
    if (status == 0)
        cmd_tcp_no_delay(c->s, c->plan->settings);
    return status;
}

int64_t measure_due(const struct measure_connection *c, uint64_t k)
{
    double share = (double)c->index / c->plan->settings->connections;
    return c->plan->begin + (int64_t)(((double)k + share) * c->plan->period);
}

int64_t measure_wait(const struct measure_connection *c, int64_t due)
{
    int64_t now = cmd_now_ns(), end = measure_end(c->plan), until = due < end ? due : end;
    if (until <= now)
        return now;
    skt_sleep((double)(until - now) / 1e9);
    return cmd_now_ns();
}

void measure_answered(struct measure_connection *c, int64_t due, int64_t sent, int64_t now)
{
    cmd_histogram_add(&c->thread->latencies, now - due);
    if (c->plan->period > 0)
        cmd_histogram_add(&c->thread->services, now - sent);
    c->thread->counts.requests++;
    c->answered++;
}

/* The first is the one that is told of. */
static void keep_trouble(struct measure_connection *c, const char *text)
{
    struct measure_result *r = c->thread->result;
    if (c->failed)
        return;
    c->failed = true;
    pthread_mutex_lock(&r->lock);
    if (r->failed++ == 0)
        snprintf(r->trouble, sizeof r->trouble, "%s", text);
    pthread_mutex_unlock(&r->lock);
}

void measure_fail(struct measure_connection *c, const char *format, ...)
{
    char text[sizeof c->thread->result->trouble];
    size_t n = (size_t)snprintf(text, sizeof text, "%s: ", c->plan->text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, sizeof text - n, format, args);
    va_end(args);
    keep_trouble(c, text);
}

void measure_fail_call(struct measure_connection *c)
{
    if (errno != ECANCELED || cmd_now_ns() < measure_end(c->plan))
        keep_trouble(c, skt_strerror());
}

int measure_beside(struct measure_connection *c, void (*fn)(void *connection))
{
    if (skt_group_go(c->thread->group, fn, c) == 0)
        return 0;
    measure_fail_call(c);
    return -1;
}
