/* resolve.c - names to addresses, under a deadline: see resolve.h. */
#include "resolve.h"
#include "address.h"
#include "error.h"
#include "job.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <string.h>

struct getaddrinfo_job {
    struct skti_job job;
    char *host, *service; /* NULL, or ours */
    struct addrinfo hints;
    struct addrinfo *list;
    int eai, code;
};

static void run_getaddrinfo(struct skti_job *job)
{
    struct getaddrinfo_job *g = (struct getaddrinfo_job *)job;
    errno = 0;
    g->eai = skti_sys.getaddrinfo(g->host, g->service, &g->hints, &g->list);
    g->code = errno;
    if (g->eai != 0)
        g->list = NULL;
}

static void dispose_getaddrinfo(struct skti_job *job)
{
    struct getaddrinfo_job *g = (struct getaddrinfo_job *)job;
    if (g->list)
        skti_sys.freeaddrinfo(g->list);
    skti_sys.free(g->host);
    skti_sys.free(g->service);
    skti_sys.free(g);
}

static struct getaddrinfo_job *new_job(const char *host, const char *service, const struct addrinfo *hints)
{
    struct getaddrinfo_job *g = skti_sys.calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->job.run = run_getaddrinfo;
    g->job.dispose = dispose_getaddrinfo;
    g->hints = *hints;
    g->host = host ? skti_strdup(host) : NULL;
    g->service = service ? skti_strdup(service) : NULL;
    if ((host && !g->host) || (service && !g->service)) {
        dispose_getaddrinfo(&g->job);
        return NULL;
    }
    return g;
}

bool skti_is_ascii(const char *name)
{
    while (*name && (unsigned char)*name < 128)
        name++;
    return !*name;
}

/* Names that are not ASCII are encoded by the C library, where it can. */
static int idna_flag(const char *host)
{
#ifdef AI_IDN
    return host && !skti_is_ascii(host) ? AI_IDN : 0;
#else
    (void)host;
    return 0;
#endif
}

/* Digits are quickly read; a job would only cost. */
static int numeric_now(const char *host, const char *service, struct addrinfo hints, struct addrinfo **list)
{
    hints.ai_flags |= AI_NUMERICHOST | (service ? AI_NUMERICSERV : 0);
    return skti_sys.getaddrinfo(host, service, &hints, list);
}

int skti_getaddrinfo(skt *s, const char *call, const char *host, const char *service, const struct addrinfo *hints,
                     int64_t deadline, struct addrinfo **list)
{
    skti_blame blame;
    *list = NULL;
    if (numeric_now(host, service, *hints, list) == 0)
        return 0;
    struct getaddrinfo_job *g = new_job(host, service, hints);
    if (!g)
        return skti_fail_at(call, NULL, host, ENOMEM, SKTI_SYSTEM);
    g->hints.ai_flags |= idna_flag(host);
    if (skti_run_job(s, &g->job, deadline, &blame) < 0)
        return skti_fail_at(call, NULL, host, errno, blame);
    int eai = g->eai, code = g->code;
    *list = g->list;
    g->list = NULL;
    dispose_getaddrinfo(&g->job);
    return eai == 0 ? 0 : skti_fail_name(call, !host || eai == EAI_SERVICE ? service : host, eai, code);
}

const char *skti_name_of(const skt_addr *addr)
{
    return addr->kind == SKTI_ADDR_NAME ? addr->text : NULL;
}

/* AF_RDS is addressed as AF_INET is. */
static int ip_family(const skt *s, const skt_addr *addr)
{
    int family = addr->family == AF_UNSPEC ? s->family : addr->family;
    return family == AF_RDS ? AF_INET : family;
}

static int resolve_ip(skt *s, const char *call, const skt_addr *addr, skt_addr *room, int64_t deadline)
{
    struct addrinfo hints = { .ai_family = ip_family(s, addr), .ai_socktype = SOCK_DGRAM }, *list;
    if (skti_getaddrinfo(s, call, addr->text, NULL, &hints, deadline, &list) < 0)
        return -1;
    memcpy(&room->as, list->ai_addr, list->ai_addrlen);
    skti_sys.freeaddrinfo(list);
    if (hints.ai_family == AF_INET6) {
        room->as.inet6.sin6_port = htons(addr->port);
        room->as.inet6.sin6_flowinfo = addr->as.inet6.sin6_flowinfo;
        if (room->as.inet6.sin6_scope_id == 0)
            room->as.inet6.sin6_scope_id = addr->as.inet6.sin6_scope_id;
        skti_addr_received(room, sizeof room->as.inet6, s->proto);
    } else {
        room->as.inet.sin_port = htons(addr->port);
        skti_addr_received(room, sizeof room->as.inet, s->proto);
    }
    return 0;
}

/* A host of no family yet that needs no look-up: "" is every address of the socket's family. */
static bool wildcard(const skt *s, const skt_addr *addr, skt_addr *room)
{
    if (*addr->text)
        return false;
    *room = ip_family(s, addr) == AF_INET6 ? skt_inet6("", addr->port, 0, 0) : skt_inet("", addr->port);
    return true;
}

static int resolve_interface(const char *call, const skt_addr *addr, skt_addr *room)
{
    const struct skti_family *row = skti_family(addr->family, addr->proto);
    if (!row->lookup)
        return skti_fail_argument(call, EAFNOSUPPORT, "a socket of this family has no host and port: %s", addr->text);
    *room = *addr;
    int code = row->lookup(room);
    return code == 0 ? 0 : skti_fail_at(call, NULL, addr->text, code, SKTI_SYSTEM);
}

const skt_addr *skti_resolve(skt *s, const char *call, const skt_addr *addr, skt_addr *room, int64_t *deadline)
{
    if (skti_addr_check(call, addr, s->family) < 0)
        return NULL;
    if (addr->kind != SKTI_ADDR_NAME)
        return addr;
    int family = ip_family(s, addr);
    if (family != AF_INET && family != AF_INET6)
        return resolve_interface(call, addr, room) == 0 ? room : NULL;
    if (wildcard(s, addr, room))
        return room;
    if (*deadline == 0)
        *deadline = skti_deadline(skti_settled_timeout(s));
    return resolve_ip(s, call, addr, room, *deadline) == 0 ? room : NULL;
}
