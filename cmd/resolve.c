/* resolve.c - skt resolve: a name's addresses in the order in which a connection would try them, with what else
 * one wants to know when the first of them is the wrong one. */
#include "clock.h"
#include "host.h"
#include "json.h"
#include "terminal.h"
#include "units.h"
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT 5.0 /* seconds for each address with --connect; the kernel would take two minutes */

/* An address, and what was found out about it.  A trouble that is not "" says why there is nothing. */
struct answer {
    skt_addr addr;
    skt_addr source;
    char source_trouble[96];
    char reverse[NI_MAXHOST], reverse_trouble[96];
    double took;
    char connect_trouble[96];
};

/* All that is known of the name. */
struct resolution {
    const struct cmd_settings *settings;
    const struct cmd_address *address;
    bool reverse;
    double took; /* the look-up */
    skt_addrinfo *rows;
    size_t n;
    char failed[160];     /* why there is no address at all, or "" */
    char trouble[2][160]; /* why a family has none; [1] is IPv6 */
};

static const char *family_name(int family)
{
    return family == AF_INET6 ? "IPv6" : "IPv4";
}

static void keep_reason(char *trouble, size_t size)
{
    snprintf(trouble, size, "%s", cmd_reason());
}

/* ---- Finding out ---- */

static bool has_family(const struct resolution *r, int family)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].family == family)
            return true;
    return false;
}

/* The look-up of both families does not say what is wrong with one; so it is asked for alone. */
static void ask_why_none(struct resolution *r, int family)
{
    struct cmd_settings settings = *r->settings;
    skt_addrinfo *rows;
    bool wanted = settings.family == AF_UNSPEC || settings.family == family;
    settings.family = family;
    if (!wanted || has_family(r, family) || cmd_host_is_numeric(r->address))
        return;
    if (cmd_look_up_host(r->address, &settings, 0, &rows) < 0)
        keep_reason(r->trouble[family == AF_INET6], sizeof r->trouble[0]);
    else
        skt_freeaddrinfo(rows);
}

/* 0, or the exit status, having said why. */
static int look_up(struct resolution *r)
{
    double before = cmd_now();
    ssize_t n = cmd_look_up_host(r->address, r->settings, AI_CANONNAME, &r->rows);
    r->took = cmd_now() - before;
    if (n < 0) {
        keep_reason(r->failed, sizeof r->failed);
        return cmd_fail();
    }
    r->n = (size_t)n;
    skt_connection_order(r->rows, r->n);
    ask_why_none(r, AF_INET6);
    ask_why_none(r, AF_INET);
    return 0;
}

/* A datagram socket chooses its own address when it is connected, and sends nothing. */
static void find_source(struct answer *a)
{
    skt *s = skt_socket(a->addr.family, SOCK_DGRAM, 0);
    if (skt_connect(s, a->addr) < 0 || skt_getsockname(s, &a->source) < 0)
        keep_reason(a->source_trouble, sizeof a->source_trouble);
    skt_close(s);
}

static void find_reverse(struct answer *a, const struct cmd_settings *settings)
{
    if (skt_getnameinfo(a->addr, NI_NAMEREQD, a->reverse, sizeof a->reverse, NULL, 0, settings->timeout) < 0)
        keep_reason(a->reverse_trouble, sizeof a->reverse_trouble);
}

static void try_to_connect(struct answer *a, const struct cmd_settings *settings)
{
    double before = cmd_now();
    skt *s = skt_socket(a->addr.family, SOCK_STREAM, 0);
    if (skt_settimeout(s, settings->timeout < 0 ? CONNECT_TIMEOUT : settings->timeout) < 0 ||
        skt_connect(s, a->addr) < 0)
        keep_reason(a->connect_trouble, sizeof a->connect_trouble);
    a->took = cmd_now() - before;
    skt_close(s);
}

static void find_out(const struct resolution *r, size_t i, struct answer *a)
{
    *a = (struct answer){ .addr = r->rows[i].addr };
    find_source(a);
    if (r->reverse)
        find_reverse(a, r->settings);
    if (r->settings->connect)
        try_to_connect(a, r->settings);
}

/* ---- Telling ---- */

static const char *canonical_name(const struct resolution *r)
{
    return r->n > 0 && *r->rows[0].canonname ? r->rows[0].canonname : r->address->host;
}

static void tell_name(const struct resolution *r)
{
    char took[CMD_UNITS_TEXT];
    const char *name = canonical_name(r);
    printf("%s", r->address->host);
    if (strcmp(name, r->address->host) != 0)
        printf(" is %s", name);
    printf(": %zu address%s, looked up in %s\n", r->n, r->n == 1 ? "" : "es", cmd_time_text(r->took, took));
}

/* So that the columns behind the addresses are aligned. */
static int address_width(const struct resolution *r)
{
    size_t width = 0;
    for (size_t i = 0; i < r->n; i++)
        if (strlen(skt_host(&r->rows[i].addr)) > width)
            width = strlen(skt_host(&r->rows[i].addr));
    return (int)width;
}

static void tell_connection(const struct answer *a)
{
    char took[CMD_UNITS_TEXT];
    bool good = !*a->connect_trouble;
    printf("  %s%s after %s%s", cmd_colour(STDOUT_FILENO, good ? COLOUR_GREEN : COLOUR_RED),
           good ? "connected" : a->connect_trouble, cmd_time_text(a->took, took),
           cmd_colour(STDOUT_FILENO, COLOUR_NONE));
}

static void tell_address(const struct resolution *r, size_t i, const struct answer *a, int width)
{
    printf("%2zu  %s  %-*s", i + 1, family_name(a->addr.family), width, skt_host(&a->addr));
    if (r->address->port >= 0)
        printf("  port %d", skt_port(&a->addr));
    if (*a->source_trouble)
        printf("  (no way there: %s)", a->source_trouble);
    else
        printf("  from %s", skt_host(&a->source));
    if (r->reverse)
        printf(*a->reverse ? "  name %s" : "  (no name: %s)", *a->reverse ? a->reverse : a->reverse_trouble);
    if (r->settings->connect)
        tell_connection(a);
    putchar('\n');
    fflush(stdout); /* connecting takes its time */
}

static void tell_troubles(const struct resolution *r)
{
    for (int six = 1; six >= 0; six--)
        if (*r->trouble[six])
            printf("no %s: %s\n", family_name(six ? AF_INET6 : AF_INET), r->trouble[six]);
}

/* Of two texts the one that is there; the other, and both if nothing was asked, is null. */
static void json_pair(struct cmd_json *j, const char *name, const char *text, const char *trouble_name,
                      const char *trouble)
{
    cmd_json_text(j, name, *trouble || !*text ? NULL : text);
    cmd_json_text(j, trouble_name, *trouble ? trouble : NULL);
}

static void json_address(struct cmd_json *j, const struct resolution *r, const struct answer *a)
{
    cmd_json_open(j, NULL, '{');
    cmd_json_text(j, "family", family_name(a->addr.family));
    cmd_json_text(j, "address", skt_host(&a->addr));
    if (r->address->port >= 0)
        cmd_json_integer(j, "port", skt_port(&a->addr));
    json_pair(j, "source", skt_host(&a->source), "source_error", a->source_trouble);
    if (r->reverse)
        json_pair(j, "reverse", a->reverse, "reverse_error", a->reverse_trouble);
    if (r->settings->connect) {
        cmd_json_number(j, "connect_time", a->took);
        cmd_json_text(j, "connect_error", *a->connect_trouble ? a->connect_trouble : NULL);
    }
    cmd_json_close(j, '}');
}

static void json_begin(struct cmd_json *j, const struct resolution *r)
{
    cmd_json_open(j, NULL, '{');
    cmd_json_text(j, "name", r->address->host);
    cmd_json_text(j, "canonical_name", r->n > 0 ? canonical_name(r) : NULL);
    cmd_json_number(j, "time", r->took);
    cmd_json_open(j, "addresses", '[');
}

static void json_end(struct cmd_json *j, const struct resolution *r)
{
    cmd_json_close(j, ']');
    cmd_json_text(j, "error", *r->failed ? r->failed : NULL);
    cmd_json_open(j, "no_address", '{');
    for (int six = 1; six >= 0; six--)
        if (*r->trouble[six])
            cmd_json_text(j, family_name(six ? AF_INET6 : AF_INET), r->trouble[six]);
    cmd_json_close(j, '}');
    cmd_json_close(j, '}');
}

/* ---- The command ---- */

static int tell_all(const struct resolution *r)
{
    struct cmd_json j = { .file = stdout };
    struct answer a;
    size_t good = 0;
    int width = address_width(r);
    if (r->settings->json)
        json_begin(&j, r);
    else
        tell_name(r);
    for (size_t i = 0; i < r->n; i++) {
        find_out(r, i, &a);
        good += !*a.connect_trouble;
        if (r->settings->json)
            json_address(&j, r, &a);
        else
            tell_address(r, i, &a, width);
    }
    if (r->settings->json)
        json_end(&j, r);
    else
        tell_troubles(r);
    return good ? STATUS_OK : STATUS_FAILED;
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    int status = cmd_read_host(settings, n, args, &address);
    if (status)
        return status;
    if (settings->connect && (address.port <= 0 || address.type != SOCK_STREAM))
        return cmd_misuse("resolve: --connect needs a TCP port: skt resolve --connect %s 80", address.host);
    struct resolution r = { .settings = settings,
                            .address = &address,
                            .reverse = settings->reverse || cmd_host_is_numeric(&address) };
    status = look_up(&r);
    if (status == 0 || (settings->json && status == STATUS_FAILED))
        status = tell_all(&r);
    skt_freeaddrinfo(r.rows);
    return status;
}

const struct command cmd_resolve = {
    .name = "resolve",
    .run = run,
    .line = "list a name's addresses, in the order in which they are tried",
    .options = "connect reverse timeout json ipv4 ipv6 help",
    .operands = "NAME [SERVICE]",
    .examples = "  skt resolve example.org                 its addresses, and ours to reach them\n"
                "  skt resolve --connect example.org 443   try each: how long, or why not\n"
                "  skt resolve --reverse example.org       and the names of the addresses\n"
                "  skt resolve 192.0.2.1                   the name of an address\n",
    .rules = "The order is that of RFC 6724 with the families taking turns (RFC 8305), as\n"
             "connect tries them.  'from' is the address of ours that would be used.\n"
             "--timeout: for the look-up, and for each address (5 s if not given).\n",
};
