/* transfer_progress.c - how far a transfer is, while somebody looks, and what it was, at its end. */
#include "clock.h"
#include "json.h"
#include "terminal.h"
#include "transfer.h"
#include "units.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

#define EVERY 0.1  /* seconds between two pictures */
#define MEMORY 3.0 /* seconds that the rate looks back */
#define COLUMNS 24 /* of the bar */

void transfer_progress_begin(struct transfer_progress *p, int64_t from)
{
    p->from = p->at = p->shown_at = from;
    p->begun = p->shown = cmd_now();
    p->rate = NAN;
}

/* What has passed since the last picture counts the more, the longer that is ago. */
static void update_rate(struct transfer_progress *p, double now)
{
    double seconds = now - p->shown, latest = (double)(p->at - p->shown_at) / seconds;
    double weight = 1 - exp(-seconds / MEMORY);
    p->rate = isnan(p->rate) ? latest : p->rate + weight * (latest - p->rate);
    p->shown = now;
    p->shown_at = p->at;
}

static void show(const struct transfer_progress *p)
{
    char bar[CMD_COLUMNS(COLUMNS)], at[CMD_UNITS_TEXT], size[CMD_UNITS_TEXT], rate[CMD_UNITS_TEXT];
    char left[CMD_UNITS_TEXT];
    cmd_size_text((double)p->at, at);
    cmd_rate_text(p->rate, rate);
    if (p->size <= 0) {
        cmd_status("%s  %s  %s", p->name, at, rate);
        return;
    }
    double part = (double)p->at / (double)p->size, seconds = (double)(p->size - p->at) / p->rate;
    snprintf(left, sizeof left, "?");
    if (isfinite(seconds))
        cmd_time_text(seconds, left);
    cmd_status("%3d%% [%s] %s of %s  %s  %s left  %s", (int)(100 * part), cmd_bar(bar, COLUMNS, part), at,
               cmd_size_text((double)p->size, size), rate, left, p->name);
}

void transfer_progress_add(struct transfer_progress *p, size_t n)
{
    p->at += (int64_t)n;
    double now = cmd_now();
    if (now - p->shown < EVERY)
        return;
    update_rate(p, now);
    show(p);
}

static void print_json(const struct transfer_progress *p, double seconds, const char *sha256)
{
    struct cmd_json j = { .file = stdout };
    cmd_json_open(&j, NULL, '{');
    cmd_json_text(&j, "name", p->name);
    cmd_json_integer(&j, "size", p->at);
    cmd_json_integer(&j, "resumed_from", p->from);
    cmd_json_number(&j, "seconds", seconds);
    cmd_json_number(&j, "rate", (double)(p->at - p->from) / seconds);
    cmd_json_text(&j, "sha256", sha256);
    cmd_json_close(&j, '}');
    fflush(stdout); /* the next file may take long; main looks whether it could be written */
}

void transfer_report(struct transfer_progress *p, const char *sha256)
{
    char size[CMD_UNITS_TEXT], time[CMD_UNITS_TEXT], rate[CMD_UNITS_TEXT];
    double seconds = fmax(cmd_now() - p->begun, 1e-9);
    int64_t passed = p->at - p->from;
    cmd_status_clear();
    if (p->settings->json)
        print_json(p, seconds, sha256);
    else if (!p->settings->verbose && !cmd_is_terminal(STDERR_FILENO))
        return;
    else if (p->from == p->at && p->at > 0)
        cmd_say("%s was there already, sha256 %s", p->name, sha256);
    else
        cmd_say("%s %s: %s in %s, %s%s%s%s", p->done, p->name, cmd_size_text((double)passed, size),
                cmd_time_text(seconds, time), cmd_rate_text((double)passed / seconds, rate), p->from ? ", resumed" : "",
                sha256 ? ", sha256 " : "", sha256 ? sha256 : "");
}
