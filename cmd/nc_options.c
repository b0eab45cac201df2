/* nc_options.c - netcat's flags, in one table. */
#include "nc.h"
#include "units.h"
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- -T ---- */

static const struct word {
    const char *name;
    int value;
} tos_words[] = { { "critical", 0xa0 },   { "inetcontrol", 0xc0 }, { "lowcost", 0x02 },   { "lowdelay", 0x10 },
                  { "netcontrol", 0xe0 }, { "reliability", 0x04 }, { "throughput", 0x08 } };

static int set_tos(struct nc *nc, const char *text)
{
    char *end;
    int class = isalpha((unsigned char)*text) ? cmd_dscp(text) : -1; /* a number is all of the byte */
    long number = strtol(text, &end, 0);
    nc->tos = class < 0 ? -1 : class << 2;
    for (size_t i = 0; i < COUNT(tos_words); i++)
        if (!strcasecmp(text, tos_words[i].name))
            nc->tos = tos_words[i].value;
    if (nc->tos < 0 && end != text && !*end && number >= 0 && number <= 255)
        nc->tos = (int)number;
    if (nc->tos >= 0)
        return 0;
    cmd_say("-T: '%s' is neither lowdelay, ef, af11, cs1 and their like nor a number up to 255", text);
    return -1;
}

/* ---- The table ---- */

static int set_protocol(struct nc *nc, const char *text)
{
    static const struct word words[] = {
        { "4", PROXY_SOCKS4 }, { "4A", PROXY_SOCKS4A }, { "5", PROXY_SOCKS5 }, { "connect", PROXY_HTTP }
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcasecmp(text, words[i].name)) {
            nc->proxy.protocol = (enum proxy_protocol)words[i].value;
            return 0;
        }
    cmd_say("-X: '%s' is none of 4, 4A, 5, connect", text);
    return -1;
}

/* Linux gives routing tables to sockets by the name of a device (VRF) only. */
static int set_vrf(struct nc *nc, const char *text)
{
    nc->vrf = text;
    if (!isdigit((unsigned char)*text))
        return 0;
    cmd_say("-V: Linux has no numbered routing tables for sockets; give the name of a VRF device instead of '%s'",
            text);
    return -1;
}

static int set_md5(struct nc *nc, const char *text)
{
    (void)nc, (void)text;
    cmd_say("-S: signing TCP by MD5 is not supported");
    return -1;
}

static int set_dccp(struct nc *nc, const char *text)
{
    (void)nc, (void)text;
    cmd_say("-Z: DCCP is not supported; Linux 6.16 has removed it");
    return -1;
}

enum kind { FLAG, FAMILY, TIME, SIZE, NUMBER, TEXT, OTHER };

#define FIELD(name) offsetof(struct nc, name)

static const struct row {
    char letter;
    enum kind kind;
    size_t field;
    int least, most; /* NUMBER; FAMILY: which */
    int (*set)(struct nc *nc, const char *text);
} rows[] = {
    { '4', FAMILY, .field = FIELD(family), .least = AF_INET },
    { '6', FAMILY, .field = FIELD(family), .least = AF_INET6 },
    { 'b', FLAG, .field = FIELD(broadcast) },
    { 'C', FLAG, .field = FIELD(crlf) },
    { 'D', FLAG, .field = FIELD(debug) },
    { 'd', FLAG, .field = FIELD(detached) },
    { 'F', FLAG, .field = FIELD(pass_fd) },
    { 'h', FLAG, .field = FIELD(help) },
    { 'I', SIZE, .field = FIELD(receive_buffer) },
    { 'i', TIME, .field = FIELD(interval) },
    { 'k', FLAG, .field = FIELD(keep) },
    { 'l', FLAG, .field = FIELD(listen) },
    { 'M', NUMBER, .field = FIELD(ttl), .least = 1, .most = 255 },
    { 'm', NUMBER, .field = FIELD(least_ttl), .least = 1, .most = 255 },
    { 'N', FLAG, .field = FIELD(shut) },
    { 'n', FLAG, .field = FIELD(numeric) },
    { 'O', SIZE, .field = FIELD(send_buffer) },
    { 'P', TEXT, .field = FIELD(proxy.user) },
    { 'p', TEXT, .field = FIELD(source_port) },
    { 'q', TIME, .field = FIELD(quit) },
    { 'r', FLAG, .field = FIELD(shuffle) },
    { 'S', OTHER, .set = set_md5 },
    { 's', TEXT, .field = FIELD(source) },
    { 'T', OTHER, .least = 1, .set = set_tos },
    { 't', FLAG, .field = FIELD(telnet) },
    { 'U', FAMILY, .field = FIELD(family), .least = AF_UNIX },
    { 'u', FLAG, .field = FIELD(udp) },
    { 'V', OTHER, .least = 1, .set = set_vrf },
    { 'v', FLAG, .field = FIELD(verbose) },
    { 'W', NUMBER, .field = FIELD(limit), .least = 1, .most = INT_MAX },
    { 'w', TIME, .field = FIELD(wait) },
    { 'X', OTHER, .least = 1, .set = set_protocol },
    { 'x', TEXT, .field = FIELD(proxy_text) },
    { 'Z', OTHER, .set = set_dccp },
    { 'z', FLAG, .field = FIELD(scan) },
};

/* OTHER takes a value where least is set. */
static bool has_value(const struct row *row)
{
    return row->kind >= TIME && (row->kind != OTHER || row->least);
}

static const struct row *row_of(int letter)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* ---- Values ---- */

/* A negative time is for ever. */
static int read_time(const struct row *row, double *field, const char *text)
{
    double seconds;
    bool negative = *text == '-' && row->letter == 'q';
    if (cmd_parse_time(text + negative, &seconds) == 0) {
        *field = negative ? SKT_NO_TIMEOUT : seconds;
        return 0;
    }
    cmd_say("-%c: '%s' is no time; write 2, 1.5s, 500ms or 3m", row->letter, text);
    return -1;
}

static int read_size(const struct row *row, int64_t *field, const char *text)
{
    if (cmd_parse_size(text, field) == 0 && *field > 0 && *field <= INT_MAX)
        return 0;
    cmd_say("-%c: '%s' is no size of a buffer; write 65536, 64k or 1M", row->letter, text);
    return -1;
}

static int read_number(const struct row *row, int *field, const char *text)
{
    int64_t number;
    if (cmd_parse_integer(text, row->least, row->most, &number) == 0) {
        *field = (int)number;
        return 0;
    }
    cmd_say("-%c: '%s' is no number from %d to %d", row->letter, text, row->least, row->most);
    return -1;
}

static int read_option(struct nc *nc, const struct row *row, const char *text)
{
    void *field = (char *)nc + row->field;
    switch (row->kind) {
    case FLAG:
        *(bool *)field = true;
        return 0;
    case FAMILY:
        *(int *)field = row->least;
        return 0;
    case TIME:
        return read_time(row, field, text);
    case SIZE:
        return read_size(row, field, text);
    case NUMBER:
        return read_number(row, field, text);
    case TEXT:
        *(const char **)field = text;
        return 0;
    default:
        return row->set(nc, text);
    }
}

/* ---- What goes together ---- */

static int check(const struct nc *nc)
{
    const struct {
        bool wrong;
        const char *sentence;
    } rules[] = {
        { nc->listen && nc->scan, "cannot use -z and -l" },
        { nc->keep && !nc->listen, "must use -l with -k" },
        { nc->listen && nc->proxy_text, "no proxy support for listen" },
        { nc->pass_fd && nc->family == AF_UNIX, "cannot use -F and -U" },
        { nc->pass_fd && nc->listen, "cannot use -F and -l" },
        { nc->proxy_text && nc->udp, "no proxy support for UDP mode" },
        { nc->proxy_text && nc->family == AF_UNIX, "no proxy support for Unix sockets" },
        { nc->proxy_text && nc->source, "no proxy support for local source address" },
        { nc->proxy_text && nc->source_port, "no proxy support for local source port" },
        { nc->listen && nc->family == AF_UNIX && nc->source, "cannot use -s with -l and -U: the path is the operand" },
        { nc->family == AF_UNIX && nc->source_port, "cannot use -p and -U" },
    };
    for (size_t i = 0; i < COUNT(rules); i++)
        if (rules[i].wrong) {
            cmd_say("%s", rules[i].sentence);
            return -1;
        }
    return 0;
}

int nc_read_options(struct nc *nc, int n, char **args)
{
    char letters[2 * COUNT(rows) + 2] = ":", *end = letters + 1;
    int letter;
    *nc = (struct nc){ .quit = SKT_NO_TIMEOUT, .wait = SKT_NO_TIMEOUT, .tos = -1, .proxy.protocol = PROXY_SOCKS5 };
    for (size_t i = 0; i < COUNT(rows); i++) {
        *end++ = rows[i].letter;
        if (has_value(&rows[i]))
            *end++ = ':';
    }
    opterr = 0;
    while ((letter = getopt(n + 1, args - 1, letters)) != -1) {
        if (letter == '?' || letter == ':') {
            cmd_say(letter == ':' ? "-%c needs a value; skt help nc lists the flags"
                                  : "there is no flag -%c; skt help nc lists them",
                    optopt);
            return -1;
        }
        if (read_option(nc, row_of(letter), optarg) < 0)
            return -1;
    }
    nc->shut |= nc->quit >= 0;
    if (nc->source_port && !nc->help && (nc->local_port = nc_port(nc, nc->source_port)) < 0)
        return -1;
    if (!nc->help && (check(nc) < 0 || (nc->proxy_text && nc_read_proxy(nc) < 0)))
        return -1;
    return optind - 1;
}

int nc_port(const struct nc *nc, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    int port = -1;
    if (end == text || *end || isspace((unsigned char)*text))
        port = skt_getservbyname(text, nc_protocol(nc));
    else if (number >= 1 && number <= 65535)
        port = (int)number;
    if (port > 0)
        return port;
    cmd_say("'%s' is neither a port from 1 to 65535 nor a %s service", text, nc_protocol(nc));
    return -1;
}
