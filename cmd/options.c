/* options.c - the options of all subcommands, in one table: an option means the same wherever it is
 * taken.  A subcommand lists the names of those it takes. */
#include "options.h"
#include "option_names.h"
#include "units.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table ---- */

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

static int set_dscp(struct cmd_settings *settings, const char *value)
{
    settings->dscp = cmd_dscp(value);
    if (settings->dscp < 0)
        return cmd_misuse("--dscp: '%s' is neither a class such as EF, AF41 and CS1 nor a number from 0 to 63", value);
    return 0;
}

/* Checked here, and set when there is a socket. */
static int set_socket_option(struct cmd_settings *settings, const char *value)
{
    struct cmd_sockopt_setting setting;
    struct cmd_list *list = &settings->socket_options;
    int status = cmd_read_sockopt(value, &setting);
    if (status)
        return status;
    if (list->n == COUNT(list->items))
        return cmd_misuse("--option may be given %zu times at most", COUNT(list->items));
    list->items[list->n++] = value;
    return 0;
}

static const char *const end_words[] = { [END_BOTH] = "both", [END_PEER] = "peer", [END_INPUT] = "input", NULL };
static const char *const bulk_words[] = {
    [BULK_NONE] = "", [BULK_UP] = "up", [BULK_DOWN] = "down", [BULK_BOTH] = "both", NULL
};
static const char *const answer_words[] = { [ANSWER_DEFAULT] = "",  [ANSWER_ECHO] = "echo", [ANSWER_LINE] = "line",
                                            [ANSWER_HTTP] = "http", [ANSWER_NONE] = "none", NULL };
static const char *const proxy_words[] = { "", "v1", "v2", NULL };
static const char *const shell_words[] = { [SHELL_NONE] = "", [SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", NULL };

#define FIELD(name) offsetof(struct cmd_settings, name)

static const struct cmd_option rows[] = {
    { '4', "ipv4", NULL, OPTION_OTHER, 0, .help = "use IPv4 only", .set = set_ipv4 },
    { '6', "ipv6", NULL, OPTION_OTHER, 0, .help = "use IPv6 only", .set = set_ipv6 },
    { 't', "timeout", "TIME", OPTION_TIME, FIELD(timeout),
      .help = "fail if there is no peer after TIME: 2, 500ms, 3m" },
    { 'i', "idle", "TIME", OPTION_TIME, FIELD(idle), .help = "end when nothing has come or gone for TIME" },
    { 'e', "end", "WHEN", OPTION_WORD, FIELD(end), .help = "both (default), peer or input: whose end ends it",
      .words = end_words },
    { 0, "connect", NULL, OPTION_FLAG, FIELD(connect), .help = "connect to ADDRESS" },
    { 0, "listen", NULL, OPTION_FLAG, FIELD(listen), .help = "wait at ADDRESS for the peer instead of connecting" },
    { 0, "raw", NULL, OPTION_FLAG, FIELD(raw), .help = "without the protocol: nc and socat understand it" },
    { 0, "replace", NULL, OPTION_FLAG, FIELD(replace), .help = "replace files that are there" },
    { 'k', "keep", NULL, OPTION_FLAG, FIELD(keep), .help = "go on after a client, and serve several at once" },
    { 'b', "broadcast", NULL, OPTION_FLAG, FIELD(broadcast), .help = "pass what a client sends on to the others, too" },
    { 'r', "retry", "TIME", OPTION_TIME, FIELD(retry), .help = "try again every TIME until the peer is there" },
    { 0, "exec", "PROGRAM...", OPTION_REST, FIELD(exec),
      .help = "run it, with the connection as its input and output" },
    { 0, "shell", "COMMAND", OPTION_TEXT, FIELD(shell), .help = "the same with a command for sh" },
    { 's', "source", "HOST[:PORT]", OPTION_TEXT, FIELD(source), .help = "connect from this address of ours" },
    { 0, "interface", "NAME", OPTION_TEXT, FIELD(interface), .help = "use this network interface only" },
    { 0, "ttl", "HOPS", OPTION_NUMBER, FIELD(ttl), .help = "how far packets may go, 1 to 255", .least = 1,
      .most = 255 },
    { 0, "dscp", "CLASS", OPTION_OTHER, 0, .help = "mark packets: EF, AF41, CS1 ... or 0 to 63", .set = set_dscp },
    { 'O', "option", "NAME=VALUE", OPTION_OTHER, 0, .help = "set a socket option: TCP_NODELAY=1, SO_RCVBUF=1M",
      .set = set_socket_option },
    { 0, "send-buffer", "SIZE", OPTION_SIZE, FIELD(send_buffer), .help = "SO_SNDBUF: 64k, 1M" },
    { 0, "receive-buffer", "SIZE", OPTION_SIZE, FIELD(receive_buffer), .help = "SO_RCVBUF: 64k, 1M" },
    { 0, "send-fd", "N", OPTION_LIST, FIELD(send_fd), .help = "pass descriptor N with the first bytes (Unix sockets)" },
    { 0, "record", "FILE", OPTION_TEXT, FIELD(record), .help = "write down what goes each way; -: to stderr" },
    { 'c', "count", "N", OPTION_NUMBER, FIELD(count), .help = "end after N", .least = 1, .most = 1000000000 },
    { 0, "interval", "TIME", OPTION_TIME, FIELD(interval), .help = "TIME from one to the next: 1 (default), 200ms" },
    { 0, "size", "SIZE", OPTION_SIZE, FIELD(size), .help = "bytes of data in each" },
    { 0, "tcp", NULL, OPTION_FLAG, FIELD(tcp), .help = "measure how long TCP takes to connect" },
    { 0, "reverse", NULL, OPTION_FLAG, FIELD(reverse), .help = "look up the names of the addresses, too" },
    { 'p', "port", "N", OPTION_NUMBER, FIELD(port), .help = "the packets of this port, whoever's they are", .least = 1,
      .most = 65535 },
    { 0, "svg", "FILE", OPTION_TEXT, FIELD(svg), .help = "draw a picture, too" },
    { 0, "output", "FILE", OPTION_TEXT, FIELD(output), .help = "write results there; -: to standard output" },
    { 0, "calls", NULL, OPTION_FLAG, FIELD(calls), .help = "draw the library's calls and not packets" },
    { 'n', "connections", "N", OPTION_NUMBER, FIELD(connections), .help = "so many connections (1)", .least = 1,
      .most = 1000000 },
    { 0, "threads", "N", OPTION_NUMBER, FIELD(threads), .help = "on so many threads (1)", .least = 1, .most = 64 },
    { 'd', "duration", "TIME", OPTION_TIME, FIELD(duration), .help = "measure for TIME (10 s)" },
    { 0, "every", "TIME", OPTION_TIME, FIELD(every), .help = "a line for each TIME (1 s)" },
    { 0, "pace", "N", OPTION_NUMBER, FIELD(pace), .help = "N requests a second, however slow the answers", .least = 1,
      .most = 100000000 },
    { 0, "bulk", "WAY", OPTION_WORD, FIELD(bulk), .help = "up, down or both: no requests, all that goes through",
      .words = bulk_words },
    { 0, "request", "TEXT", OPTION_TEXT, FIELD(request), .help = "send this; \\r \\n \\x00 are understood" },
    { 0, "answer", "KIND", OPTION_WORD, FIELD(answer), .help = "what answers it: echo, line, http or none",
      .words = answer_words },
    { 0, "plot", "FILE", OPTION_TEXT, FIELD(plot), .help = "draw the results, as SVG" },
    { 0, "accept-proxy", NULL, OPTION_FLAG, FIELD(accept_proxy),
      .help = "clients send a PROXY header, version 1 or 2" },
    { 0, "send-proxy", "VERSION", OPTION_WORD, FIELD(send_proxy), .help = "send a PROXY header: v1 or v2",
      .words = proxy_words },
    { 0, "rate", "RATE", OPTION_SIZE, FIELD(rate), .help = "bytes a second, each way of each connection" },
    { 0, "max", "N", OPTION_NUMBER, FIELD(max), .help = "so many connections at once; others wait", .least = 1,
      .most = 10000000 },
    { 0, "grace", "TIME", OPTION_TIME, FIELD(grace), .help = "for those who are there when SIGTERM comes (10 s)" },
    { 0, "handover", "PATH", OPTION_TEXT, FIELD(handover), .help = "take over from a relay with this PATH" },
    { 0, "log", "FILE", OPTION_TEXT, FIELD(log), .help = "append the lines to FILE" },
    { 0, "json", NULL, OPTION_FLAG, FIELD(json), .help = "print results as JSON, a line each" },
    { 'v', "verbose", NULL, OPTION_FLAG, FIELD(verbose), .help = "say more on standard error" },
    { 0, "completion", "SHELL", OPTION_WORD, FIELD(completion), .help = "print the completion for bash or zsh",
      .words = shell_words },
    { 'h', "help", NULL, OPTION_FLAG, FIELD(help), .help = "print this" },
};

static const struct cmd_settings defaults = {
    .timeout = SKT_NO_TIMEOUT,
    .idle = SKT_NO_TIMEOUT,
    .retry = SKT_NO_TIMEOUT,
    .dscp = -1,
    .interval = -1,
    .size = -1,
    .connections = 1,
    .threads = 1,
    .duration = 10,
    .every = 1,
    .grace = 10,
};

/* ---- Values: one function for each kind ---- */

static int read_flag(const struct cmd_option *option, void *field, const char *value)
{
    (void)option, (void)value;
    *(bool *)field = true;
    return 0;
}

static int read_time(const struct cmd_option *option, void *field, const char *value)
{
    if (cmd_parse_time(value, field) == 0)
        return 0;
    return cmd_misuse("--%s: '%s' is no time; write 2, 1.5s, 500ms or 3m", option->name, value);
}

static int read_size(const struct cmd_option *option, void *field, const char *value)
{
    if (cmd_parse_size(value, field) == 0)
        return 0;
    return cmd_misuse("--%s: '%s' is no size; write 1500, 64k, 1.5M or 2G", option->name, value);
}

static int read_number(const struct cmd_option *option, void *field, const char *value)
{
    int64_t number;
    if (cmd_parse_integer(value, option->least, option->most, &number) < 0)
        return cmd_misuse("--%s: '%s' is no number from %d to %d", option->name, value, option->least, option->most);
    *(int *)field = (int)number;
    return 0;
}

static int read_text(const struct cmd_option *option, void *field, const char *value)
{
    (void)option;
    *(const char **)field = value;
    return 0;
}

static int no_such_word(const struct cmd_option *option, const char *value)
{
    char all[256] = "";
    for (size_t i = 0; option->words[i]; i++)
        if (*option->words[i])
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? ", " : "", option->words[i]);
    return cmd_misuse("--%s: '%s' is none of %s", option->name, value, all);
}

static int read_word(const struct cmd_option *option, void *field, const char *value)
{
    for (int i = 0; option->words[i]; i++)
        if (*value && !strcmp(value, option->words[i])) {
            *(int *)field = i;
            return 0;
        }
    return no_such_word(option, value);
}

static int read_list(const struct cmd_option *option, void *field, const char *value)
{
    struct cmd_list *list = field;
    if (list->n == COUNT(list->items))
        return cmd_misuse("--%s may be given %zu times at most", option->name, COUNT(list->items));
    list->items[list->n++] = value;
    return 0;
}

static int (*const readers[])(const struct cmd_option *option, void *field, const char *value) = {
    [OPTION_FLAG] = read_flag, [OPTION_TIME] = read_time, [OPTION_SIZE] = read_size, [OPTION_NUMBER] = read_number,
    [OPTION_TEXT] = read_text, [OPTION_WORD] = read_word, [OPTION_LIST] = read_list,
};

/* ---- The options of one command ---- */

static const struct cmd_option *taken[COUNT(rows) + 1];

static const struct cmd_option *row_named(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strlen(rows[i].name) == len && !strncmp(rows[i].name, name, len))
            return &rows[i];
    cmd_say("the table of options has no '%.*s'", (int)len, name); /* a mistake of ours, which the tests see */
    abort();
}

const struct cmd_option *const *cmd_options_of(const struct command *command, size_t *shown)
{
    size_t n = 0, before = SIZE_MAX;
    for (const char *word = command->options; *word; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");
        if (*word == '|')
            before = n;
        else
            taken[n++] = row_named(word, len);
        word += len;
    }
    taken[n] = NULL;
    if (shown)
        *shown = before < n ? before : n;
    return taken;
}

static void print_option(const struct cmd_option *option)
{
    char name[40];
    snprintf(name, sizeof name, "%s %s", option->name, option->value ? option->value : "");
    if (option->letter)
        printf("  -%c, --%-16s %s\n", option->letter, name, option->help);
    else
        printf("      --%-16s %s\n", name, option->help);
}

/* Those behind the bar by their names only, in lines of at most 79 columns. */
static void print_names(const struct cmd_option *const *options)
{
    int column = printf("  and") - 1;
    for (; *options; options++) {
        const struct cmd_option *o = *options;
        char text[64];
        int len = o->letter && !o->value ? snprintf(text, sizeof text, " -%c, --%s", o->letter, o->name)
                                         : snprintf(text, sizeof text, " --%s%s%s", o->name, o->value ? " " : "",
                                                    o->value ? o->value : "");
        if (column + len > 78)
            column = printf("\n     ") - 2;
        column += printf("%s%s", text, options[1] ? ";" : "\n");
    }
}

void cmd_print_options(const struct command *command)
{
    size_t shown;
    const struct cmd_option *const *options = cmd_options_of(command, &shown);
    for (size_t i = 0; i < shown; i++)
        print_option(options[i]);
    if (options[shown])
        print_names(options + shown);
}

/* ---- Reading ---- */

static const char *option_name(size_t i)
{
    return taken[i] ? taken[i]->name : NULL;
}

enum { LONG = 256 }; /* what getopt_long returns for a long option: this and its place in taken */

/* What was taken, as getopt_long wants it. */
static void make_getopt(const struct command *command, char *shorts, struct option *longs)
{
    if (command->arguments == ARGUMENTS_LAST)
        *shorts++ = '+'; /* the first argument ends the options */
    *shorts++ = ':';     /* a missing value is told apart */
    for (int i = 0; taken[i]; i++) {
        int has_value = taken[i]->value && taken[i]->kind != OPTION_REST ? required_argument : no_argument;
        *longs++ = (struct option){ taken[i]->name, has_value, NULL, LONG + i };
        if (taken[i]->letter)
            *shorts++ = taken[i]->letter;
        if (taken[i]->letter && has_value)
            *shorts++ = ':';
    }
    *shorts = '\0';
    *longs = (struct option){ 0 };
}

/* What getopt_long returned, or put into optopt. */
static const struct cmd_option *option_of(int value)
{
    if (value >= LONG)
        return taken[value - LONG];
    for (size_t i = 0; taken[i]; i++)
        if (taken[i]->letter && taken[i]->letter == value)
            return taken[i];
    return NULL;
}

/* getopt_long said '?'; it tells of a long option only by what stands before optind. */
static int unknown_option(const struct command *command, char **argv)
{
    const struct cmd_option *option = option_of(optopt);
    char name[64];
    if (option)
        return cmd_misuse("%s: --%s takes no value", command->name, option->name);
    if (optopt)
        return cmd_misuse("%s has no option '-%c'; see skt help %s", command->name, optopt, command->name);
    snprintf(name, sizeof name, "%s", argv[optind - 1] + 2);
    name[strcspn(name, "=")] = '\0';
    const char *nearest = cmd_nearest(name, option_name);
    if (nearest)
        return cmd_misuse("%s has no option '--%s'; did you mean '--%s'?", command->name, name, nearest);
    return cmd_misuse("%s has no option '--%s'; see skt help %s", command->name, name, command->name);
}

/* All that follows belongs to the option: getopt is to look no further than here. */
static int take_rest(const struct cmd_option *option, char ***field, int *argc, char **argv)
{
    if (optind == *argc)
        return cmd_misuse("--%s needs a value: %s", option->name, option->value);
    *field = argv + optind;
    *argc = optind;
    return 0;
}

static int read_option(const struct cmd_option *option, struct cmd_settings *settings, int *argc, char **argv)
{
    void *field = (char *)settings + option->field;
    if (option->kind == OPTION_OTHER)
        return option->set(settings, optarg);
    if (option->kind == OPTION_REST)
        return take_rest(option, field, argc, argv);
    return readers[option->kind](option, field, optarg);
}

int cmd_read_options(const struct command *command, int *argc, char **argv, struct cmd_settings *settings)
{
    char shorts[2 * COUNT(rows) + 3];
    struct option longs[COUNT(rows) + 1];
    int got, status = 0;
    *settings = defaults;
    optind = 0; /* also for a second command in this process (skt trace) */
    cmd_options_of(command, NULL);
    make_getopt(command, shorts, longs);
    opterr = 0;
    while (status == 0 && (got = getopt_long(*argc, argv, shorts, longs, NULL)) != -1) {
        const struct cmd_option *option = option_of(got == ':' ? optopt : got);
        if (got == ':')
            status = cmd_misuse("%s: --%s needs a value: %s", command->name, option->name, option->value);
        else if (got == '?')
            status = unknown_option(command, argv);
        else
            status = read_option(option, settings, argc, argv);
    }
    return status;
}
