/* nc_socket.c - sockets as netcat's flags want them, and what is said of addresses. */
#include "nc.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>

int nc_type(const struct nc *nc)
{
    return nc->udp ? SOCK_DGRAM : SOCK_STREAM;
}

const char *nc_protocol(const struct nc *nc)
{
    return nc->udp ? "udp" : "tcp";
}

/* ---- Options ---- */

/* Options of IP, of which each family has its own. */
struct ip_option {
    int value;
    int inet, inet6;
};

static int set_ip_options(const struct nc *nc, skt *s)
{
    const struct ip_option options[] = {
        { nc->tos >= 0 ? nc->tos : -1, IP_TOS, IPV6_TCLASS },
        { nc->ttl ? nc->ttl : -1, IP_TTL, IPV6_UNICAST_HOPS },
        { nc->least_ttl ? nc->least_ttl : -1, IP_MINTTL, IPV6_MINHOPCOUNT },
    };
    bool inet = skt_family(s) == AF_INET;
    for (size_t i = 0; i < COUNT(options); i++)
        if (options[i].value >= 0 &&
            skt_setsockopt_int(s, inet ? IPPROTO_IP : IPPROTO_IPV6, inet ? options[i].inet : options[i].inet6,
                               options[i].value) < 0)
            return -1;
    return 0;
}

int nc_prepare(const struct nc *nc, skt *s)
{
    if ((nc->debug && skt_setsockopt_int(s, SOL_SOCKET, SO_DEBUG, 1) < 0) ||
        (nc->broadcast && skt_setsockopt_int(s, SOL_SOCKET, SO_BROADCAST, 1) < 0) ||
        (nc->receive_buffer && skt_setsockopt_int(s, SOL_SOCKET, SO_RCVBUF, (int)nc->receive_buffer) < 0) ||
        (nc->send_buffer && skt_setsockopt_int(s, SOL_SOCKET, SO_SNDBUF, (int)nc->send_buffer) < 0) ||
        (nc->vrf && skt_setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, nc->vrf, (socklen_t)strlen(nc->vrf)) < 0))
        return -1;
    return nc->family == AF_UNIX ? 0 : set_ip_options(nc, s);
}

skt *nc_socket(const struct nc *nc, int family)
{
    skt *s = skt_socket(family, nc_type(nc), 0);
    if (s && nc_prepare(nc, s) == 0)
        return s;
    int code = errno;
    skt_close(s);
    errno = code;
    return NULL;
}

/* ---- Addresses ---- */

int nc_bind_source(const struct nc *nc, skt *s)
{
    if (!nc->source && !nc->source_port)
        return 0;
    if (nc->local_port)
        skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEADDR, 1); /* an earlier connection may be in TIME_WAIT */
    return skt_bind(s, skt_name(nc->source ? nc->source : "", nc->local_port));
}

skt_addr nc_unix(const char *path)
{
    return *path == '@' ? skt_abstract(path + 1, strlen(path + 1)) : skt_unix(path);
}

void nc_addr_text(const struct nc *nc, const skt_addr *addr, char *buf, size_t len)
{
    char host[256], service[32];
    int flags = NI_NUMERICSERV | (nc->numeric ? NI_NUMERICHOST : 0);
    if (skt_getnameinfo(*addr, flags, host, sizeof host, service, sizeof service, SKT_NO_TIMEOUT) == 0)
        snprintf(buf, len, "%s %s", host, service);
    else
        snprintf(buf, len, "%s %d", skt_host(addr), skt_port(addr));
}
