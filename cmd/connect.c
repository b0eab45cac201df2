/* connect.c - skt connect: talk to a peer that waits for us. */
#include "cmd.h"

/* Other families than the one asked for are kept out by the source address. */
static skt *connect_tcp(const struct cmd_address *address, const struct cmd_settings *settings)
{
    if (settings->family == AF_UNSPEC)
        return skt_create_connection(address->host, address->port, settings->timeout);
    skt_addr any = settings->family == AF_INET ? skt_inet("", 0) : skt_inet6("", 0, 0, 0);
    return skt_create_connection_from(address->host, address->port, settings->timeout, any);
}

/* To the first of the host's addresses that there is a way to. */
static skt *connect_udp(const struct cmd_address *address, const struct cmd_settings *settings)
{
    skt_addrinfo *list;
    skt *s = NULL;
    ssize_t n = cmd_look_up(address, settings, 0, &list);
    if (n < 0)
        return NULL;
    for (ssize_t i = 0; i < n && !s; i++) {
        s = skt_socket(list[i].family, list[i].type, list[i].proto);
        if (skt_connect(s, list[i].addr) < 0) {
            skt_close(s);
            s = NULL;
        }
    }
    skt_freeaddrinfo(list);
    return s;
}

/* A datagram client needs a name for the answers to come to, which the kernel
 * chooses. */
static skt *connect_other(const struct cmd_address *address, const struct cmd_settings *settings)
{
    skt *s = skt_socket(address->addr.family, address->type, 0);
    bool needs_name = address->addr.family == AF_UNIX && address->type == SOCK_DGRAM;
    if (!s || skt_settimeout(s, settings->timeout) < 0 || (needs_name && skt_bind(s, skt_unix("")) < 0) ||
        skt_connect(s, address->addr) < 0) {
        skt_close(s);
        return NULL;
    }
    return s;
}

static skt *connect_to(const struct cmd_address *address, const struct cmd_settings *settings)
{
    if (!address->ip)
        return connect_other(address, settings);
    return address->type == SOCK_DGRAM ? connect_udp(address, settings) : connect_tcp(address, settings);
}

static void say_connected(skt *s, const struct cmd_address *address)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    if (address->ip && skt_getpeername(s, &addr) == 0)
        cmd_say("connected to %s", skt_addr_text(&addr, text, sizeof text));
    else
        cmd_say("connected to %s", address->text);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    int status = cmd_read_address(settings, n, args, &address);
    if (status)
        return status;
    if (address.ip && (!*address.host || address.port == 0))
        return cmd_misuse("'%s': connect needs a host and a port above 0", address.text);
    skt *s = connect_to(&address, settings);
    if (!s)
        return cmd_fail();
    skt_settimeout(s, SKT_NO_TIMEOUT);
    if (settings->verbose)
        say_connected(s, &address);
    struct cmd_peer peer = cmd_peer_connected(s);
    return cmd_pump(&peer, settings);
}

const struct command cmd_connect = {
    .name = "connect",
    .run = run,
    .line = "carry standard input to a peer, what it sends to standard output",
    .options = "46tievh",
    .help = "  skt connect localhost 8080              talk by hand; Ctrl-D ends the input\n"
            "  skt connect tcp://[::1]:80 < request    send, then print the answer\n"
            "  skt connect -e input udp://10.0.0.1:514 < message\n"
            "  skt connect unix:/run/app.sock\n"
            "\n"
            "usage: skt connect [OPTION]... ADDRESS     (for ADDRESS see skt help)\n"
            "\n"
            "The end of the input is passed on (half-close).  It ends when both sides have\n"
            "ended; at a terminal, when the peer has.  Datagrams have no end: it goes on\n"
            "after the input until it is interrupted, unless --end input or --idle is given.\n",
};
