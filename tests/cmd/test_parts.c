/* test_parts.c - the parts of the command that its stories see only from afar: units, histogram, JSON, and what is
 * drawn on a terminal (a real pseudo-terminal). */
#include "check.h"
#include "cmd.h"
#include "histogram.h"
#include "json.h"
#include "terminal.h"
#include "units.h"
#include <locale.h>
#include <math.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- Units ---- */

static void times(void)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = { { "2", 2 },    { "1.5s", 1.5 }, { "500ms", 0.5 }, { "20us", 2e-5 },
                 { ".5m", 30 }, { "2h", 7200 },  { "0", 0 },       { "1e3ms", 1 } };
    static const char *const bad[] = {
        "", "s", "-1", "+1", " 1", "1 s", "1x", "inf", "nan", "0x10", "2e9", "1ms2", "."
    };
    double seconds;
    for (size_t i = 0; i < COUNT(good); i++) {
        CHECK_INT(cmd_parse_time(good[i].text, &seconds), 0);
        CHECK(fabs(seconds - good[i].seconds) < 1e-12);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_INT(cmd_parse_time(bad[i], &seconds), -1);
}

static void sizes(void)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = { { "1500", 1500 },
                 { "64k", 65536 },
                 { "1.5M", 1572864 },
                 { "2G", INT64_C(2) << 30 },
                 { "1T", INT64_C(1) << 40 },
                 { "10KiB", 10240 },
                 { "3MB/s", 3 << 20 },
                 { "7/s", 7 },
                 { "0", 0 } };
    static const char *const bad[] = {
        "", "k", "-1k", "1kk", "1x", "1 k", "inf", "0x10", "9e18k", "9223372036854775808"
    };
    int64_t bytes;
    for (size_t i = 0; i < COUNT(good); i++) {
        CHECK_INT(cmd_parse_size(good[i].text, &bytes), 0);
        CHECK_INT(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_INT(cmd_parse_size(bad[i], &bytes), -1);
}

static void texts(void)
{
    char buf[CMD_UNITS_TEXT];
    CHECK_STR(cmd_size_text(0, buf), "0 B");
    CHECK_STR(cmd_size_text(999, buf), "999 B");
    CHECK_STR(cmd_size_text(1000, buf), "0.98 KiB");
    CHECK_STR(cmd_size_text(1536, buf), "1.50 KiB");
    CHECK_STR(cmd_size_text(12.34 * 1048576, buf), "12.3 MiB");
    CHECK_STR(cmd_size_text(117 * 0x1p30, buf), "117 GiB");
    CHECK_STR(cmd_size_text(1e30, buf), "867361737988 EiB");
    CHECK_STR(cmd_rate_text(2048, buf), "2.00 KiB/s");
    CHECK_STR(cmd_time_text(850e-9, buf), "850 ns");
    CHECK_STR(cmd_time_text(12.34e-6, buf), "12.3 us");
    CHECK_STR(cmd_time_text(0.0015, buf), "1.50 ms");
    CHECK_STR(cmd_time_text(0.9999, buf), "1.00 s");
    CHECK_STR(cmd_time_text(99, buf), "99.0 s");
    CHECK_STR(cmd_time_text(185, buf), "3:05");
    CHECK_STR(cmd_time_text(7385, buf), "2:03:05");
}

/* ---- Histogram ---- */

static struct cmd_histogram a, b;

static int compare(const void *x, const void *y)
{
    int64_t m = *(const int64_t *)x, n = *(const int64_t *)y;
    return (m > n) - (m < n);
}

/* Against the sorted list of the same values. */
static void percentiles(void)
{
    enum { N = 20000 };
    static int64_t values[N];
    static const double percents[] = { 0, 1, 25, 50, 90, 99, 99.9, 99.99, 100 };
    memset(&a, 0, sizeof a);
    srandom(7);
    for (size_t i = 0; i < N; i++) {
        values[i] = random() >> (random() % 31);
        cmd_histogram_add(&a, values[i]);
    }
    qsort(values, N, sizeof *values, compare);
    for (size_t i = 0; i < COUNT(percents); i++) {
        size_t rank = (size_t)ceil(N * percents[i] / 100);
        int64_t exact = values[rank ? rank - 1 : 0], got = cmd_histogram_percentile(&a, percents[i]);
        CHECK(got >= exact && got - exact <= exact / 128);
    }
    CHECK_INT(a.min, values[0]);
    CHECK_INT(a.max, values[N - 1]);
    CHECK_INT(a.count, N);
}

static void merging(void)
{
    static struct cmd_histogram none;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    CHECK_INT(cmd_histogram_percentile(&a, 50), 0);
    CHECK(cmd_histogram_mean(&a) == 0);
    cmd_histogram_add(&a, 100);
    cmd_histogram_add(&b, 10);
    cmd_histogram_add(&b, 40);
    cmd_histogram_merge(&a, &b);
    cmd_histogram_merge(&a, &none);
    cmd_histogram_merge(&none, &a);
    CHECK_INT(none.count, 3);
    CHECK_INT(none.min, 10);
    CHECK_INT(none.max, 100);
    CHECK(cmd_histogram_mean(&none) == 50);
    CHECK_INT(cmd_histogram_percentile(&none, 50), 40);
}

static void extremes(void)
{
    memset(&a, 0, sizeof a);
    cmd_histogram_add(&a, -5);
    cmd_histogram_add(&a, INT64_MAX);
    CHECK_INT(a.min, 0);
    CHECK_INT(cmd_histogram_percentile(&a, 50), 0);
    CHECK_INT(cmd_histogram_percentile(&a, 100), INT64_MAX);
}

/* ---- JSON ---- */

static void json(void)
{
    char *text;
    size_t len;
    struct cmd_json j = { .file = open_memstream(&text, &len) };
    cmd_json_open(&j, NULL, '{');
    cmd_json_text(&j, "host", "a\"b\\c\n\x7f \xc3\xa9 \xff \xc0\x80 \xed\xa0\x80");
    cmd_json_text(&j, "none", NULL);
    cmd_json_open(&j, "list", '[');
    cmd_json_number(&j, NULL, 0.25);
    cmd_json_number(&j, NULL, NAN);
    cmd_json_integer(&j, NULL, INT64_MIN);
    cmd_json_open(&j, NULL, '{');
    cmd_json_close(&j, '}');
    cmd_json_close(&j, ']');
    cmd_json_bool(&j, "yes", true);
    cmd_json_close(&j, '}');
    cmd_json_bool(&j, NULL, false);
    fclose(j.file);
    CHECK_STR(text, "{\"host\": \"a\\\"b\\\\c\\u000a\\u007f \xc3\xa9 \\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\", "
                    "\"none\": null, \"list\": [0.25, null, -9223372036854775808, {}], \"yes\": true}\nfalse\n");
    free(text);
}

/* ---- Terminal ---- */

/* What scene writes to standard error, being a terminal of 20 columns. */
static const char *seen(void (*scene)(void))
{
    static char text[4096];
    struct winsize size = { .ws_row = 24, .ws_col = 20 };
    int master, slave, before = dup(STDERR_FILENO);
    CHECK(openpty(&master, &slave, NULL, NULL, &size) == 0);
    dup2(slave, STDERR_FILENO);
    close(slave);
    scene();
    dup2(before, STDERR_FILENO); /* the last that had the slave: the master reads what there is, and fails */
    close(before);
    size_t len = 0;
    for (ssize_t n; (n = read(master, text + len, sizeof text - 1 - len)) > 0;)
        len += (size_t)n;
    close(master);
    text[len] = '\0';
    return text;
}

static void draw_status(void)
{
    cmd_status("%d of 10", 1);
    cmd_status("%s", "a line that is longer than the terminal is wide");
    cmd_say("trouble");
    cmd_status_clear();
    cmd_status("last");
    cmd_status_clear();
}

static void status_line(void)
{
    setenv("TERM", "xterm", 1);
    CHECK_STR(seen(draw_status),
              "\r1 of 10\033[K\ra line that is long\033[K\r\033[Kskt: trouble\r\n\rlast\033[K\r\033[K");
    setenv("TERM", "dumb", 1);
    CHECK_STR(seen(draw_status), "skt: trouble\r\n");
}

static void draw_colour(void)
{
    dprintf(STDERR_FILENO, "%sx%s", cmd_colour(STDERR_FILENO, COLOUR_RED), cmd_colour(STDERR_FILENO, COLOUR_NONE));
}

static void colours(void)
{
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    CHECK_STR(seen(draw_colour), "\033[31mx\033[0m");
    setenv("NO_COLOR", "1", 1);
    CHECK_STR(seen(draw_colour), "x");
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    CHECK_STR(seen(draw_colour), "x");
}

static void bars(void)
{
    static const double values[] = { 0, 1, NAN, 4 };
    char buf[CMD_COLUMNS(4)];
    setlocale(LC_CTYPE, "C");
    CHECK_STR(cmd_bar(buf, 4, 0.5), "##--");
    CHECK_STR(cmd_bar(buf, 4, -1), "----");
    CHECK_STR(cmd_bar(buf, 4, 7), "####");
    CHECK_STR(cmd_sparkline(buf, values, 4), "_. #");
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        SKIP("there is no UTF-8 locale");
    CHECK_STR(cmd_bar(buf, 4, 0.6), "██▍ ");
    CHECK_STR(cmd_sparkline(buf, values, 4), "▁▃ █");
    CHECK_STR(cmd_sparkline(buf, values, 1), "▁");
}

int main(void)
{
    static const struct test_case cases[] = {
        { "times", times },
        { "sizes", sizes },
        { "their texts", texts },
        { "percentiles against a sorted list", percentiles },
        { "histograms are merged", merging },
        { "a histogram's extremes", extremes },
        { "JSON", json },
        { "a live line on a terminal", status_line },
        { "colours on a terminal", colours },
        { "bars and sparklines", bars },
    };
    return RUN_CASES_ON_THREAD(cases);
}
