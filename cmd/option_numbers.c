/* option_numbers.c - values of socket options that are numbers: plain ones, and those with a unit or a name. */
#include "cmd.h"
#include "option_kinds.h"
#include "units.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

typedef const struct cmd_sockopt Option;
typedef struct cmd_sockopt_value Value;

static int put_int(Value *value, int64_t number)
{
    int as_int = (int)number; /* what is above INT_MAX are 32 bits without a sign */
    return cmd_sockopt_put(value, &as_int, sizeof as_int);
}

static void json_int(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_integer(j, name, SOCKOPT_AS(int, value));
}

static void json_unsigned(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_integer(j, name, SOCKOPT_AS(unsigned, value));
}

/* ---- On and off ---- */

static int parse_bool(Option *option, const char *text, Value *value)
{
    static const char *const words[] = { "0", "1", "off", "on", "no", "yes", "false", "true" };
    (void)option;
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcasecmp(text, words[i]))
            return put_int(value, i % 2);
    return -1;
}

static void format_bool(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%s", SOCKOPT_AS(int, value) ? "on" : "off");
}

static void json_bool(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_bool(j, name, SOCKOPT_AS(int, value) != 0);
}

const struct cmd_sockopt_kind kind_bool = { sizeof(int), "1 or 0, on or off", parse_bool, format_bool, json_bool };

/* ---- Plain numbers ---- */

static int parse_int(Option *option, const char *text, Value *value)
{
    int64_t number;
    (void)option;
    return cmd_parse_integer(text, INT_MIN, UINT_MAX, &number) < 0 ? -1 : put_int(value, number);
}

static void format_int(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%d", SOCKOPT_AS(int, value));
}

static void format_hex(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%#x", SOCKOPT_AS(unsigned, value));
}

static void format_u64(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%llu", SOCKOPT_AS(unsigned long long, value));
}

const struct cmd_sockopt_kind kind_int = { sizeof(int), "a number", parse_int, format_int, json_int };
const struct cmd_sockopt_kind kind_hex = { sizeof(int), "a number, such as 0x28", parse_int, format_hex,
                                           json_unsigned };
const struct cmd_sockopt_kind kind_u64 = { sizeof(uint64_t), NULL, NULL, format_u64, NULL };

/* ---- Names ---- */

static int parse_name(Option *option, const char *text, Value *value)
{
    int64_t number;
    if (cmd_constant_value(option->prefix, text, &number) == 0)
        return put_int(value, number);
    return parse_int(option, text, value);
}

static void format_name(Option *option, const Value *value, char *buf, size_t len)
{
    const char *name = cmd_constant_name(option->prefix, SOCKOPT_AS(int, value));
    if (name)
        snprintf(buf, len, "%s", name);
    else
        format_int(option, value, buf, len);
}

static void format_errno(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%s", SOCKOPT_AS(int, value) ? strerror(SOCKOPT_AS(int, value)) : "none");
}

const struct cmd_sockopt_kind kind_name = { sizeof(int), "a constant's name or its number", parse_name, format_name,
                                            NULL };
const struct cmd_sockopt_kind kind_errno = { sizeof(int), NULL, NULL, format_errno, json_int };

/* ---- Bytes ---- */

static int parse_size(Option *option, const char *text, Value *value)
{
    int64_t bytes;
    (void)option;
    if (!strcmp(text, "unlimited"))
        return put_int(value, UINT_MAX);
    return cmd_parse_size(text, &bytes) < 0 || bytes > INT_MAX ? -1 : put_int(value, bytes);
}

static void format_size(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    if (SOCKOPT_AS(unsigned, value) == UINT_MAX)
        snprintf(buf, len, "unlimited");
    else
        snprintf(buf, len, "%u", SOCKOPT_AS(unsigned, value));
}

static int parse_size64(Option *option, const char *text, Value *value)
{
    int64_t bytes;
    (void)option;
    return cmd_parse_size(text, &bytes) < 0 ? -1 : cmd_sockopt_put(value, &bytes, sizeof bytes);
}

static void json_size64(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_integer(j, name, SOCKOPT_AS(int64_t, value));
}

/* The kernel's is an unsigned long. */
static int parse_rate(Option *option, const char *text, Value *value)
{
    int64_t bytes;
    unsigned long rate = ULONG_MAX;
    (void)option;
    if (strcmp(text, "unlimited") != 0) {
        if (cmd_parse_size(text, &bytes) < 0 || (uint64_t)bytes > ULONG_MAX)
            return -1;
        rate = (unsigned long)bytes;
    }
    return cmd_sockopt_put(value, &rate, sizeof rate);
}

static void format_rate(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    if (SOCKOPT_AS(unsigned long, value) == ULONG_MAX)
        snprintf(buf, len, "unlimited");
    else
        snprintf(buf, len, "%lu", SOCKOPT_AS(unsigned long, value));
}

const struct cmd_sockopt_kind kind_size = { sizeof(int), "a number of bytes, such as 1500, 64k or 1M", parse_size,
                                            format_size, json_unsigned };
const struct cmd_sockopt_kind kind_size64 = { sizeof(int64_t), "a number of bytes, such as 64k or 1M", parse_size64,
                                              format_u64, json_size64 };
const struct cmd_sockopt_kind kind_rate = { sizeof(unsigned long), "bytes per second, such as 100k, or unlimited",
                                            parse_rate, format_rate, NULL };

/* ---- Times ---- */

/* A plain number is in the option's own unit, as in the manual pages that people have it from. */
static int parse_unit(const char *text, double unit, Value *value)
{
    int64_t number;
    double seconds;
    if (cmd_parse_integer(text, INT_MIN, INT_MAX, &number) == 0)
        return put_int(value, number);
    if (cmd_parse_time(text, &seconds) < 0 || ceil(seconds / unit) > INT_MAX)
        return -1;
    return put_int(value, (int64_t)ceil(seconds / unit - 1e-6));
}

static int parse_s(Option *option, const char *text, Value *value)
{
    (void)option;
    return parse_unit(text, 1, value);
}

static int parse_ms(Option *option, const char *text, Value *value)
{
    (void)option;
    return parse_unit(text, 1e-3, value);
}

static int parse_us(Option *option, const char *text, Value *value)
{
    (void)option;
    return parse_unit(text, 1e-6, value);
}

static void format_s(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%ds", SOCKOPT_AS(int, value));
}

static void format_ms(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%dms", SOCKOPT_AS(int, value));
}

static void format_us(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%dus", SOCKOPT_AS(int, value));
}

static void json_ms(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_number(j, name, SOCKOPT_AS(int, value) / 1e3);
}

static void json_us(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_number(j, name, SOCKOPT_AS(int, value) / 1e6);
}

static int parse_timeval(Option *option, const char *text, Value *value)
{
    double seconds;
    (void)option;
    if (cmd_parse_time(text, &seconds) < 0)
        return -1;
    struct timeval tv = { .tv_sec = (time_t)seconds, .tv_usec = (suseconds_t)(fmod(seconds, 1) * 1e6) };
    return cmd_sockopt_put(value, &tv, sizeof tv);
}

static double seconds_of(const Value *value)
{
    struct timeval tv = SOCKOPT_AS(struct timeval, value);
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void format_timeval(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    snprintf(buf, len, "%.9gs", seconds_of(value));
}

static void json_timeval(const Value *value, struct cmd_json *j, const char *name)
{
    cmd_json_number(j, name, seconds_of(value));
}

const struct cmd_sockopt_kind kind_s = { sizeof(int), "a time, such as 30s or 2m; plain numbers are seconds", parse_s,
                                         format_s, json_int };
const struct cmd_sockopt_kind kind_ms = { sizeof(int), "a time, such as 500ms or 2s; plain numbers are milliseconds",
                                          parse_ms, format_ms, json_ms };
const struct cmd_sockopt_kind kind_us = { sizeof(int), "a time, such as 50us or 2ms; plain numbers are microseconds",
                                          parse_us, format_us, json_us };
const struct cmd_sockopt_kind kind_timeval = { sizeof(struct timeval), "a time, such as 2.5s or 500ms", parse_timeval,
                                               format_timeval, json_timeval };
