/* dial.c - a socket that is connected to an address of the command line. */
#include "cmd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* One attempt. */
struct attempt {
    const struct cmd_address *address;
    const struct cmd_settings *settings;
    bool has_source;
    skt_addr source; /* of no family where only a port was given */
    bool told;       /* why it cannot be: there is no use in trying other addresses */
};

/* --source: digits, with a port or without, or ":PORT". */
static int read_source(struct attempt *a)
{
    const char *text = a->settings->source;
    unsigned char packed[16];
    if (!text)
        return 0;
    a->has_source = true;
    if (inet_pton(AF_INET, text, packed) == 1 || strchr(text, ':') != strrchr(text, ':'))
        a->source = *text == '[' ? skt_addr_parse(text) : skt_name(text, 0);
    else
        a->source = skt_addr_parse(text);
    bool digits = a->source.family == AF_INET || a->source.family == AF_INET6;
    if (!digits && !(a->source.family == AF_UNSPEC && *text == ':' && skt_port(&a->source) > 0))
        return cmd_misuse("--source: '%s' is no address; write 192.0.2.1, 192.0.2.1:80, [::1]:80 or :80", text);
    if (digits && a->settings->family != AF_UNSPEC && a->settings->family != a->source.family)
        return cmd_misuse("--source: '%s' is of another family than -%c", text,
                          a->settings->family == AF_INET ? '4' : '6');
    return 0;
}

/* Binds the source; where only its port is known, any address of the socket's family. */
static int bind_source(skt *s, const struct attempt *a)
{
    skt_addr source = a->source;
    if (source.family == AF_UNSPEC)
        source =
            skt_family(s) == AF_INET ? skt_inet("", skt_port(&a->source)) : skt_inet6("", skt_port(&a->source), 0, 0);
    if (skt_port(&source) == 0)
        skt_setsockopt_int(s, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); /* chosen when the peer is known */
    else
        skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEADDR, 1); /* an earlier connection may be in TIME_WAIT */
    return skt_bind(s, source);
}

/* Makes a new socket ready; says why if that fails, once, though each address of a host has a socket. */
static int prepare(skt *s, void *arg)
{
    struct attempt *a = arg;
    if (a->told)
        return -1;
    if (cmd_prepare(s, a->settings) == 0) {
        if (!a->has_source || bind_source(s, a) == 0)
            return 0;
        int code = errno;
        cmd_fail();
        errno = code;
    }
    a->told = true;
    return -1;
}

static int family_of(const struct attempt *a)
{
    return a->has_source && a->source.family != AF_UNSPEC ? a->source.family : a->settings->family;
}

static skt *connect_tcp(struct attempt *a)
{
    skt_connection_options options = { .family = family_of(a), .prepare = prepare, .arg = a };
    return skt_create_connection_with(a->address->host, a->address->port, a->settings->timeout, &options);
}

static skt *connect_one(struct attempt *a, const skt_addrinfo *row)
{
    skt *s = skt_socket(row->family, row->type, row->proto);
    if (s && prepare(s, a) == 0 && skt_connect(s, row->addr) == 0)
        return s;
    skt_close(s);
    return NULL;
}

/* To the first of the host's addresses that there is a way to. */
static skt *connect_udp(struct attempt *a)
{
    struct cmd_settings settings = *a->settings;
    skt_addrinfo *list;
    skt *s = NULL;
    settings.family = family_of(a);
    ssize_t n = cmd_look_up(a->address, &settings, 0, &list);
    if (n < 0)
        return NULL;
    for (ssize_t i = 0; i < n && !s; i++)
        s = connect_one(a, &list[i]);
    skt_freeaddrinfo(list);
    return s;
}

/* A datagram client needs a name for the answers to come to, which the kernel
 * chooses. */
static skt *connect_other(struct attempt *a)
{
    const struct cmd_address *address = a->address;
    skt *s = skt_socket(address->addr.family, address->type, 0);
    bool needs_name = address->addr.family == AF_UNIX && address->type == SOCK_DGRAM;
    if (!s || skt_settimeout(s, a->settings->timeout) < 0 || prepare(s, a) < 0 ||
        (needs_name && skt_bind(s, skt_unix("")) < 0) || skt_connect(s, address->addr) < 0) {
        skt_close(s);
        return NULL;
    }
    return s;
}

/* One that we were started with. */
static int adopt(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    if (address->listening)
        return cmd_misuse("'%s': descriptor %d is a listener; it has no peer yet", address->text, address->fd);
    *s = skt_fromfd(address->fd);
    if (!*s)
        return cmd_fail();
    return cmd_prepare(*s, settings) < 0 ? STATUS_FAILED : STATUS_OK;
}

static skt *connect_to(struct attempt *a)
{
    if (!a->address->ip)
        return connect_other(a);
    return a->address->type == SOCK_DGRAM ? connect_udp(a) : connect_tcp(a);
}

int cmd_try_dial(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    struct attempt a = { .address = address, .settings = settings };
    if (address->ip && (!*address->host || address->port == 0))
        return cmd_misuse("'%s': a host and a port above 0 are needed to connect", address->text);
    int status = read_source(&a);
    if (status)
        return status;
    if (address->fd >= 0)
        return adopt(address, settings, s);
    *s = connect_to(&a);
    if (!*s)
        return a.told ? STATUS_FAILED : -1;
    skt_settimeout(*s, SKT_NO_TIMEOUT);
    return STATUS_OK;
}

int cmd_dial(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    int status = cmd_try_dial(address, settings, s);
    return status < 0 ? cmd_fail() : status;
}
