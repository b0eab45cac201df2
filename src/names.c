/* names.c - getaddrinfo and getnameinfo, each with a timeout. */
#include "address.h"
#include "duration.h"
#include "error.h"
#include "job.h"
#include "resolve.h"
#include "result.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- getaddrinfo ---- */

/* Some C libraries have one in any case. */
static const char *canonname(const struct addrinfo *ai, int flags)
{
    return ai->ai_canonname && flags & AI_CANONNAME ? ai->ai_canonname : "";
}

/* The rows and, behind them, their names: one piece of memory. */
static ssize_t to_rows(const struct addrinfo *list, int flags, skt_addrinfo **rows)
{
    size_t n = 0, names = 0;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next, n++)
        names += strlen(canonname(ai, flags)) + 1;
    skt_addrinfo *row = skti_malloc("getaddrinfo", n * sizeof *row + names);
    if (!row)
        return -1;
    char *name = (char *)(row + n);
    *rows = row;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next, row++) {
        row->family = ai->ai_family;
        row->type = ai->ai_socktype;
        row->proto = ai->ai_protocol;
        row->canonname = strcpy(name, canonname(ai, flags));
        name += strlen(name) + 1;
        memcpy(&row->addr.as, ai->ai_addr, ai->ai_addrlen);
        skti_addr_received(&row->addr, ai->ai_addrlen, ai->ai_protocol);
    }
    return (ssize_t)n;
}

/* The C library takes any number for a port, and keeps its last 16 bits. */
static int check_port(const char *service)
{
    char *end;
    errno = 0;
    long port = service ? strtol(service, &end, 10) : 0;
    if (!service || end == service || *end || (errno == 0 && port >= 0 && port <= 65535))
        return 0;
    return skti_fail_argument("getaddrinfo", EINVAL, "port must be 0-65535, not %s", service);
}

ssize_t skt_getaddrinfo(const char *host, const char *service, int family, int type, int proto, int flags,
                        double timeout, skt_addrinfo **list)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = type, .ai_protocol = proto, .ai_flags = flags };
    struct addrinfo *found;
    int64_t ns = skti_nanoseconds("getaddrinfo", timeout);
    if (!list)
        return skti_fail_argument("getaddrinfo", EFAULT, "list is NULL");
    *list = NULL;
    if (ns < -1 || check_port(service) < 0 ||
        skti_getaddrinfo(NULL, "getaddrinfo", host, service, &hints, skti_deadline(ns), &found) < 0)
        return -1;
    ssize_t n = to_rows(found, flags, list);
    int keep = errno;
    skti_sys.freeaddrinfo(found);
    errno = keep;
    return n;
}

void skt_freeaddrinfo(skt_addrinfo *list)
{
    skti_sys.free(list);
}

/* ---- getnameinfo ---- */

struct getnameinfo_job {
    struct skti_job job;
    skt_addr addr;
    int flags, eai, code;
    char host[NI_MAXHOST], service[NI_MAXSERV];
};

static void run_getnameinfo(struct skti_job *job)
{
    struct getnameinfo_job *g = (struct getnameinfo_job *)job;
    errno = 0;
    g->eai = skti_sys.getnameinfo(&g->addr.as.any, g->addr.len, g->host, sizeof g->host, g->service, sizeof g->service,
                                  g->flags);
    g->code = errno;
}

static void dispose_getnameinfo(struct skti_job *job)
{
    skti_sys.free(job);
}

int skt_getnameinfo(skt_addr addr, int flags, char *host, size_t hostlen, char *service, size_t servicelen,
                    double timeout)
{
    char text[SKT_ADDR_TEXT_MAX];
    skti_blame blame;
    int64_t ns = skti_nanoseconds("getnameinfo", timeout);
    if (ns < -1 || skti_addr_check("getnameinfo", &addr, addr.family) < 0 ||
        (host && skti_result_room("getnameinfo", host, hostlen) < 0) ||
        (service && skti_result_room("getnameinfo", service, servicelen) < 0))
        return -1;
    if (addr.kind == SKTI_ADDR_NAME)
        return skti_fail_argument("getnameinfo", EINVAL, "the address is not numeric: %s", addr.text);
    struct getnameinfo_job *g = skti_malloc("getnameinfo", sizeof *g);
    if (!g)
        return -1;
    *g = (struct getnameinfo_job){ .job = { .run = run_getnameinfo, .dispose = dispose_getnameinfo },
                                   .addr = addr,
                                   .flags = flags };
    if (skti_run_job(NULL, &g->job, skti_deadline(ns), &blame) < 0)
        return skti_fail_at("getnameinfo", &addr, NULL, errno, blame);
    int result = g->eai ? skti_fail_name("getnameinfo", skt_addr_text(&addr, text, sizeof text), g->eai, g->code)
                 : host ? skti_result("getnameinfo", g->host, host, hostlen)
                        : 0;
    if (result == 0 && service)
        result = skti_result("getnameinfo", g->service, service, servicelen);
    int keep = errno;
    dispose_getnameinfo(&g->job);
    errno = keep;
    return result;
}
