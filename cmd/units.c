/* units.c - numbers, times and sizes as people write and read them: all options and all reports go
 * through here, so that 1M is the same everywhere. */
#include "units.h"
#include "cmd.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int cmd_parse_integer(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    if (!strchr("-0123456789", *text))
        return -1;
    errno = 0;
    *number = strtoll(text, &end, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
    return end == text || *end || errno || *number < least || *number > most ? -1 : 0;
}

/* A number that is not negative and begins with a digit or a point (no "inf", no "0x").  Where it ends, or NULL. */
static const char *read_number(const char *text, double *number)
{
    char *end;
    if (text[strspn(text, "0123456789.")] == 'x' || !strspn(text, "0123456789."))
        return NULL;
    *number = strtod(text, &end);
    return end != text && isfinite(*number) ? end : NULL;
}

int cmd_parse_time(const char *text, double *seconds)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = { { "", 1 }, { "s", 1 }, { "ms", 1e-3 }, { "us", 1e-6 }, { "m", 60 }, { "h", 3600 } };
    double number;
    const char *end = read_number(text, &number);
    for (size_t i = 0; end && number <= 1e9 && i < COUNT(units); i++)
        if (!strcmp(end, units[i].unit)) {
            *seconds = number * units[i].seconds;
            return 0;
        }
    return -1;
}

/* Whether nothing follows a size's letter but what a writer may add to it. */
static bool is_tail(const char *text)
{
    static const char *const tails[] = { "", "B", "iB", "/s", "B/s", "iB/s" };
    for (size_t i = 0; i < COUNT(tails); i++)
        if (!strcmp(text, tails[i]))
            return true;
    return false;
}

int cmd_parse_size(const char *text, int64_t *bytes)
{
    static const char letters[] = "KMGT";
    double number;
    const char *end = read_number(text, &number);
    const char *letter = end && *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
    if (!end || !is_tail(end + (letter != NULL)))
        return -1;
    if (letter)
        number *= pow(1024, (double)(letter - letters + 1));
    if (number >= 0x1p63)
        return -1;
    *bytes = (int64_t)number;
    return 0;
}

/* Three digits that count. */
static int digits_behind(double number)
{
    return number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
}

static char *size_text(double bytes, const char *tail, char *buf)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    size_t i = 0;
    for (; bytes >= 999.5 && i < COUNT(units) - 1; i++)
        bytes /= 1024;
    snprintf(buf, CMD_UNITS_TEXT, "%.*f %s%s", i ? digits_behind(bytes) : 0, bytes, units[i], tail);
    return buf;
}

char *cmd_size_text(double bytes, char buf[static CMD_UNITS_TEXT])
{
    return size_text(bytes, "", buf);
}

char *cmd_rate_text(double bytes_per_second, char buf[static CMD_UNITS_TEXT])
{
    return size_text(bytes_per_second, "/s", buf);
}

static char *clock_text(double seconds, char *buf)
{
    long long s = llround(fmin(seconds, 1e15));
    if (s < 3600)
        snprintf(buf, CMD_UNITS_TEXT, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(buf, CMD_UNITS_TEXT, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    return buf;
}

char *cmd_time_text(double seconds, char buf[static CMD_UNITS_TEXT])
{
    static const char *const units[] = { "ns", "us", "ms", "s" };
    double number = seconds * 1e9;
    size_t i = 0;
    if (seconds >= 99.5)
        return clock_text(seconds, buf);
    for (; number >= 999.5 && i < COUNT(units) - 1; i++)
        number /= 1000;
    snprintf(buf, CMD_UNITS_TEXT, "%.*f %s", i ? digits_behind(number) : 0, number, units[i]);
    return buf;
}
