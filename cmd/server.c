/* server.c - a socket that listens at an address of the command line. */
#include "cmd.h"
#include <errno.h>
#include <netdb.h>
#include <sys/stat.h>

/* A bound socket at addr, listening if it is a stream; one of IPv6 takes IPv4 too if dualstack. */
static skt *open_ip(skt_addr addr, int type, bool dualstack, const struct cmd_settings *settings, bool *told)
{
    skt *s = skt_socket(addr.family, type, 0);
    *told = s && cmd_prepare(s, settings) < 0;
    if (s && !*told && (type == SOCK_DGRAM || skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEADDR, 1) == 0) &&
        (addr.family != AF_INET6 || skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, !dualstack) == 0) &&
        skt_bind(s, addr) == 0 && (type == SOCK_DGRAM || skt_listen(s, -1) == 0))
        return s;
    skt_close(s);
    return NULL;
}

/* At the first of the host's addresses where that can be. */
static skt *listen_ip(const struct cmd_address *address, const struct cmd_settings *settings, bool *told)
{
    skt_addrinfo *list;
    skt *s = NULL;
    if (!*address->host && settings->family == AF_UNSPEC && skt_has_dualstack_ipv6())
        return open_ip(skt_inet6("", address->port, 0, 0), address->type, true, settings, told);
    ssize_t n = cmd_look_up(address, settings, AI_PASSIVE, &list);
    if (n < 0)
        return NULL;
    for (ssize_t i = 0; i < n && !s && !*told; i++)
        s = open_ip(list[i].addr, address->type, false, settings, told);
    skt_freeaddrinfo(list);
    return s;
}

/* The file has to be seen to. */
static skt *listen_other(const struct cmd_address *address, const struct cmd_settings *settings, bool *told)
{
    skt *s = skt_socket(address->addr.family, address->type, 0);
    *told = s && cmd_prepare(s, settings) < 0;
    if (!*told && cmd_bind(s, address->addr) == 0 && (address->type == SOCK_DGRAM || skt_listen(s, -1) == 0))
        return s;
    skt_close(s);
    return NULL;
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
static int adopt(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    if (!address->listening && address->type != SOCK_DGRAM)
        return cmd_misuse("'%s': descriptor %d does not listen", address->text, address->fd);
    *s = skt_fromfd(address->fd);
    if (!*s)
        return cmd_fail();
    return cmd_prepare(*s, settings) < 0 ? STATUS_FAILED : STATUS_OK;
}

int cmd_listen_at(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    if (address->fd >= 0)
        return adopt(address, settings, s);
    bool told = false; /* why it cannot be */
    *s = address->ip ? listen_ip(address, settings, &told) : listen_other(address, settings, &told);
    if (*s)
        return STATUS_OK;
    return told ? STATUS_FAILED : fail_to_listen(address);
}
