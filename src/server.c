/* server.c - a listening socket in one call. */
#include "address.h"
#include "duration.h"
#include "error.h"
#include "resolve.h"
#include "serve.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>

bool skt_has_dualstack_ipv6(void)
{
    const int off = 0;
    int keep = errno;
    int fd = skti_sys.socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && skti_sys.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
    if (fd >= 0)
        skti_sys.close(fd);
    errno = keep;
    return has;
}

/* Gives an address of no family yet the one that it resolves to; "" becomes every
 * address, of both IP families where one socket can serve them. */
static int choose_family(skt_addr *addr, skt_server_options *options)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
    if (!*addr->text) {
        options->dualstack_ipv6 = skt_has_dualstack_ipv6();
        *addr = options->dualstack_ipv6 ? skt_inet6("", addr->port, 0, 0) : skt_inet("", addr->port);
        return 0;
    }
    int64_t deadline = skti_deadline(skti_default_timeout());
    if (skti_getaddrinfo(NULL, "bind", addr->text, NULL, &hints, deadline, &list) < 0)
        return -1;
    uint16_t port = addr->port;
    *addr = skt_sockaddr(list->ai_addr, list->ai_addrlen);
    skti_sys.freeaddrinfo(list);
    if (addr->family == AF_INET6)
        addr->as.inet6.sin6_port = htons(port);
    else
        addr->as.inet.sin_port = htons(port);
    addr->port = port;
    return 0;
}

static int check(const skt_addr *addr, const skt_server_options *options)
{
    bool ip = addr->family == AF_INET || addr->family == AF_INET6;
    if (options->dualstack_ipv6 && addr->family != AF_INET6)
        return skti_fail_argument("create_server", EINVAL, "dualstack_ipv6 needs an AF_INET6 address");
    if (options->dualstack_ipv6 && !skt_has_dualstack_ipv6())
        return skti_fail_argument("create_server", EINVAL, "dualstack_ipv6 is not supported on this machine");
    if (options->reuse_port && !ip)
        return skti_fail_argument("create_server", EINVAL, "reuse_port needs an AF_INET or AF_INET6 address");
    return 0;
}

/* Those that Python sets; it ignores that SO_REUSEADDR fails, since a server can do without. */
static int set_options(skt *s, const skt_server_options *options)
{
    if (!options->no_reuse_address)
        skti_sys.setsockopt(skt_fileno(s), SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (options->reuse_port && skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return -1;
    if (skt_family(s) == AF_INET6)
        return skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, !options->dualstack_ipv6);
    return 0;
}

static skt *create(const skt_addr *addr, const skt_server_options *options)
{
    skt *s = skt_socket(addr->family, SOCK_STREAM, 0);
    if (!s)
        return NULL;
    int backlog = options->backlog > 0 ? options->backlog : -1;
    if (set_options(s, options) == 0 && skt_bind(s, *addr) == 0 && skt_listen(s, backlog) == 0)
        return s;
    int keep = errno;
    skt_close(s);
    errno = keep;
    return NULL;
}

skt *skt_create_server(skt_addr addr, const skt_server_options *given)
{
    skt_server_options options = given ? *given : (skt_server_options){ 0 };
    struct skti_inheritance got;
    skt_error before;
    if (skti_addr_check("create_server", &addr, addr.family) < 0 ||
        (addr.family == AF_UNSPEC && choose_family(&addr, &options) < 0) || check(&addr, &options) < 0)
        return NULL;
    skti_keep_record(&before);
    if (skti_inherit(&addr, &options, &got) < 0)
        return NULL;
    skti_put_back_record(&before); /* that nobody was there to inherit from is no failure */
    skt *s = got.server ? got.server : create(&addr, &options);
    if (s && (!options.handover || skti_offer_at(s, options.handover, &got) == 0))
        return s;
    int keep = errno;
    skt_close(got.old);
    skt_close(s);
    errno = keep;
    return NULL;
}
