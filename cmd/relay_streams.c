/* relay_streams.c - clients that connect: all of them by skt_serve, or one alone. */
#include "relay.h"
#include "terminal.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- Many ---- */

static void handle(skt *conn, void *arg)
{
    struct link link;
    struct cmd_peer client = relay_peer(arg, conn);
    link_begin(&link, arg, &client);
    if (link_connect(&link) == 0)
        link_carry(&link);
    link_end(&link);
}

static void say_trouble(const char *line, void *arg)
{
    (void)arg;
    cmd_say("%s", line);
}

/* A listener that a service manager or a previous process has opened, or else a new one. */
static int inherit(const struct relay *relay, skt **server)
{
    const struct cmd_address *from = &relay->from;
    skt_server_options options = { .listen_fds = true, .handover = relay->settings->handover };
    skt_addr addr = from->addr;
    if (from->ip)
        addr = relay->settings->family == AF_INET    ? skt_inet(from->host, from->port)
               : relay->settings->family == AF_INET6 ? skt_inet6(from->host, from->port, 0, 0)
                                                     : skt_name(from->host, from->port);
    *server = skt_create_server(addr, &options);
    if (!*server)
        return cmd_fail();
    return cmd_prepare(*server, relay->settings) < 0 ? STATUS_FAILED : 0;
}

static int make_listener(struct relay *relay, skt **server)
{
    bool inherits = relay->settings->handover || getenv("LISTEN_FDS");
    bool can = relay->from.fd < 0 && relay->from.type == SOCK_STREAM;
    return inherits && can ? inherit(relay, server) : cmd_listen_at(&relay->from, relay->settings, server);
}

static void say_what(const struct relay *relay, skt *server)
{
    char text[SKT_ADDR_TEXT_MAX + 16];
    cmd_address_of(&relay->from, server, text, sizeof text);
    cmd_say("relaying %s to %s", text, relay->to.text);
}

/* cleanup.c's handler ends the process at once, and its work is done at exit too: skt_serve is to have these two. */
static void leave_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    struct sigaction now;
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            signal(numbers[i], SIG_DFL);
}

int relay_streams(struct relay *relay)
{
    const struct cmd_settings *settings = relay->settings;
    skt_serve_options options = { .max_connections = settings->max,
                                  .grace = settings->grace > 0 ? settings->grace : 1e-6, /* 0 is the default */
                                  .log = say_trouble };
    skt *server;
    int status = make_listener(relay, &server);
    if (status)
        return status;
    leave_signals();
    say_what(relay, server);
    relay_begin_status(relay);
    if (skt_serve(server, handle, relay, &options) < 0)
        status = cmd_fail();
    relay_end_status();
    skt_close(server);
    return status;
}

/* ---- One ---- */

/* The first to come, or the connection that was inherited. */
static int get_client(struct relay *relay, struct cmd_peer *client)
{
    const struct cmd_address *from = &relay->from;
    skt *s = NULL, *server;
    int status = 0;
    if (from->stdio || (from->fd >= 0 && !from->listening && from->type != SOCK_DGRAM)) {
        if (!(s = from->stdio ? relay_stdio() : skt_fromfd(from->fd)))
            status = cmd_fail();
        *client = cmd_peer_connected(s);
        return status;
    }
    if ((status = cmd_listen_at(from, relay->settings, &server)))
        return status;
    say_what(relay, server);
    if (skt_type(server) == SOCK_DGRAM)
        return cmd_peer_await(client, server) < 0 ? cmd_fail() : 0;
    if (!(s = skt_accept(server, NULL)))
        status = cmd_fail();
    *client = cmd_peer_connected(s);
    skt_close(server);
    cmd_remove_socket_file();
    return status;
}

/* The first task.  (atexit removes a listener's file.) */
static void serve_one(void *arg)
{
    struct relay *relay = arg;
    struct link link;
    struct cmd_peer client;
    int status = get_client(relay, &client);
    if (status)
        exit(status);
    relay_begin_status(relay);
    link_begin(&link, relay, &client);
    if (link_connect(&link) == 0)
        link_carry(&link);
    link_end(&link);
    skt_close(client.sock);
    if (relay->from.stdio || (relay->to.stdio && link.connected > 0))
        relay->failed |= !relay_end_stdio();
    relay_end_status();
    exit(relay->failed ? STATUS_FAILED : STATUS_OK);
}

int relay_one(struct relay *relay)
{
    skt_run(serve_one, relay);
    return cmd_fail(); /* it could not begin: the task ends the process */
}
