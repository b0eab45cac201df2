/* echo.c - skt echo, discard and chargen: the other end for tests and measurements, as inetd had them (RFC 862, 863,
 * 864). */
#include "echo.h"
#include "cmd.h"
#include <stdlib.h>

enum { BUFFER = 256 << 10, GRACE_MS = 10 };

/* ---- What is done with a connection ---- */

static void echo(skt *conn, char *buffer)
{
    ssize_t n;
    bool messages = skt_type(conn) != SOCK_STREAM; /* an empty one cannot be told from the end */
    while ((n = skt_recv(conn, buffer, BUFFER, 0)) > 0)
        if ((messages ? skt_send(conn, buffer, (size_t)n, 0) : skt_sendall(conn, buffer, (size_t)n, 0)) < 0)
            return;
}

static void discard(skt *conn, char *buffer)
{
    while (skt_recv(conn, buffer, BUFFER, 0) > 0)
        ;
}

/* A message of whole lines, or as much as there is room for, until the client has gone. */
static void chargen(skt *conn, char *buffer)
{
    size_t n = cmd_chargen_fill(buffer, skt_type(conn) == SOCK_STREAM ? BUFFER : 1024);
    while (skt_sendall(conn, buffer, n, 0) == 0)
        ;
}

/* A row for each: what a connection's task runs, and what is done with datagrams. */
struct service {
    void (*connection)(skt *conn, char *buffer);
    int (*datagrams)(skt *s);
};

static const struct service echo_service = { echo, cmd_echo_datagrams };
static const struct service discard_service = { discard, cmd_discard_datagrams };
static const struct service chargen_service = { chargen, cmd_chargen_datagrams };

/* ---- Serving ---- */

struct serving {
    const struct service *service;
    const struct cmd_settings *settings;
    skt *s;
    int status;
};

/* The buffer is not on the task's stack, which is smaller. */
static void handle(skt *conn, void *arg)
{
    const struct serving *serving = arg;
    char *buffer = malloc(BUFFER);
    if (buffer && skt_settimeout(conn, serving->settings->idle) == 0)
        serving->service->connection(conn, buffer);
    free(buffer);
}

static void take_datagrams(void *arg)
{
    struct serving *serving = arg;
    serving->status = serving->service->datagrams(serving->s);
}

/* Clients of a test server may stay connected for ever: that is no reason to go on. */
static int serve(struct serving *serving)
{
    skt_serve_options options = { .grace = GRACE_MS / 1e3 };
    if (skt_type(serving->s) != SOCK_DGRAM)
        return skt_serve(serving->s, handle, serving, &options) < 0 ? cmd_fail() : STATUS_OK;
    return skt_run(take_datagrams, serving) < 0 ? cmd_fail() : serving->status;
}

static int run(const struct service *service, const struct cmd_settings *settings, int n, char **args)
{
    struct serving serving = { .service = service, .settings = settings };
    struct cmd_address address;
    char text[SKT_ADDR_TEXT_MAX + 16];
    int status = cmd_read_address(settings, n, args, &address);
    if (status || (status = cmd_listen_at(&address, settings, &serving.s)))
        return status;
    cmd_address_of(&address, serving.s, text, sizeof text);
    cmd_raise_descriptor_limit();
    cmd_say("listening on %s", text);
    return serve(&serving);
}

static int run_echo(const struct cmd_settings *settings, int n, char **args)
{
    return run(&echo_service, settings, n, args);
}

static int run_discard(const struct cmd_settings *settings, int n, char **args)
{
    return run(&discard_service, settings, n, args);
}

static int run_chargen(const struct cmd_settings *settings, int n, char **args)
{
    return run(&chargen_service, settings, n, args);
}

/* ---- The commands ---- */

#define SERVES                                                                                                         \
    "Serves any number of connections on all cores, or datagrams in batches, until\n"                                  \
    "it is interrupted.  For tests: who can reach it can use it.\n"

const struct command cmd_echo = {
    .name = "echo",
    .run = run_echo,
    .line = "send back what comes, to test others with",
    .options = "idle | option interface ttl dscp ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt echo tcp://:7777                    all addresses, IPv4 and IPv6\n"
                "  skt echo udp://localhost:7777           each datagram to its sender\n"
                "  skt echo unix:/run/echo.sock            the file is removed afterwards\n"
                "  skt measure localhost:7777              from elsewhere: how fast is it?\n",
    .rules = SERVES,
};

const struct command cmd_discard = {
    .name = "discard",
    .run = run_discard,
    .line = "take what comes and throw it away, likewise",
    .options = "idle | option interface ttl dscp ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt discard tcp://:9999                 for skt measure --bulk up\n"
                "  skt discard udp://:9999                 it tells skt measure what came\n",
    .rules = SERVES,
};

const struct command cmd_chargen = {
    .name = "chargen",
    .run = run_chargen,
    .line = "send characters without an end, likewise",
    .options = "idle | option interface ttl dscp ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt chargen tcp://:1919                 for skt measure --bulk down\n"
                "  skt chargen udp://localhost:1919        one for each that comes, no longer\n",
    .rules = SERVES,
};
