/* measure_count.c - what the threads have counted, put together at the end of each interval.
 *
 * The intervals' latencies are kept only until the last thread has delivered its own: then the percentiles that
 * the line and the picture need are taken, and the rest is in the whole. */
#include "clock.h"
#include "measure.h"
#include "tcp.h"
#include <stdlib.h>

enum { ASKED = 64 }; /* connections of a thread that are asked for TCP_INFO after each interval */

/* ---- TCP_INFO ---- */

static void ask_one(skt *s, struct measure_tcp *sum)
{
    struct tcp_info info;
    if (!cmd_tcp_info(s, &info))
        return;
    sum->connections++;
    sum->rtt += info.tcpi_rtt / 1e6;
    sum->cwnd += info.tcpi_snd_cwnd;
    sum->retransmits += info.tcpi_total_retrans;
}

/* Sums, of which means are made when all threads have delivered. */
static void ask(const struct measure_thread *t, int most, struct measure_tcp *sum)
{
    for (int i = 0; i < t->n && i < most; i++)
        if (t->connections[i].s)
            ask_one(t->connections[i].s, sum);
}

static void add_tcp(struct measure_tcp *sum, const struct measure_tcp *other)
{
    sum->connections += other->connections;
    sum->rtt += other->rtt;
    sum->cwnd += other->cwnd;
    sum->retransmits += other->retransmits;
}

static void make_means(struct measure_tcp *sum)
{
    if (sum->connections == 0)
        return;
    sum->rtt /= sum->connections;
    sum->cwnd /= sum->connections;
}

/* ---- Adding up ---- */

static void add_counts(struct measure_counts *sum, const struct measure_counts *other)
{
    sum->requests += other->requests;
    sum->in += other->in;
    sum->out += other->out;
    sum->unanswered += other->unanswered;
    sum->unsent += other->unsent;
    sum->refused += other->refused;
    sum->reconnects += other->reconnects;
    sum->sent += other->sent;
    sum->received += other->received;
    sum->reordered += other->reordered;
    sum->duplicates += other->duplicates;
    sum->delivered += other->delivered;
}

static void clear(struct cmd_histogram *h)
{
    *h = (struct cmd_histogram){ 0 };
}

/* A new one is all zeros.  NULL: no memory. */
static struct measure_interval *interval(struct measure_result *r, size_t k)
{
    if (k >= r->room) {
        size_t room = k < 16 ? 16 : 2 * k;
        struct measure_interval *more = realloc(r->intervals, room * sizeof *more);
        if (!more)
            return NULL;
        r->intervals = more;
        r->room = room;
    }
    for (; r->n <= k; r->n++)
        r->intervals[r->n] = (struct measure_interval){ 0 };
    struct measure_interval *i = &r->intervals[k];
    if (!i->latencies && i->arrived == 0)
        i->latencies = calloc(1, sizeof *i->latencies);
    return i;
}

static void complete(const struct measure_plan *plan, struct measure_result *r, size_t k)
{
    struct measure_interval *i = &r->intervals[k];
    int64_t now = cmd_now_ns(), end = measure_end(plan), ended = __atomic_load_n(&r->ended, __ATOMIC_RELAXED);
    if (ended && ended < now)
        now = ended;
    double seconds = (double)((now < end ? now : end) - plan->begin) / 1e9, begin = (double)k * plan->settings->every;
    double full = begin + plan->settings->every;
    i->end = seconds < full ? seconds : full;
    i->seconds = i->end - begin;
    r->seconds = i->end;
    if (i->latencies) {
        i->median = cmd_histogram_percentile(i->latencies, 50);
        i->p99 = cmd_histogram_percentile(i->latencies, 99);
        i->max = i->latencies->count ? i->latencies->max : 0;
    }
    free(i->latencies);
    i->latencies = NULL;
    make_means(&i->tcp);
    measure_report_interval(plan, i);
}

static void add_latencies(struct measure_thread *t)
{
    cmd_histogram_merge(&t->result->latencies, &t->latencies);
    cmd_histogram_merge(&t->result->services, &t->services);
}

static void add_to_interval(const struct measure_thread *t, const struct measure_tcp *tcp, struct measure_interval *i)
{
    add_counts(&i->counts, &t->counts);
    add_tcp(&i->tcp, tcp);
    if (i->latencies)
        cmd_histogram_merge(i->latencies, &t->latencies);
}

static void begin_anew(struct measure_thread *t)
{
    t->counts = (struct measure_counts){ 0 };
    if (t->latencies.count)
        clear(&t->latencies);
    if (t->services.count)
        clear(&t->services);
}

void measure_deliver(struct measure_thread *t, size_t k)
{
    struct measure_result *r = t->result;
    struct measure_tcp tcp = { 0 };
    ask(t, ASKED, &tcp);
    pthread_mutex_lock(&r->lock);
    struct measure_interval *i = interval(r, k);
    add_counts(&r->counts, &t->counts);
    add_latencies(t);
    if (i) {
        add_to_interval(t, &tcp, i);
        if (++i->arrived == r->threads)
            complete(t->plan, r, k);
    }
    pthread_mutex_unlock(&r->lock);
    begin_anew(t);
}

/* What has become of the datagrams. */
static void add_flow(struct measure_result *r, const struct measure_connection *c)
{
    const struct flow *f = &c->flow;
    r->late.sent += c->sequence;
    if (c->plan->kind->bulk && !c->reported)
        return;
    r->reporting++;
    r->late.received += f->received - f->duplicates;
    r->late.reordered += f->reordered;
    r->late.duplicates += f->duplicates;
    r->late.delivered += f->bytes;
    r->jitter += f->jitter;
}

void measure_deliver_rest(struct measure_thread *t)
{
    struct measure_result *r = t->result;
    struct measure_tcp tcp = { 0 };
    ask(t, t->n, &tcp);
    pthread_mutex_lock(&r->lock);
    add_counts(&r->late, &t->counts);
    add_latencies(t);
    add_tcp(&r->tcp, &tcp);
    for (int i = 0; i < t->n && t->plan->kind->datagrams; i++)
        add_flow(r, &t->connections[i]);
    pthread_mutex_unlock(&r->lock);
}

void measure_complete(const struct measure_plan *plan, struct measure_result *r)
{
    for (size_t k = 0; k < r->n; k++)
        if (r->intervals[k].arrived < r->threads)
            complete(plan, r, k);
    make_means(&r->tcp);
    if (r->reporting)
        r->jitter /= r->reporting;
}
