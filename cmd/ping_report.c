/* ping_report.c - what skt ping tells: a line for each question, and at the end what came of all. */
#include "clock.h"
#include "json.h"
#include "ping.h"
#include "terminal.h"
#include "units.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

static const double percents[] = { 50, 90, 99 };

/* Before something is printed; the live line comes back with ping_show_live. */
static void begin_line(void)
{
    cmd_status_clear();
}

/* Whoever reads is to see it now; if nobody does, there is no use in going on. */
static void end_line(struct ping *p)
{
    if (fflush(stdout) != 0)
        p->stopped = true;
}

static void begin_event(struct cmd_json *j, const char *event, uint32_t number)
{
    *j = (struct cmd_json){ .file = stdout };
    cmd_json_open(j, NULL, '{');
    cmd_json_text(j, "event", event);
    if (number)
        cmd_json_integer(j, "sequence", number);
}

/* ---- The beginning ---- */

static const char *peer_text(const struct ping *p, char text[static SKT_ADDR_TEXT_MAX])
{
    if (p->kind != &ping_icmp)
        return skt_addr_text(&p->peer, text, SKT_ADDR_TEXT_MAX);
    snprintf(text, SKT_ADDR_TEXT_MAX, "%s", skt_host(&p->peer));
    return text;
}

void ping_tell_begin(const struct ping *p)
{
    char text[SKT_ADDR_TEXT_MAX];
    if (p->settings->json)
        return;
    printf("%s (%s): %s", p->address.host, peer_text(p, text), p->kind->name);
    if (p->kind == &ping_tcp)
        printf(" %s\n", p->kind->unit);
    else
        printf(", %zu %s\n", p->format.size, p->kind->unit);
    fflush(stdout);
}

/* ---- What comes ---- */

static const char *const verdicts[] = {
    [PING_IN_TIME] = "", [PING_TOO_LATE] = "  late", [PING_DUPLICATE] = "  duplicate", [PING_STRANGE] = ""
};

static void json_answer(const struct ping *p, const struct ping_answer *answer)
{
    struct cmd_json j;
    begin_event(&j, "answer", answer->number);
    cmd_json_text(&j, "address", skt_host(&p->peer));
    if (p->kind != &ping_tcp)
        cmd_json_integer(&j, "size", (int64_t)answer->size);
    if (answer->ttl >= 0)
        cmd_json_integer(&j, "ttl", answer->ttl);
    cmd_json_number(&j, "time", (double)answer->took / 1e9);
    cmd_json_bool(&j, "late", answer->verdict == PING_TOO_LATE);
    cmd_json_bool(&j, "duplicate", answer->verdict == PING_DUPLICATE);
    cmd_json_close(&j, '}');
}

static void print_answer(const struct ping *p, const struct ping_answer *answer)
{
    char took[CMD_UNITS_TEXT], text[SKT_ADDR_TEXT_MAX];
    printf("seq %-4u ", answer->number);
    if (p->kind == &ping_tcp)
        printf("connected to %s", peer_text(p, text));
    else
        printf("%zu bytes from %s", answer->size, peer_text(p, text));
    if (answer->ttl >= 0)
        printf("  ttl %d", answer->ttl);
    printf("  %s%s%s%s\n", cmd_time_text((double)answer->took / 1e9, took), cmd_colour(STDOUT_FILENO, COLOUR_YELLOW),
           verdicts[answer->verdict], cmd_colour(STDOUT_FILENO, COLOUR_NONE));
}

void ping_tell_answer(struct ping *p, const struct ping_answer *answer)
{
    begin_line();
    if (p->settings->json)
        json_answer(p, answer);
    else
        print_answer(p, answer);
    end_line(p);
}

void ping_tell_error(struct ping *p, uint32_t number, const char *text, const char *from)
{
    struct cmd_json j;
    char seq[16] = "?";
    begin_line();
    if (p->settings->json) {
        begin_event(&j, "error", number);
        cmd_json_text(&j, "error", text);
        cmd_json_text(&j, "from", *from ? from : NULL);
        cmd_json_close(&j, '}');
    } else {
        if (number)
            snprintf(seq, sizeof seq, "%u", number);
        printf("seq %-4s %s%s%s%s%s\n", seq, cmd_colour(STDOUT_FILENO, COLOUR_RED), text,
               cmd_colour(STDOUT_FILENO, COLOUR_NONE), *from ? ", says " : "", from);
    }
    end_line(p);
}

void ping_tell_loss(struct ping *p, uint32_t number)
{
    struct cmd_json j;
    char limit[CMD_UNITS_TEXT];
    begin_line();
    if (p->settings->json) {
        begin_event(&j, "lost", number);
        cmd_json_close(&j, '}');
    } else {
        printf("seq %-4u %sno answer within %s%s\n", number, cmd_colour(STDOUT_FILENO, COLOUR_RED),
               cmd_time_text((double)p->tally.timeout / 1e9, limit), cmd_colour(STDOUT_FILENO, COLOUR_NONE));
    }
    end_line(p);
}

/* ---- All together ---- */

static double percentile(const struct ping *p, double percent)
{
    return (double)cmd_histogram_percentile(&p->tally.times, percent) / 1e9;
}

static double mean(const struct ping *p)
{
    return cmd_histogram_mean(&p->tally.times) / 1e9;
}

static void json_times(struct cmd_json *j, const struct ping *p)
{
    char name[16];
    cmd_json_number(j, "min", percentile(p, 0));
    for (size_t i = 0; i < COUNT(percents); i++) {
        snprintf(name, sizeof name, "p%g", percents[i]);
        cmd_json_number(j, name, percentile(p, percents[i]));
    }
    cmd_json_number(j, "max", percentile(p, 100));
    cmd_json_number(j, "mean", mean(p));
}

static void json_summary(const struct ping *p, bool final)
{
    const struct ping_tally *t = &p->tally;
    struct cmd_json j;
    begin_event(&j, "summary", 0);
    cmd_json_bool(&j, "final", final);
    cmd_json_text(&j, "host", p->address.host);
    cmd_json_text(&j, "address", skt_host(&p->peer));
    if (p->kind != &ping_icmp)
        cmd_json_integer(&j, "port", skt_port(&p->peer));
    cmd_json_text(&j, "protocol", p->kind->name);
    cmd_json_integer(&j, "sent", t->sent);
    cmd_json_integer(&j, "answered", (int64_t)t->answered);
    cmd_json_integer(&j, "late", (int64_t)t->late);
    cmd_json_integer(&j, "lost", (int64_t)t->lost);
    cmd_json_integer(&j, "errors", (int64_t)t->failed);
    cmd_json_integer(&j, "waiting", (int64_t)t->waiting);
    cmd_json_integer(&j, "duplicates", (int64_t)t->duplicates);
    cmd_json_number(&j, "loss", ping_tally_loss(t));
    cmd_json_number(&j, "duration", (double)(cmd_now_ns() - p->began) / 1e9);
    cmd_json_open(&j, "times", '{');
    if (t->times.count)
        json_times(&j, p);
    cmd_json_close(&j, '}');
    cmd_json_close(&j, '}');
}

/* Of as many of the last questions as there is room for; the newest is the rightmost. */
static char *sparkline(const struct ping *p, size_t columns, char *buf)
{
    double values[PING_RECENT];
    size_t n = columns < PING_RECENT ? columns : PING_RECENT;
    if (n > p->tally.sent)
        n = p->tally.sent;
    for (size_t i = 0; i < n; i++)
        values[i] = p->tally.recent[(p->tally.sent - n + 1 + i) % PING_RECENT];
    return cmd_sparkline(buf, values, n);
}

static void print_counts(const struct ping *p)
{
    const struct ping_tally *t = &p->tally;
    char text[SKT_ADDR_TEXT_MAX], took[CMD_UNITS_TEXT];
    const struct {
        uint64_t n;
        const char *what;
    } rare[] = { { t->failed, "with errors" },
                 { t->late, "late" },
                 { t->waiting, "still waiting" },
                 { t->duplicates, "duplicate" } };
    printf("\n%s (%s): %u sent, %llu answered", p->address.host, peer_text(p, text), t->sent,
           (unsigned long long)t->answered);
    for (size_t i = 0; i < COUNT(rare); i++)
        if (rare[i].n)
            printf(", %llu %s", (unsigned long long)rare[i].n, rare[i].what);
    printf(", %.3g %% lost, in %s\n", ping_tally_loss(t) * 100,
           cmd_time_text((double)(cmd_now_ns() - p->began) / 1e9, took));
}

static void print_times(const struct ping *p)
{
    char text[CMD_UNITS_TEXT];
    if (p->tally.times.count == 0)
        return;
    printf("min %s", cmd_time_text(percentile(p, 0), text));
    for (size_t i = 0; i < COUNT(percents); i++)
        printf("  %g %% %s", percents[i], cmd_time_text(percentile(p, percents[i]), text));
    printf("  max %s", cmd_time_text(percentile(p, 100), text));
    printf("  mean %s\n", cmd_time_text(mean(p), text));
}

void ping_tell_summary(struct ping *p, bool final)
{
    char spark[CMD_COLUMNS(PING_RECENT)];
    begin_line();
    if (p->settings->json) {
        json_summary(p, final);
    } else {
        print_counts(p);
        print_times(p);
        if (cmd_is_terminal(STDOUT_FILENO) && p->tally.times.count)
            printf("%s\n", sparkline(p, (size_t)cmd_terminal_width(STDOUT_FILENO) - 1, spark));
        if (!final)
            putchar('\n');
    }
    end_line(p);
}

void ping_show_live(const struct ping *p)
{
    char spark[CMD_COLUMNS(PING_RECENT)], text[200], half[CMD_UNITS_TEXT], most[CMD_UNITS_TEXT];
    if (!cmd_is_terminal(STDERR_FILENO))
        return;
    int len = snprintf(text, sizeof text, "%u sent, %.3g %% lost  50 %% %s  99 %% %s  ", p->tally.sent,
                       ping_tally_loss(&p->tally) * 100, cmd_time_text(percentile(p, 50), half),
                       cmd_time_text(percentile(p, 99), most));
    int columns = cmd_terminal_width(STDERR_FILENO) - 1 - len;
    cmd_status("%s%s", text, sparkline(p, columns > 0 ? (size_t)columns : 0, spark));
}
