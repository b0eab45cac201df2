/* create_connection.c - a host's addresses raced against each other: RFC 8305,
 * Happy Eyeballs.
 *
 * Attempts start 250 ms apart, or as soon as the one before has failed; the families
 * take turns; the first connection that is made wins and the others are closed.
 * One deadline bounds the look-up and all attempts. */
#include "address.h"
#include "connect.h"
#include "duration.h"
#include "error.h"
#include "object.h"
#include "resolve.h"
#include "socket.h"
#include "sys.h"
#include "turns.h"
#include "wait.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#define ATTEMPT_DELAY 250000000 /* RFC 8305, section 5 */

/* The attempts of one call. */
struct race {
    const char *host;
    int64_t timeout, deadline;
    const skt_connection_options *options;
    struct addrinfo **order; /* in the order in which they are tried */
    size_t n, next;          /* how many; the first that has not begun */
    int64_t next_start;
    unsigned running;
    bool told; /* the caller's prepare has asked for a number, or changed what a short count means */
    struct pollfd fds[SKTI_WAIT_MAX];                /* those under way ... */
    const struct addrinfo *addresses[SKTI_WAIT_MAX]; /* ... and where to */
    struct skti_attempts failed;
};

static int family_of(const void *row)
{
    return (*(struct addrinfo *const *)row)->ai_family;
}

static int bind_source(int fd, const skt_addr *source)
{
    const int on = 1;
    /* The port is chosen when the peer is known: many connections can share one. */
    skti_sys.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return skti_sys.bind(fd, &source->as.any, source->len);
}

/* TCP lets a socket connect to itself, where nobody listens on a port that
 * happens to be given to the client.  That is nobody's server.  Most often its port tells that it is not so. */
static bool connected_to_itself(int fd, const struct addrinfo *ai)
{
    struct sockaddr_in6 local = { 0 }, peer = { 0 };
    socklen_t local_len = sizeof local, peer_len = sizeof peer;
    return skti_sys.getsockname(fd, (struct sockaddr *)&local, &local_len) == 0 &&
           local.sin6_port == ((const struct sockaddr_in6 *)ai->ai_addr)->sin6_port &&
           skti_sys.getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 && local_len == peer_len &&
           memcmp(&local, &peer, local_len) == 0;
}

/* What a code of the system means to us. */
static int judge(int code, int fd, const struct addrinfo *ai)
{
    return code == 0 && connected_to_itself(fd, ai) ? ECONNREFUSED : code;
}

/* Begins to connect: 0, EINPROGRESS or an errno.  On this machine it has ended when connect(2) says that it goes on:
 * asked again that says so, at once, where poll(2) and SO_ERROR would be two system calls. */
static int connect_to(int fd, const struct addrinfo *ai)
{
    int code = skti_sys.connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 ? 0 : errno;
    if (code == EINPROGRESS || code == EINTR)
        code = skti_sys.connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 || errno == EISCONN ? 0 : errno;
    return code == EALREADY || code == EINTR ? EINPROGRESS : judge(code, fd, ai);
}

/* What the caller does to the new socket, as an skt for as long as that takes: 0 or an errno. */
static int prepare(struct race *r, int fd, const struct addrinfo *ai)
{
    skt *s = skti_new("connect", fd, ai->ai_family, SOCK_STREAM, ai->ai_protocol);
    if (!s)
        return ENOMEM;
    __atomic_store_n(&s->timeout, 0, __ATOMIC_RELAXED); /* as the descriptor is */
    errno = EINVAL;
    int code = r->options->prepare(s, r->options->arg) < 0 ? errno : 0;
    r->told |= !skti_short_drains(s);
    skt_detach(s);
    return code;
}

static int make_ready(struct race *r, int fd, const struct addrinfo *ai)
{
    int code = r->options->prepare ? prepare(r, fd, ai) : 0;
    return code == 0 && r->options->source && bind_source(fd, r->options->source) < 0 ? errno : code;
}

/* A socket that connects to ai: its descriptor, with *code 0 or EINPROGRESS, or -1 with its errno. */
static int start(struct race *r, const struct addrinfo *ai, int *code)
{
    int fd = skti_sys.socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
    if (fd < 0) {
        *code = errno;
        return -1;
    }
    *code = make_ready(r, fd, ai);
    if (*code == 0)
        *code = connect_to(fd, ai);
    if (*code == 0 || *code == EINPROGRESS)
        return fd;
    skti_sys.close(fd);
    return -1;
}

static void add_failure(struct race *r, const struct addrinfo *ai, int code)
{
    skti_add_attempt(&r->failed, ai->ai_addr, ai->ai_addrlen, code);
    r->next_start = 0;
}

/* Starts what is due; the descriptor of one that is connected at once, or -1. */
static int start_due(struct race *r)
{
    while (r->next < r->n && r->running < SKTI_WAIT_MAX && (r->running == 0 || skti_now() >= r->next_start)) {
        const struct addrinfo *ai = r->order[r->next++];
        int code, fd = start(r, ai, &code);
        if (fd < 0) {
            add_failure(r, ai, code);
            continue;
        }
        r->fds[r->running] = (struct pollfd){ .fd = fd, .events = POLLOUT };
        r->addresses[r->running++] = ai;
        if (code == 0)
            return fd;
        r->next_start = skti_now() + ATTEMPT_DELAY;
    }
    return -1;
}

static void remove_attempt(struct race *r, unsigned i)
{
    r->running--;
    r->fds[i] = r->fds[r->running];
    r->addresses[i] = r->addresses[r->running];
}

/* Looks at the attempts that poll says have ended: the descriptor of one that succeeded, or -1. */
static int look_at_ended(struct race *r)
{
    for (unsigned i = r->running; i-- > 0;) {
        if (!r->fds[i].revents)
            continue;
        int fd = r->fds[i].fd, code = judge(skti_connect_result(fd), fd, r->addresses[i]);
        if (code == 0)
            return fd;
        skti_sys.close(fd);
        add_failure(r, r->addresses[i], code);
        remove_attempt(r, i);
    }
    return -1;
}

/* Waits for an attempt to end or for the next to be due: 0, or -1 with errno. */
static int wait_for_news(struct race *r)
{
    bool more = r->next < r->n && r->running < SKTI_WAIT_MAX;
    int64_t until = more && r->next_start < r->deadline ? r->next_start : r->deadline;
    for (unsigned i = 0; i < r->running; i++)
        r->fds[i].revents = 0;
    if (skti_wait(NULL, false, r->fds, r->running, until) >= 0)
        return 0;
    return errno == ETIMEDOUT && skti_now() < r->deadline ? 0 : -1;
}

/* code: why the waiting ended, 0: no attempt is left. */
static void fail_with_attempts(struct race *r, int code)
{
    if (code != 0 && code != ETIMEDOUT) {
        skti_fail_at("connect", NULL, r->host, code, SKTI_SYSTEM);
        return;
    }
    for (unsigned i = 0; i < r->running; i++)
        add_failure(r, r->addresses[i], ETIMEDOUT);
    skti_fail_attempts("connect", r->host, &r->failed, code ? SKTI_OWN_TIMEOUT : SKTI_SYSTEM);
}

/* The winner's descriptor, or -1 with the record made.  The others are closed. */
static int run_race(struct race *r)
{
    int code = 0, winner = start_due(r);
    while (winner < 0 && r->running > 0 && code == 0) {
        if (wait_for_news(r) < 0)
            code = errno;
        else
            winner = look_at_ended(r);
        if (winner < 0 && code == 0)
            winner = start_due(r);
    }
    for (unsigned i = 0; i < r->running; i++)
        if (r->fds[i].fd != winner)
            skti_sys.close(r->fds[i].fd);
    if (winner < 0)
        fail_with_attempts(r, code);
    return winner;
}

static const struct addrinfo *address_of(const struct race *r, int fd)
{
    for (unsigned i = 0; i < r->running; i++)
        if (r->fds[i].fd == fd)
            return r->addresses[i];
    return NULL;
}

/* The winner as a socket with the race's timeout. */
static skt *prize(const struct race *r, int fd)
{
    const struct addrinfo *ai = address_of(r, fd);
    skt *s = skti_new("connect", fd, ai->ai_family, SOCK_STREAM, ai->ai_protocol);
    if (!s) {
        skti_sys.close(fd);
        errno = ENOMEM;
    }
    if (s && r->timeout >= 0)
        __atomic_store_n(&s->timeout, r->timeout, __ATOMIC_RELAXED); /* the mode is right already */
    if (s && r->timeout < 0 && skti_set_timeout(s, r->timeout) < 0) {
        int code = errno;
        skti_drop(s);
        skti_fail("connect", code);
        return NULL;
    }
    if (!s)
        return NULL;
    if (r->told)
        skti_share_file(s);
    skti_remember_peer(s, ai->ai_addr, ai->ai_addrlen);
    skti_expect_nothing(s, POLLIN); /* the other end has hardly had the time to say something */
    return s;
}

static skt *connect_to_list(struct race *r, struct addrinfo *list)
{
    size_t n = 0;
    for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
        n++;
    r->order = skti_malloc("connect", n * sizeof *r->order);
    if (!r->order)
        return NULL;
    for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
        r->order[r->n++] = ai;
    skti_take_turns(r->order, n, sizeof *r->order, family_of);
    int fd = run_race(r);
    skti_sys.free(r->order);
    return fd < 0 ? NULL : prize(r, fd);
}

static bool arguments_usable(const char *host, int port)
{
    if (!host)
        skti_fail_argument("connect", EFAULT, "host is NULL");
    else if (!*host)
        skti_fail_argument("connect", EINVAL, "host is empty");
    else if (port < 0 || port > 65535)
        skti_fail_argument("connect", EINVAL, "port must be 0-65535, not %d", port);
    else
        return true;
    return false;
}

/* Whether the source, if there is one, is an address of the family, if there is one; says which family is meant. */
static bool source_usable(const skt_connection_options *options, int *family)
{
    const skt_addr *source = options->source;
    if (source && source->kind == SKTI_ADDR_NAME)
        return skti_fail_argument("connect", EINVAL, "the source address is a name: %s", source->text) == 0;
    if (source && skti_addr_check("connect", source, source->family) < 0)
        return false;
    *family = options->family ? options->family : source ? source->family : AF_UNSPEC;
    if (source && source->family != AF_INET && source->family != AF_INET6)
        skti_fail_argument("connect", EAFNOSUPPORT, "the source address is not of IPv4 or IPv6");
    else if (*family != AF_UNSPEC && *family != AF_INET && *family != AF_INET6)
        skti_fail_argument("connect", EAFNOSUPPORT, "the family is neither AF_INET nor AF_INET6");
    else if (source && *family != source->family)
        skti_fail_argument("connect", EINVAL, "the source address is of another family");
    else
        return true;
    return false;
}

/* Whether host is an address in digits, of the family if one is wanted: then ai and addr are the list of it alone, and
 * nothing has to be looked up. */
static bool read_digits(const char *host, int port, int family, struct addrinfo *ai, skt_addr *addr)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    *ai = (struct addrinfo){ .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP, .ai_addr = &addr->as.any };
    if (family != AF_INET6 && inet_pton(AF_INET, host, &ipv4) == 1) {
        ai->ai_family = AF_INET;
        ai->ai_addrlen = sizeof addr->as.inet;
        addr->as.inet =
            (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((in_port_t)port), .sin_addr = ipv4 };
    } else if (family != AF_INET && inet_pton(AF_INET6, host, &ipv6) == 1) {
        ai->ai_family = AF_INET6;
        ai->ai_addrlen = sizeof addr->as.inet6;
        addr->as.inet6 =
            (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port), .sin6_addr = ipv6 };
    }
    return ai->ai_family != AF_UNSPEC;
}

static skt *connect_by_name(struct race *r, int port, int family)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *list;
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    if (skti_getaddrinfo(NULL, "connect", r->host, service, &hints, r->deadline, &list) < 0)
        return NULL;
    skt *s = connect_to_list(r, list);
    int keep = errno;
    skti_sys.freeaddrinfo(list);
    errno = keep;
    return s;
}

skt *skt_create_connection_with(const char *host, int port, double timeout, const skt_connection_options *options)
{
    static const skt_connection_options none;
    struct race r = { .host = host,
                      .timeout = skti_nanoseconds("connect", timeout),
                      .options = options ? options : &none };
    struct addrinfo one;
    skt_addr addr;
    int family = AF_UNSPEC;
    if (r.timeout < -1 || !arguments_usable(host, port) || !source_usable(r.options, &family))
        return NULL;
    if (skti_in_task() && skti_checkpoint_here() < 0) {
        skti_fail_at("connect", NULL, host, errno, SKTI_SYSTEM);
        return NULL;
    }
    r.deadline = skti_deadline(r.timeout);
    if (read_digits(host, port, family, &one, &addr))
        return connect_to_list(&r, &one);
    return connect_by_name(&r, port, family);
}

skt *skt_create_connection(const char *host, int port, double timeout)
{
    return skt_create_connection_with(host, port, timeout, NULL);
}

skt *skt_create_connection_from(const char *host, int port, double timeout, skt_addr source)
{
    return skt_create_connection_with(host, port, timeout, &(skt_connection_options){ .source = &source });
}
