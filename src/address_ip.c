/* address_ip.c - hosts and ports: AF_INET, AF_INET6, and names of either. */
#include "address.h"
#include "address_text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the three constructors refuse: the BAD address in *bad. */
static bool usable(int family, const char *host, int port, skt_addr *bad)
{
    if (!host)
        *bad = skti_bad_address(family, EFAULT, "host is NULL");
    else if (port < 0 || port > 65535)
        *bad = skti_bad_address(family, EINVAL, "port must be 0-65535, not %d", port);
    else
        return true;
    return false;
}

skt_addr skt_inet(const char *host, int port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    skt_addr a;
    if (!usable(AF_INET, host, port, &a))
        return a;
    if (!strcmp(host, "<broadcast>"))
        sa.sin_addr.s_addr = INADDR_BROADCAST;
    if (!*host || !strcmp(host, "<broadcast>") || inet_pton(AF_INET, host, &sa.sin_addr) == 1)
        return skti_ready_address(&sa, sizeof sa, 0);
    a = skti_named_address(AF_INET, 0, host);
    a.port = (uint16_t)port;
    return a;
}

/* "fe80::1%3": digits behind the % need no look-up. */
static bool read_inet6(const char *host, struct sockaddr_in6 *sa)
{
    char address[INET6_ADDRSTRLEN];
    uint64_t scope;
    size_t len = strcspn(host, "%");
    if (!host[len])
        return !*host || inet_pton(AF_INET6, host, &sa->sin6_addr) == 1;
    if (len >= sizeof address || !host[len + 1] || !skti_number(host + len + 1, UINT32_MAX, &scope))
        return false;
    memcpy(address, host, len);
    address[len] = '\0';
    sa->sin6_scope_id = (uint32_t)scope;
    return inet_pton(AF_INET6, address, &sa->sin6_addr) == 1;
}

skt_addr skt_inet6(const char *host, int port, uint32_t flowinfo, uint32_t scope_id)
{
    struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port),
                               .sin6_flowinfo = htonl(flowinfo),
                               .sin6_scope_id = scope_id };
    skt_addr a;
    if (!usable(AF_INET6, host, port, &a))
        return a;
    if (flowinfo > 0xfffff)
        return skti_bad_address(AF_INET6, EINVAL, "flowinfo must be 0-0xfffff, not 0x%x", flowinfo);
    if (read_inet6(host, &sa))
        return skti_ready_address(&sa, sizeof sa, 0);
    a = skti_named_address(AF_INET6, 0, host);
    if (a.kind != SKTI_ADDR_NAME)
        return a;
    a.port = (uint16_t)port;
    a.as.inet6 = sa;
    return a;
}

skt_addr skt_name(const char *host, int port)
{
    struct sockaddr_in6 sa;
    struct in_addr ip;
    skt_addr a;
    if (!usable(AF_UNSPEC, host, port, &a))
        return a;
    if (inet_pton(AF_INET, host, &ip) == 1 || !strcmp(host, "<broadcast>"))
        return skt_inet(host, port);
    if (*host && read_inet6(host, &sa))
        return skt_inet6(host, port, 0, 0);
    a = skti_named_address(AF_UNSPEC, 0, host);
    a.port = (uint16_t)port;
    return a;
}

/* ---- Text: 127.0.0.1:80, example.org:80, [::1%2]:80, with a flowinfo [::1]:80,5 ---- */

static bool read_port(const char *text, int *port)
{
    uint64_t value;
    if (!*text || !skti_number(text, 65535, &value))
        return false;
    *port = (int)value;
    return true;
}

static skt_addr parse_brackets(const char *text)
{
    struct skti_fields f;
    char host[256];
    uint64_t flowinfo;
    int port;
    size_t len = strcspn(text, "]");
    if (len - 1 >= sizeof host || strncmp(text + len, "]:", 2) != 0 || !skti_split(&f, text + len + 2, 1, 2) ||
        !read_port(f.at[0], &port) || !skti_number(f.at[1], UINT32_MAX, &flowinfo))
        return skti_bad_address(AF_INET6, EINVAL, "not [host]:port with a port of 0-65535: %s", text);
    memcpy(host, text + 1, len - 1);
    host[len - 1] = '\0';
    skt_addr a = skt_inet6(host, port, 0, 0);
    if (a.kind != SKTI_ADDR_BAD)
        a.as.inet6.sin6_flowinfo = htonl((uint32_t)flowinfo); /* the kernel's may have more bits than we may set */
    return a;
}

static skt_addr parse_ip(const char *text)
{
    char host[256];
    int port;
    size_t len = strcspn(text, ":");
    if (*text == '[')
        return parse_brackets(text);
    if (text[len] && strchr(text + len + 1, ':'))
        return skti_bad_address(AF_UNSPEC, EINVAL, "an IPv6 address goes into brackets, [::1]:80, not %s", text);
    if (!text[len])
        return skti_bad_address(AF_UNSPEC, EINVAL, "no port (host:port): %s", text);
    if (len >= sizeof host)
        return skti_bad_address(AF_UNSPEC, EINVAL, "a host of %zu bytes is too long", len);
    if (!read_port(text + len + 1, &port))
        return skti_bad_address(AF_UNSPEC, EINVAL, "port must be 0-65535, not %s", text + len + 1);
    memcpy(host, text, len);
    host[len] = '\0';
    return skt_name(host, port);
}

static void host_inet(const skt_addr *a, char *buf, size_t len)
{
    char text[INET_ADDRSTRLEN];
    snprintf(buf, len, "%s", inet_ntop(AF_INET, &a->as.inet.sin_addr, text, sizeof text));
}

static void host_inet6(const skt_addr *a, char *buf, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &a->as.inet6.sin6_addr, text, sizeof text);
    if (a->as.inet6.sin6_scope_id)
        snprintf(buf, len, "%s%%%u", text, a->as.inet6.sin6_scope_id);
    else
        snprintf(buf, len, "%s", text);
}

static void format_ip(const skt_addr *a, char *buf, size_t len)
{
    snprintf(buf, len, "%s:%d", skt_host(a), a->port);
}

static void format_inet6(const skt_addr *a, char *buf, size_t len)
{
    uint32_t flowinfo = ntohl(a->as.inet6.sin6_flowinfo);
    if (flowinfo)
        snprintf(buf, len, "[%s]:%d,%u", skt_host(a), a->port, flowinfo);
    else
        snprintf(buf, len, "[%s]:%d", skt_host(a), a->port);
}

static int port_ip(const skt_addr *a)
{
    return a->port;
}

const struct skti_family skti_inet_row = {
    .family = AF_INET,
    .proto = -1,
    .name = "AF_INET",
    .scheme = "",
    .size = sizeof(struct sockaddr_in),
    .parse = parse_ip,
    .format = format_ip,
    .host = host_inet,
    .port = port_ip,
};

const struct skti_family skti_inet6_row = {
    .family = AF_INET6,
    .proto = -1,
    .name = "AF_INET6",
    .scheme = "",
    .size = sizeof(struct sockaddr_in6),
    .parse = parse_ip,
    .format = format_inet6,
    .host = host_inet6,
    .port = port_ip,
};

/* A name of no family yet. */
const struct skti_family skti_name_row = {
    .family = AF_UNSPEC,
    .proto = -1,
    .name = "AF_UNSPEC",
    .scheme = "",
    .parse = parse_ip,
    .format = format_ip,
    .port = port_ip,
};

/* The sockets of AF_RDS are addressed as those of AF_INET: only the name is its own. */
const struct skti_family skti_rds_row = {
    .family = AF_RDS,
    .proto = -1,
    .name = "AF_RDS",
    .scheme = "",
};
