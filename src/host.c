/* host.c - the older calls about hosts: gethostbyname and its like, and the machine's own name. */
#include "address.h"
#include "duration.h"
#include "error.h"
#include "job.h"
#include "resolve.h"
#include "result.h"
#include "sys.h"
#include "wait.h"
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#define FIRST_BUFFER 16384 /* CPython's; grows where that is not enough */

/* A look-up by name (addrlen 0) or by address. */
struct host_job {
    struct skti_job job;
    char name[256];
    struct in6_addr addr;
    socklen_t addrlen;
    int family;
    struct hostent entry, *found;
    char *buf;
    int h, code;
};

static int look_up(struct host_job *j, size_t size)
{
    if (j->addrlen)
        return skti_sys.gethostbyaddr(&j->addr, j->addrlen, j->family, &j->entry, j->buf, size, &j->found, &j->h);
    return skti_sys.gethostbyname(j->name, j->family, &j->entry, j->buf, size, &j->found, &j->h);
}

static void run_host(struct skti_job *job)
{
    struct host_job *j = (struct host_job *)job;
    size_t size = FIRST_BUFFER;
    do {
        char *bigger = skti_sys.realloc(j->buf, size);
        j->code = ENOMEM;
        if (!bigger)
            return;
        j->buf = bigger;
        j->found = NULL;
        j->code = look_up(j, size);
        size *= 4;
    } while (j->code == ERANGE && size <= (size_t)FIRST_BUFFER * 256);
}

static void dispose_host(struct skti_job *job)
{
    struct host_job *j = (struct host_job *)job;
    skti_sys.free(j->buf);
    skti_sys.free(j);
}

/* ---- A hostent as one piece of memory: the struct, the lists, the letters ---- */

static size_t count(char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

/* musl's begin with the name itself. */
static char *const *aliases_of(const struct hostent *h)
{
    bool same = h->h_aliases && h->h_aliases[0] && !strcmp(h->h_aliases[0], h->h_name);
    return h->h_aliases + same;
}

static size_t letters(const struct hostent *h)
{
    size_t sum = strlen(h->h_name) + 1 + count(h->h_addr_list) * INET6_ADDRSTRLEN;
    for (char *const *alias = aliases_of(h); alias && *alias; alias++)
        sum += strlen(*alias) + 1;
    return sum;
}

static skt_hostent *copy_hostent(const char *call, const struct hostent *h)
{
    char *const *names = aliases_of(h);
    size_t aliases = count(names), addresses = count(h->h_addr_list);
    size_t pointers = aliases + addresses + 2;
    skt_hostent *copy = skti_malloc(call, sizeof *copy + pointers * sizeof(char *) + letters(h));
    if (!copy)
        return NULL;
    copy->aliases = (char **)(copy + 1);
    copy->addresses = copy->aliases + aliases + 1;
    char *at = (char *)(copy->aliases + pointers);
    copy->name = strcpy(at, h->h_name);
    at += strlen(at) + 1;
    for (size_t i = 0; i < aliases; i++, at += strlen(at) + 1)
        copy->aliases[i] = strcpy(at, names[i]);
    for (size_t i = 0; i < addresses; i++, at += INET6_ADDRSTRLEN)
        copy->addresses[i] = (char *)inet_ntop(h->h_addrtype, h->h_addr_list[i], at, INET6_ADDRSTRLEN);
    copy->aliases[aliases] = copy->addresses[addresses] = NULL;
    return copy;
}

void skt_freehostent(skt_hostent *host)
{
    skti_sys.free(host);
}

/* Runs j, a job of its caller's no more, until the deadline. */
static skt_hostent *find_host(const char *call, const char *name, struct host_job *j, int64_t deadline)
{
    skti_blame blame;
    skt_hostent *host = NULL;
    if (skti_run_job(NULL, &j->job, deadline, &blame) < 0) {
        skti_fail_at(call, NULL, name, errno, blame);
        return NULL;
    }
    if (j->found)
        host = copy_hostent(call, j->found);
    else if (j->code == ENOMEM || (j->h < 0 && j->code))
        skti_fail_at(call, NULL, name, j->code, SKTI_SYSTEM);
    else
        skti_fail_host(call, name, j->h ? j->h : HOST_NOT_FOUND);
    int keep = errno;
    dispose_host(&j->job);
    errno = keep;
    return host;
}

static struct host_job *new_job(const char *call, int family)
{
    struct host_job *j = skti_malloc(call, sizeof *j);
    if (j)
        *j = (struct host_job){ .job = { .run = run_host, .dispose = dispose_host }, .family = family };
    return j;
}

static bool usable(const char *call, const char *name)
{
    if (name && strlen(name) < sizeof((struct host_job *)0)->name)
        return true;
    if (name)
        skti_fail_argument(call, EINVAL, "the name is too long: %zu bytes", strlen(name));
    else
        skti_fail_argument(call, EFAULT, "the name is NULL");
    return false;
}

/* gethostbyname(3) knows no IDNA: it is asked for what getaddrinfo calls the name. */
static int encode(const char *call, const char *name, int64_t deadline, char *encoded, size_t size)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_CANONNAME }, *list;
    if (skti_is_ascii(name))
        return skti_result(call, name, encoded, size);
    if (skti_getaddrinfo(NULL, call, name, NULL, &hints, deadline, &list) < 0)
        return -1;
    int result = skti_result(call, list->ai_canonname ? list->ai_canonname : name, encoded, size);
    int keep = errno;
    skti_sys.freeaddrinfo(list);
    errno = keep;
    return result;
}

skt_hostent *skt_gethostbyname_ex(const char *name, double timeout)
{
    const char *call = "gethostbyname_ex";
    char encoded[sizeof((struct host_job *)0)->name];
    int64_t ns = skti_nanoseconds(call, timeout);
    if (ns < -1 || !usable(call, name))
        return NULL;
    int64_t deadline = skti_deadline(ns);
    if (encode(call, name, deadline, encoded, sizeof encoded) < 0)
        return NULL;
    struct host_job *j = new_job(call, AF_INET);
    if (!j)
        return NULL;
    strcpy(j->name, encoded);
    return find_host(call, name, j, deadline);
}

static void set_address(struct host_job *j, const struct addrinfo *ai)
{
    const struct sockaddr_in *in = (const void *)ai->ai_addr;
    const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;
    j->addrlen = ai->ai_family == AF_INET ? sizeof in->sin_addr : sizeof in6->sin6_addr;
    memcpy(&j->addr, ai->ai_family == AF_INET ? (const void *)&in->sin_addr : &in6->sin6_addr, j->addrlen);
    j->family = ai->ai_family;
}

/* As in Python, address may be a name too. */
skt_hostent *skt_gethostbyaddr(const char *address, double timeout)
{
    const char *call = "gethostbyaddr";
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list;
    int64_t ns = skti_nanoseconds(call, timeout);
    if (ns < -1 || !usable(call, address))
        return NULL;
    int64_t deadline = skti_deadline(ns);
    if (skti_getaddrinfo(NULL, call, address, NULL, &hints, deadline, &list) < 0)
        return NULL;
    struct host_job *j = new_job(call, AF_UNSPEC);
    if (j)
        set_address(j, list);
    int keep = errno;
    skti_sys.freeaddrinfo(list);
    errno = keep;
    return j ? find_host(call, address, j, deadline) : NULL;
}

char *skt_gethostbyname(const char *name, char *buf, size_t len, double timeout)
{
    const char *call = "gethostbyname";
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *list;
    int64_t ns = skti_nanoseconds(call, timeout);
    if (ns < -1 || !usable(call, name) || skti_result_room(call, buf, len) < 0)
        return NULL;
    skt_addr addr = skt_inet(name, 0); /* knows "" and "<broadcast>" */
    if (addr.kind == SKTI_ADDR_NAME) {
        if (skti_getaddrinfo(NULL, call, name, NULL, &hints, skti_deadline(ns), &list) < 0)
            return NULL;
        addr = skt_sockaddr(list->ai_addr, list->ai_addrlen);
        skti_sys.freeaddrinfo(list);
    }
    if (skti_addr_check(call, &addr, AF_INET) < 0)
        return NULL;
    return skti_result(call, skt_host(&addr), buf, len) == 0 ? buf : NULL;
}

/* ---- The machine's name ---- */

/* Into a buffer of our own: what does not fit some C libraries cut without a word. */
int skt_gethostname(char *buf, size_t len)
{
    char name[HOST_NAME_MAX + 1];
    if (skti_result_room("gethostname", buf, len) < 0)
        return -1;
    if (skti_sys.gethostname(name, sizeof name) < 0)
        return skti_fail("gethostname", errno == EINVAL ? ENAMETOOLONG : errno);
    size_t size = strnlen(name, sizeof name) + 1;
    if (size > sizeof name || size > len)
        return skti_fail("gethostname", ENAMETOOLONG);
    memcpy(buf, name, size);
    return 0;
}

int skt_sethostname(const char *name)
{
    if (!name)
        return skti_fail_argument("sethostname", EFAULT, "the name is NULL");
    if (skti_sys.sethostname(name, strlen(name)) < 0)
        return skti_fail_at("sethostname", NULL, name, errno, SKTI_SYSTEM);
    return 0;
}

static bool means_this_machine(const char *name)
{
    return !name || !*name || !strcmp(name, "0.0.0.0") || !strcmp(name, "::");
}

/* The name or the first alias with a dot in it; the name if none has one. */
static const char *qualified(const skt_hostent *host)
{
    if (strchr(host->name, '.'))
        return host->name;
    for (char **alias = host->aliases; *alias; alias++)
        if (strchr(*alias, '.'))
            return *alias;
    return host->name;
}

int skt_getfqdn(const char *name, char *buf, size_t len, double timeout)
{
    char own[HOST_NAME_MAX + 1];
    int64_t ns = skti_nanoseconds("getfqdn", timeout);
    if (ns < -1 || skti_result_room("getfqdn", buf, len) < 0)
        return -1;
    if (means_this_machine(name)) {
        if (skt_gethostname(own, sizeof own) < 0)
            return -1;
        name = own;
    }
    skt_error before;
    skti_keep_record(&before);
    skt_hostent *host = skt_gethostbyaddr(name, timeout);
    if (!host && skt_timed_out())
        return -1;
    if (!host)
        skti_put_back_record(&before); /* the name itself will do */
    int result = skti_result("getfqdn", host ? qualified(host) : name, buf, len);
    skt_freehostent(host);
    return result;
}
