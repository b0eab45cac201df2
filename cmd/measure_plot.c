/* measure_plot.c - the results of skt measure as a picture: rates and latencies over time, and the percentiles.
 *
 *     title, numbers
 *     .- chart: rate over time -------------------.
 *     .- chart: latencies over time (logarithmic) -.
 *     .- chart: latency by percentile: 0 %  90 %  99 %  99.9 % ... equally far apart -. */
#include "chart.h"
#include "measure.h"
#include "units.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POINTS = 800, CURVE = 200 };
#define NINES 4.3 /* the curve's end: 99.995 % */

static const char first_colour[] = "#1f6feb", second_colour[] = "#d97706", third_colour[] = "#b42318";

/* What the charts show, one row of values for each line. */
struct picture {
    const struct measure_plan *plan;
    const struct measure_result *result;
    size_t n; /* points over time */
    double time[POINTS], rate[POINTS], up[POINTS], down[POINTS], median[POINTS], p99[POINTS], max[POINTS], rtt[POINTS];
    double nines[CURVE], due[CURVE], sent[CURVE];
};

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* Point k stands for the intervals from `from` to before `to`: rates are their mean, latencies their worst. */
static void add_point(struct picture *p, size_t from, size_t to)
{
    size_t k = p->n++;
    double seconds = 0, requests = 0, in = 0, out = 0;
    for (size_t i = from; i < to; i++) {
        const struct measure_interval *interval = &p->result->intervals[i];
        seconds += interval->seconds;
        requests += (double)interval->counts.requests;
        in += (double)interval->counts.in;
        out += (double)interval->counts.out;
        p->median[k] = greater(p->median[k], (double)interval->median / 1e9);
        p->p99[k] = greater(p->p99[k], (double)interval->p99 / 1e9);
        p->max[k] = greater(p->max[k], (double)interval->max / 1e9);
        p->rtt[k] = greater(p->rtt[k], interval->tcp.rtt);
    }
    if (p->max[k] <= 0) /* no answer at all: a gap */
        p->median[k] = p->p99[k] = p->max[k] = NAN;
    p->time[k] = p->result->intervals[to - 1].end - seconds / 2;
    p->rate[k] = seconds > 0 ? requests / seconds : 0;
    p->down[k] = seconds > 0 ? in / seconds : 0;
    p->up[k] = seconds > 0 ? out / seconds : 0;
}

static void add_curve(struct picture *p)
{
    for (size_t k = 0; k < CURVE; k++) {
        p->nines[k] = NINES * (double)k / (CURVE - 1);
        double percent = chart_percent(p->nines[k]);
        p->due[k] = (double)cmd_histogram_percentile(&p->result->latencies, percent) / 1e9;
        p->sent[k] = (double)cmd_histogram_percentile(&p->result->services, percent) / 1e9;
    }
}

static struct picture *new_picture(const struct measure_plan *plan, const struct measure_result *r)
{
    struct picture *p = calloc(1, sizeof *p);
    size_t n = r->n < POINTS ? r->n : POINTS;
    if (!p)
        return NULL;
    p->plan = plan;
    p->result = r;
    for (size_t k = 0; k < n; k++)
        add_point(p, k * r->n / n, (k + 1) * r->n / n);
    add_curve(p);
    return p;
}

/* ---- The charts ---- */

static void draw_bulk(FILE *file, const struct picture *p, double y)
{
    struct chart rates = { .title = "Throughput over time",
                           .y = CHART_BYTES,
                           .x = p->time,
                           .last = p->result->seconds,
                           .n = p->n,
                           .series = { { "up", first_colour, p->up }, { "down", second_colour, p->down } } };
    struct chart rtt = { .title = "Round-trip time (TCP_INFO)",
                         .y = CHART_TIME,
                         .x = p->time,
                         .last = p->result->seconds,
                         .n = p->n,
                         .series = { { "rtt", first_colour, p->rtt } } };
    chart_draw(file, &rates, y);
    if (p->result->tcp.connections)
        chart_draw(file, &rtt, y + CHART_HEIGHT);
}

static void draw_requests(FILE *file, const struct picture *p, double y)
{
    struct chart rate = { .title = "Requests per second over time",
                          .y = CHART_NUMBER,
                          .x = p->time,
                          .last = p->result->seconds,
                          .n = p->n,
                          .series = { { "answered", first_colour, p->rate } } };
    struct chart latency = { .title = "Latency over time",
                             .y = CHART_LOG_TIME,
                             .x = p->time,
                             .last = p->result->seconds,
                             .n = p->n,
                             .series = { { "greatest", third_colour, p->max },
                                         { "99 %", second_colour, p->p99 },
                                         { "50 %", first_colour, p->median } } };
    struct chart curve = { .title = "Latency by percentile",
                           .y = CHART_LOG_TIME,
                           .percentiles = true,
                           .x = p->nines,
                           .last = NINES,
                           .n = CURVE,
                           .series = { { "latency", first_colour, p->due } } };
    if (p->result->services.count) {
        curve.series[0].name = "from when it was due";
        curve.series[1] = (struct chart_series){ "from when it was sent", second_colour, p->sent };
    }
    chart_draw(file, &rate, y);
    chart_draw(file, &latency, y + CHART_HEIGHT);
    chart_draw(file, &curve, y + 2 * CHART_HEIGHT);
}

static void draw_head(FILE *file, const struct picture *p)
{
    const struct measure_result *r = p->result;
    char title[400], line[200], a[CMD_UNITS_TEXT], b[CMD_UNITS_TEXT], c[CMD_UNITS_TEXT];
    double seconds = r->seconds > 0 ? r->seconds : 1;
    int n = p->plan->settings->connections;
    snprintf(title, sizeof title, "skt measure %s", p->plan->text);
    if (p->plan->kind->bulk)
        snprintf(line, sizeof line, "%d connection%s, %s: %s up, %s down", n, n == 1 ? "" : "s",
                 cmd_time_text(r->seconds, a), cmd_rate_text((double)r->counts.out / seconds, b),
                 cmd_rate_text((double)r->counts.in / seconds, c));
    else
        snprintf(line, sizeof line, "%d connection%s, %s: %.0f requests/s, 50 %% within %s, 99 %% within %s", n,
                 n == 1 ? "" : "s", cmd_time_text(r->seconds, a), (double)r->counts.requests / seconds,
                 cmd_time_text((double)cmd_histogram_percentile(&r->latencies, 50) / 1e9, b),
                 cmd_time_text((double)cmd_histogram_percentile(&r->latencies, 99) / 1e9, c));
    chart_text(file, CHART_LEFT, 34, 18, title);
    chart_text(file, CHART_LEFT, 56, 13, line);
}

static void draw(FILE *file, const struct picture *p)
{
    int charts = !p->plan->kind->bulk ? 3 : p->result->tcp.connections ? 2 : 1;
    double top = 70;
    chart_begin(file, top + charts * CHART_HEIGHT);
    draw_head(file, p);
    (p->plan->kind->bulk ? draw_bulk : draw_requests)(file, p, top);
    chart_end(file);
}

/* ---- The file ---- */

static int fail(const char *path)
{
    cmd_say("--plot: %s: %m", path);
    return STATUS_FAILED;
}

int measure_plot_check(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail(path);
    close(fd);
    return 0;
}

void measure_plot_drop(const char *path)
{
    struct stat file;
    if (lstat(path, &file) == 0 && S_ISREG(file.st_mode) && file.st_size == 0)
        unlink(path);
}

int measure_plot(const struct measure_plan *plan, const struct measure_result *r)
{
    const char *path = plan->settings->plot;
    struct picture *p = new_picture(plan, r);
    FILE *file = p ? fopen(path, "we") : NULL;
    if (!file) {
        free(p);
        return fail(path);
    }
    draw(file, p);
    free(p);
    bool written = !ferror(file);
    if (fclose(file) == 0 && written)
        return 0;
    int status = fail(path);
    if (truncate(path, 0) == 0) /* nothing rather than half of it */
        measure_plot_drop(path);
    return status;
}
