/* server.c - a socket that listens at an address of the command line. */
#include "cmd.h"
#include <errno.h>
#include <netdb.h>
#include <sys/stat.h>

static skt_addr ip_address(const struct cmd_address *address, int family)
{
    if (family == AF_INET)
        return skt_inet(address->host, address->port);
    if (family == AF_INET6)
        return skt_inet6(address->host, address->port, 0, 0);
    return skt_name(address->host, address->port);
}

/* A bound datagram socket; one of IPv6 takes IPv4 too if dualstack. */
static skt *bind_udp(skt_addr addr, bool dualstack)
{
    skt *s = skt_socket(addr.family, SOCK_DGRAM, 0);
    if ((addr.family != AF_INET6 || skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, !dualstack) == 0) &&
        skt_bind(s, addr) == 0)
        return s;
    skt_close(s);
    return NULL;
}

static skt *listen_udp(const struct cmd_address *address, const struct cmd_settings *settings)
{
    skt_addrinfo *list;
    skt *s = NULL;
    if (!*address->host && settings->family == AF_UNSPEC && skt_has_dualstack_ipv6())
        return bind_udp(skt_inet6("", address->port, 0, 0), true);
    ssize_t n = cmd_look_up(address, settings, AI_PASSIVE, &list);
    if (n < 0)
        return NULL;
    for (ssize_t i = 0; i < n && !s; i++)
        s = bind_udp(list[i].addr, false);
    skt_freeaddrinfo(list);
    return s;
}

/* skt_create_server knows streams only, and the file has to be seen to. */
static skt *listen_other(const struct cmd_address *address)
{
    skt *s = skt_socket(address->addr.family, address->type, 0);
    if (cmd_bind(s, address->addr) == 0 && (address->type == SOCK_DGRAM || skt_listen(s, -1) == 0))
        return s;
    skt_close(s);
    return NULL;
}

static skt *listen_on(const struct cmd_address *address, const struct cmd_settings *settings)
{
    if (!address->ip)
        return listen_other(address);
    if (address->type == SOCK_DGRAM)
        return listen_udp(address, settings);
    return skt_create_server(ip_address(address, settings->family), NULL);
}

/* The library's advice on a file that is in the way is for sockets. */
static int fail_to_listen(const struct cmd_address *address)
{
    struct stat file;
    bool in_the_way = errno == EADDRINUSE && !address->ip && address->addr.family == AF_UNIX &&
                      lstat(skt_host(&address->addr), &file) == 0 && !S_ISSOCK(file.st_mode);
    if (!in_the_way)
        return cmd_fail();
    cmd_say("bind %s: there is a file of this name that is no socket", address->text);
    return STATUS_FAILED;
}

/* One that we were started with. */
static int adopt(const struct cmd_address *address, skt **s)
{
    if (!address->listening && address->type != SOCK_DGRAM)
        return cmd_misuse("'%s': descriptor %d does not listen", address->text, address->fd);
    *s = skt_fromfd(address->fd);
    return *s ? STATUS_OK : cmd_fail();
}

int cmd_listen_at(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    if (address->fd >= 0)
        return adopt(address, s);
    *s = listen_on(address, settings);
    return *s ? STATUS_OK : fail_to_listen(address);
}
