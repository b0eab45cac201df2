/* ping_error.c - what routers say when a question does not arrive: the kernel keeps it in the socket's error queue
 * (ip(7), IP_RECVERR), with the question's first bytes and the router's address. */
#include "ping.h"
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

void ping_ask_for_errors(skt *s)
{
    if (skt_family(s) == AF_INET6)
        skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_RECVERR, 1);
    else
        skt_setsockopt_int(s, IPPROTO_IP, IP_RECVERR, 1);
}

static bool is_error(const skt_cmsg *item)
{
    return ((item->level == IPPROTO_IP && item->type == IP_RECVERR) ||
            (item->level == IPPROTO_IPV6 && item->type == IPV6_RECVERR)) &&
           item->len >= sizeof(struct sock_extended_err);
}

/* The address behind the struct; its family is AF_UNSPEC where nobody is known. */
static void read_offender(const skt_cmsg *item, struct ping_error *error)
{
    struct sockaddr_in6 sa = { 0 }; /* as long as both kinds */
    size_t len = item->len - sizeof(struct sock_extended_err);
    memcpy(&sa, (const char *)item->data + sizeof(struct sock_extended_err), len < sizeof sa ? len : sizeof sa);
    if (sa.sin6_family != AF_INET && sa.sin6_family != AF_INET6)
        return;
    skt_addr addr =
        skt_sockaddr((const struct sockaddr *)&sa, sa.sin6_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof sa);
    snprintf(error->from, sizeof error->from, "%s", skt_host(&addr));
}

static void put_into_words(const struct sock_extended_err *e, struct ping_error *error)
{
    bool icmp = e->ee_origin == SO_EE_ORIGIN_ICMP || e->ee_origin == SO_EE_ORIGIN_ICMP6;
    bool ipv6 = e->ee_origin == SO_EE_ORIGIN_ICMP6;
    const char *known = icmp ? ping_error_text(ipv6, e->ee_type, e->ee_code) : strerror((int)e->ee_errno);
    if (!known)
        snprintf(error->text, sizeof error->text, "ICMP error of type %d, code %d", e->ee_type, e->ee_code);
    else if (e->ee_errno == EMSGSIZE)
        snprintf(error->text, sizeof error->text, "%s for a link of %u bytes", known, e->ee_info);
    else
        snprintf(error->text, sizeof error->text, "%s", known);
}

bool ping_take_error(skt *s, struct ping_error *error)
{
    _Alignas(struct cmsghdr) char control[512];
    struct sock_extended_err e;
    struct iovec piece = { error->quote, sizeof error->quote };
    skt_msg msg = { .iov = &piece, .iovlen = 1, .control = control, .controlsize = sizeof control };
    skt_cmsg item = { 0 };
    ssize_t n = skt_recvmsg(s, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (n < 0)
        return false;
    error->len = (size_t)n;
    error->local = true; /* where nothing tells more */
    error->text[0] = error->from[0] = '\0';
    while (skt_next_cmsg(&msg, &item))
        if (is_error(&item)) {
            memcpy(&e, item.data, sizeof e);
            error->local = e.ee_origin == SO_EE_ORIGIN_LOCAL || e.ee_origin == SO_EE_ORIGIN_NONE;
            put_into_words(&e, error);
            read_offender(&item, error);
        }
    return true;
}
