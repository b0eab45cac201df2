/* options.c - the options of all subcommands, in one table: an option means the
 * same wherever it is taken.  A subcommand lists the letters of those it takes. */
#include "cmd.h"
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values ---- */

/* "2", "2.5s", "500ms", "1m".  0, or STATUS_USAGE, having said why. */
static int read_time(const char *option, const char *text, double *seconds)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = { { "", 1 }, { "s", 1 }, { "ms", 0.001 }, { "m", 60 } };
    char *end;
    double number = strtod(text, &end);
    for (size_t i = 0; i < COUNT(units); i++)
        if (end != text && !strcmp(end, units[i].unit) && isfinite(number) && number >= 0 && number <= 1e9) {
            *seconds = number * units[i].seconds;
            return 0;
        }
    return cmd_misuse("--%s: '%s' is no time; write 2, 1.5s, 500ms or 3m", option, text);
}

static int set_timeout(struct cmd_settings *settings, const char *value)
{
    return read_time("timeout", value, &settings->timeout);
}

static int set_idle(struct cmd_settings *settings, const char *value)
{
    return read_time("idle", value, &settings->idle);
}

static int set_end(struct cmd_settings *settings, const char *value)
{
    static const char *const words[] = { [END_BOTH] = "both", [END_PEER] = "peer", [END_INPUT] = "input" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcmp(value, words[i])) {
            settings->end = (enum cmd_end)i;
            return 0;
        }
    return cmd_misuse("--end: '%s' is none of both, peer, input", value);
}

static int set_family(struct cmd_settings *settings, int family)
{
    if (settings->family != AF_UNSPEC && settings->family != family)
        return cmd_misuse("-4 and -6 exclude each other");
    settings->family = family;
    return 0;
}

static int set_ipv4(struct cmd_settings *settings, const char *value)
{
    (void)value;
    return set_family(settings, AF_INET);
}

static int set_ipv6(struct cmd_settings *settings, const char *value)
{
    (void)value;
    return set_family(settings, AF_INET6);
}

static int set_verbose(struct cmd_settings *settings, const char *value)
{
    (void)value;
    settings->verbose = true;
    return 0;
}

static int set_help(struct cmd_settings *settings, const char *value)
{
    (void)value;
    settings->help = true;
    return 0;
}

/* ---- The table ---- */

static const struct row {
    char letter;
    const char *name;
    const char *value; /* what is to follow it, or NULL */
    int (*set)(struct cmd_settings *settings, const char *value);
    const char *help;
} rows[] = {
    { '4', "ipv4", NULL, set_ipv4, "use IPv4 only" },
    { '6', "ipv6", NULL, set_ipv6, "use IPv6 only" },
    { 't', "timeout", "TIME", set_timeout, "fail if there is no peer after TIME (2, 1.5s, 500ms, 3m)" },
    { 'i', "idle", "TIME", set_idle, "end when nothing has come or gone for TIME" },
    { 'e', "end", "WHEN", set_end, "both (default), peer or input: whose end ends it" },
    { 'v', "verbose", NULL, set_verbose, "say who the peer is" },
    { 'h', "help", NULL, set_help, "print this" },
};

void cmd_print_options(const char *letters)
{
    char name[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strchr(letters, rows[i].letter)) {
            snprintf(name, sizeof name, "%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
            printf("  -%c, --%-14s %s\n", rows[i].letter, name, rows[i].help);
        }
}

/* ---- Reading ---- */

static const char *option_letters; /* those of the command that is being read, for option_name */

static const char *option_name(size_t i)
{
    for (size_t row = 0; row < COUNT(rows); row++)
        if (strchr(option_letters, rows[row].letter) && i-- == 0)
            return rows[row].name;
    return NULL;
}

/* The table as getopt_long wants it. */
static void make_getopt(const char *letters, char *shorts, struct option *longs)
{
    *shorts++ = ':'; /* a missing value is told apart */
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!strchr(letters, rows[i].letter))
            continue;
        *shorts++ = rows[i].letter;
        if (rows[i].value)
            *shorts++ = ':';
        *longs++ =
            (struct option){ rows[i].name, rows[i].value ? required_argument : no_argument, NULL, rows[i].letter };
    }
    *shorts = '\0';
    *longs = (struct option){ 0 };
}

static const struct row *row_of(int letter)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* getopt_long said '?'; it tells of a long option only by what stands before optind. */
static int unknown_option(const struct command *command, char **argv)
{
    const struct row *row = row_of(optopt);
    char name[64];
    if (row && strchr(command->options, optopt))
        return cmd_misuse("%s: --%s takes no value", command->name, row->name);
    if (optopt)
        return cmd_misuse("%s has no option '-%c'; see skt help %s", command->name, optopt, command->name);
    snprintf(name, sizeof name, "%s", argv[optind - 1] + 2);
    name[strcspn(name, "=")] = '\0';
    const char *nearest = cmd_nearest(name, option_name);
    if (nearest)
        return cmd_misuse("%s has no option '--%s'; did you mean '--%s'?", command->name, name, nearest);
    return cmd_misuse("%s has no option '--%s'; see skt help %s", command->name, name, command->name);
}

int cmd_read_options(const struct command *command, int argc, char **argv, struct cmd_settings *settings)
{
    char shorts[2 * COUNT(rows) + 2];
    struct option longs[COUNT(rows) + 1];
    int letter, status = 0;
    *settings = (struct cmd_settings){ .timeout = SKT_NO_TIMEOUT, .idle = SKT_NO_TIMEOUT };
    option_letters = command->options;
    make_getopt(command->options, shorts, longs);
    opterr = 0;
    while (status == 0 && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct row *row = row_of(letter == ':' ? optopt : letter);
        if (letter == ':')
            status = cmd_misuse("%s: --%s needs a value: %s", command->name, row->name, row->value);
        else if (letter == '?')
            status = unknown_option(command, argv);
        else
            status = row->set(settings, optarg);
    }
    return status;
}
