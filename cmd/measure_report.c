/* measure_report.c - the results of skt measure as text and as JSON: a line for each interval while it runs, and all of
 * it at the end. */
#include "json.h"
#include "measure.h"
#include "terminal.h"
#include "units.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

static const struct {
    double percent;
    const char *name, *json;
} percentiles[] = {
    { 0, "least", "min" },       { 50, "50 %", "p50" },          { 90, "90 %", "p90" },      { 99, "99 %", "p99" },
    { 99.9, "99.9 %", "p99_9" }, { 99.99, "99.99 %", "p99_99" }, { 100, "greatest", "max" },
};

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static double per_second(uint64_t n, double s)
{
    return s > 0 ? (double)n / s : 0;
}

/* ---- Lines while it runs ---- */

void measure_report_begin(const struct measure_plan *plan)
{
    const char *bold = cmd_colour(STDOUT_FILENO, COLOUR_BOLD), *plain = cmd_colour(STDOUT_FILENO, COLOUR_NONE);
    if (plan->settings->json)
        return;
    if (plan->kind->bulk)
        printf("%s%9s %12s %12s", bold, "time", "up", "down");
    else
        printf("%s%9s %12s %12s %9s %9s %9s", bold, "time", "requests/s", "in", "50 %", "99 %", "greatest");
    printf("%s%s\n", plan->kind->datagrams ? "" : "       rtt   cwnd  retransmits", plain);
    fflush(stdout);
}

static void print_tcp(const struct measure_tcp *tcp)
{
    char rtt[CMD_UNITS_TEXT];
    if (tcp->connections)
        printf(" %9s %6.0f %12llu", cmd_time_text(tcp->rtt, rtt), tcp->cwnd, (unsigned long long)tcp->retransmits);
}

static void interval_text(const struct measure_plan *plan, const struct measure_interval *i)
{
    char time[CMD_UNITS_TEXT], in[CMD_UNITS_TEXT], a[CMD_UNITS_TEXT], b[CMD_UNITS_TEXT], c[CMD_UNITS_TEXT];
    printf("%9s", cmd_time_text(i->end, time));
    cmd_rate_text(per_second(i->counts.in, i->seconds), in);
    if (plan->kind->bulk)
        printf(" %12s %12s", cmd_rate_text(per_second(i->counts.out, i->seconds), a), in);
    else
        printf(" %12.0f %12s %9s %9s %9s", per_second(i->counts.requests, i->seconds), in,
               cmd_time_text(seconds(i->median), a), cmd_time_text(seconds(i->p99), b),
               cmd_time_text(seconds(i->max), c));
    print_tcp(&i->tcp);
    putchar('\n');
}

static void tcp_json(struct cmd_json *j, const struct measure_tcp *tcp)
{
    if (!tcp->connections)
        return;
    cmd_json_open(j, "tcp", '{');
    cmd_json_number(j, "rtt", tcp->rtt);
    cmd_json_number(j, "cwnd", tcp->cwnd);
    cmd_json_integer(j, "retransmits", (int64_t)tcp->retransmits);
    cmd_json_close(j, '}');
}

static void interval_json(const struct measure_plan *plan, const struct measure_interval *i)
{
    struct cmd_json j = { .file = stdout };
    cmd_json_open(&j, NULL, '{');
    cmd_json_text(&j, "type", "interval");
    cmd_json_number(&j, "end", i->end);
    cmd_json_number(&j, "seconds", i->seconds);
    cmd_json_integer(&j, "bytes_in", (int64_t)i->counts.in);
    cmd_json_integer(&j, "bytes_out", (int64_t)i->counts.out);
    if (!plan->kind->bulk) {
        cmd_json_integer(&j, "requests", (int64_t)i->counts.requests);
        cmd_json_number(&j, "p50", seconds(i->median));
        cmd_json_number(&j, "p99", seconds(i->p99));
        cmd_json_number(&j, "max", seconds(i->max));
    }
    tcp_json(&j, &i->tcp);
    cmd_json_close(&j, '}');
}

void measure_report_interval(const struct measure_plan *plan, const struct measure_interval *i)
{
    if (plan->settings->json)
        interval_json(plan, i);
    else
        interval_text(plan, i);
    fflush(stdout);
}

/* ---- The whole, as text ---- */

static void print_rates(const struct measure_plan *plan, const struct measure_result *r)
{
    char in[CMD_UNITS_TEXT], out[CMD_UNITS_TEXT], time[CMD_UNITS_TEXT];
    cmd_rate_text(per_second(r->counts.in, r->seconds), in);
    cmd_rate_text(per_second(r->counts.out, r->seconds), out);
    cmd_time_text(r->seconds, time);
    if (plan->kind->bulk)
        printf("\n%s up, %s down, for %s", out, in, time);
    else
        printf("\n%.0f requests/s, %s up, %s down: %llu in %s", per_second(r->counts.requests, r->seconds), out, in,
               (unsigned long long)r->counts.requests, time);
    printf(" over %d connection%s\n", plan->settings->connections, plan->settings->connections == 1 ? "" : "s");
}

static void print_latencies(const struct measure_result *r)
{
    char a[CMD_UNITS_TEXT], b[CMD_UNITS_TEXT];
    bool both = r->services.count > 0;
    if (r->latencies.count == 0)
        return;
    puts(both ? "\n  latency      when due  when sent" : "\n  latency");
    for (size_t i = 0; i < COUNT(percentiles); i++) {
        double percent = percentiles[i].percent;
        cmd_time_text(seconds(cmd_histogram_percentile(&r->latencies, percent)), a);
        cmd_time_text(seconds(cmd_histogram_percentile(&r->services, percent)), b);
        printf("  %-10s %10s%s%s\n", percentiles[i].name, a, both ? "  " : "", both ? b : "");
    }
}

static void print_datagrams(const struct measure_plan *plan, const struct measure_result *r)
{
    char rate[CMD_UNITS_TEXT], jitter[CMD_UNITS_TEXT];
    const struct measure_counts *c = &r->late;
    if (!r->reporting) {
        printf("\n  datagrams: %llu sent; what came is not known: the server does not tell (skt discard does)\n",
               (unsigned long long)c->sent);
        return;
    }
    uint64_t lost = c->sent > c->received ? c->sent - c->received : 0;
    printf("\n  datagrams: %llu sent, %llu lost (%.3g %%), %llu out of order, %llu twice, jitter %s\n",
           (unsigned long long)c->sent, (unsigned long long)lost, c->sent ? 100 * (double)lost / (double)c->sent : 0,
           (unsigned long long)c->reordered, (unsigned long long)c->duplicates,
           cmd_time_text(seconds((int64_t)r->jitter), jitter));
    if (plan->kind->bulk)
        printf("  %s have arrived\n", cmd_rate_text(per_second(c->delivered, r->seconds), rate));
}

static void print_rest(const struct measure_plan *plan, const struct measure_result *r)
{
    char text[CMD_UNITS_TEXT];
    unsigned long long reconnects = r->counts.reconnects, unsent = r->counts.unsent + r->late.unsent;
    if (unsent)
        printf("\n  %llu requests could not be sent in their time\n", unsent);
    if (reconnects)
        printf("\n  %llu times the server closed the connection after an answer\n", reconnects);
    if (r->tcp.connections)
        printf("\n  TCP: rtt %s, cwnd %.0f, %llu retransmits", cmd_time_text(r->tcp.rtt, text), r->tcp.cwnd,
               (unsigned long long)r->tcp.retransmits);
    printf("\n  our own CPU time: %s", cmd_time_text(r->cpu, text));
    if (!plan->kind->bulk && r->counts.requests)
        printf(", %s for each request", cmd_time_text(r->cpu / (double)r->counts.requests, text));
    putchar('\n');
}

/* How it went over time, for who is looking. */
static void print_sparkline(const struct measure_plan *plan, const struct measure_result *r)
{
    enum { MOST = 60 };
    double values[MOST];
    char line[CMD_COLUMNS(MOST)];
    size_t n = r->n < MOST ? r->n : MOST;
    if (!cmd_is_terminal(STDOUT_FILENO) || n < 2)
        return;
    for (size_t k = 0; k < n; k++) {
        const struct measure_interval *i = &r->intervals[k * r->n / n];
        values[k] = per_second(plan->kind->bulk ? i->counts.in + i->counts.out : i->counts.requests, i->seconds);
    }
    printf("\n  %s %s\n", plan->kind->bulk ? "throughput" : "requests/s", cmd_sparkline(line, values, n));
}

/* ---- The whole, as JSON ---- */

static void latencies_json(struct cmd_json *j, const char *name, const struct cmd_histogram *h)
{
    if (h->count == 0)
        return;
    cmd_json_open(j, name, '{');
    cmd_json_number(j, "mean", cmd_histogram_mean(h) / 1e9);
    for (size_t i = 0; i < COUNT(percentiles); i++)
        cmd_json_number(j, percentiles[i].json, seconds(cmd_histogram_percentile(h, percentiles[i].percent)));
    cmd_json_close(j, '}');
}

static void datagrams_json(struct cmd_json *j, const struct measure_result *r)
{
    const struct measure_counts *c = &r->late;
    cmd_json_open(j, "datagrams", '{');
    cmd_json_integer(j, "sent", (int64_t)c->sent);
    if (r->reporting) {
        cmd_json_integer(j, "received", (int64_t)c->received);
        cmd_json_integer(j, "lost", c->sent > c->received ? (int64_t)(c->sent - c->received) : 0);
        cmd_json_integer(j, "reordered", (int64_t)c->reordered);
        cmd_json_integer(j, "duplicates", (int64_t)c->duplicates);
        cmd_json_number(j, "jitter", r->jitter / 1e9);
        cmd_json_number(j, "delivered_per_second", per_second(c->delivered, r->seconds));
    }
    cmd_json_close(j, '}');
}

static void counts_json(struct cmd_json *j, const struct measure_plan *plan, const struct measure_result *r)
{
    cmd_json_number(j, "seconds", r->seconds);
    cmd_json_integer(j, "bytes_in", (int64_t)r->counts.in);
    cmd_json_integer(j, "bytes_out", (int64_t)r->counts.out);
    cmd_json_number(j, "bytes_in_per_second", per_second(r->counts.in, r->seconds));
    cmd_json_number(j, "bytes_out_per_second", per_second(r->counts.out, r->seconds));
    if (plan->kind->bulk)
        return;
    cmd_json_integer(j, "requests", (int64_t)r->counts.requests);
    cmd_json_number(j, "requests_per_second", per_second(r->counts.requests, r->seconds));
    cmd_json_integer(j, "answered_late", (int64_t)r->late.requests); /* after the end */
    cmd_json_integer(j, "unanswered", (int64_t)(r->counts.unanswered + r->late.unanswered));
    cmd_json_integer(j, "unsent", (int64_t)(r->counts.unsent + r->late.unsent));
    cmd_json_integer(j, "http_errors", (int64_t)(r->counts.refused + r->late.refused));
    cmd_json_integer(j, "reconnects", (int64_t)r->counts.reconnects);
    latencies_json(j, "latency", &r->latencies);
    latencies_json(j, "latency_when_sent", &r->services);
}

static void result_json(const struct measure_plan *plan, const struct measure_result *r)
{
    struct cmd_json j = { .file = stdout };
    cmd_json_open(&j, NULL, '{');
    cmd_json_text(&j, "type", "result");
    cmd_json_text(&j, "address", plan->text);
    cmd_json_text(&j, "kind", plan->kind->name);
    cmd_json_integer(&j, "connections", plan->settings->connections);
    cmd_json_integer(&j, "failed_connections", r->failed);
    cmd_json_text(&j, "trouble", *r->trouble ? r->trouble : NULL);
    counts_json(&j, plan, r);
    if (plan->kind->datagrams)
        datagrams_json(&j, r);
    tcp_json(&j, &r->tcp);
    cmd_json_number(&j, "cpu_seconds", r->cpu);
    cmd_json_close(&j, '}');
}

void measure_report_end(const struct measure_plan *plan, const struct measure_result *r)
{
    if (plan->settings->json) {
        result_json(plan, r);
        return;
    }
    print_rates(plan, r);
    print_latencies(r);
    if (plan->kind->datagrams)
        print_datagrams(plan, r);
    print_sparkline(plan, r);
    print_rest(plan, r);
}
