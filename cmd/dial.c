/* dial.c - a socket that is connected to an address of the command line. */
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

/* One that we were started with. */
static int adopt(const struct cmd_address *address, skt **s)
{
    if (address->listening)
        return cmd_misuse("'%s': descriptor %d is a listener; it has no peer yet", address->text, address->fd);
    *s = skt_fromfd(address->fd);
    return *s ? STATUS_OK : cmd_fail();
}

static skt *connect_to(const struct cmd_address *address, const struct cmd_settings *settings)
{
    if (!address->ip)
        return connect_other(address, settings);
    return address->type == SOCK_DGRAM ? connect_udp(address, settings) : connect_tcp(address, settings);
}

int cmd_dial(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    if (address->ip && (!*address->host || address->port == 0))
        return cmd_misuse("'%s': a host and a port above 0 are needed to connect", address->text);
    if (address->fd >= 0)
        return adopt(address, s);
    *s = connect_to(address, settings);
    if (!*s)
        return cmd_fail();
    skt_settimeout(*s, SKT_NO_TIMEOUT);
    return STATUS_OK;
}
