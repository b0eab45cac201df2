/* handover.c - a listener that was there before this process: from a service manager (LISTEN_FDS, sd_listen_fds(3)),
 * or from the previous process of the same server, so that a restart refuses nobody.
 *
 *     new process                          old process, in skt_serve
 *     connects to the path         ---->
 *     "skt 1 take"                 ---->
 *                                  <----   "skt 1 listeners" and their descriptors (SCM_RIGHTS)
 *     ... starts up, accepts ...
 *     "skt 1 ready"                ---->   stops accepting, lets its handlers end
 *     has renamed its own socket to the path
 *
 * Until it says ready, the old one goes on: a new process that fails to start harms nobody.  Both must be of
 * one user, or the new one root's. */
#include "address.h"
#include "error.h"
#include "object.h"
#include "serve.h"
#include "sys.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LISTEN_FD 3
#define PATIENCE 10.0 /* seconds for a peer to say its line */

static const char take[] = "skt 1 take", listeners[] = "skt 1 listeners", ready[] = "skt 1 ready";

/* Hangs on the server's socket. */
struct skti_handover {
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* where we answer; "": nowhere */
    skt *old;                                             /* the connection to the old process, or NULL */
    skt *more[SKTI_MOST_LISTENERS];                       /* listeners that came beside the first */
    unsigned more_count;
};

void skti_handover_free(struct skti_handover *h)
{
    if (!h)
        return;
    skt_close(h->old);
    for (unsigned i = 0; i < h->more_count; i++)
        skt_close(h->more[i]);
    skti_sys.free(h);
}

/* ---- Does a descriptor fit? ---- */

static bool is_wildcard(const skt_addr *a)
{
    const char *host = skt_host(a);
    return !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
}

/* Whether a listener at `is` is what `wanted` asks for: port 0 and names take any. */
static bool fits(const skt_addr *is, const skt_addr *wanted)
{
    bool ip = is->family == AF_INET || is->family == AF_INET6;
    if (wanted->family != is->family && wanted->family != AF_UNSPEC && !(ip && is_wildcard(is) && is_wildcard(wanted)))
        return false;
    if (!ip)
        return skt_addr_equal(is, wanted);
    if (wanted->port && wanted->port != is->port)
        return false;
    return wanted->kind == SKTI_ADDR_NAME || (is_wildcard(is) && is_wildcard(wanted)) ||
           !strcmp(skt_host(is), skt_host(wanted));
}

static bool listens_at(skt *s, const skt_addr *wanted)
{
    skt_addr local;
    int listening = 0;
    return skt_type(s) == SOCK_STREAM && skt_getsockopt_int(s, SOL_SOCKET, SO_ACCEPTCONN, &listening) == 0 &&
           listening && skt_getsockname(s, &local) == 0 && fits(&local, wanted);
}

/* Puts a listener into *first, or beside it. */
static void keep(skt *s, skt **first)
{
    if (skti_timeout(s) == 0)
        skti_stay_nonblocking(s);
    if (!*first)
        *first = s;
    else if ((*first)->handover && (*first)->handover->more_count < SKTI_MOST_LISTENERS)
        (*first)->handover->more[(*first)->handover->more_count++] = s;
    else
        skt_close(s);
}

static struct skti_handover *handover_of(skt *server)
{
    if (!server->handover)
        server->handover = skti_sys.calloc(1, sizeof *server->handover);
    return server->handover;
}

/* ---- From a service manager ---- */

static long number_of(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long n = text ? strtol(text, &end, 10) : -1;
    return text && *text && !*end ? n : -1;
}

/* Each descriptor is taken once. */
static skt *inherit_listen_fds(const skt_addr *wanted)
{
    static uint64_t taken;
    skt *first = NULL;
    long n = number_of("LISTEN_FDS");
    if (number_of("LISTEN_PID") != getpid())
        return NULL;
    for (int i = 0; i < n && i < SKTI_MOST_LISTENERS; i++) {
        uint64_t bit = (uint64_t)1 << i;
        skt *s = __atomic_fetch_or(&taken, bit, __ATOMIC_RELAXED) & bit ? NULL : skt_fromfd(FIRST_LISTEN_FD + i);
        if (s && listens_at(s, wanted)) {
            skt_set_inheritable(s, false);
            if (!first)
                handover_of(s);
            keep(s, &first);
        } else if (s) {
            skt_detach(s);
            __atomic_fetch_and(&taken, ~bit, __ATOMIC_RELAXED);
        }
    }
    return first;
}

/* ---- From the previous process ---- */

static int say(skt *s, const char *line)
{
    return skt_sendall(s, line, strlen(line), 0);
}

static bool says(skt *s, const char *line)
{
    char buf[32];
    ssize_t n = skt_recv(s, buf, sizeof buf, 0);
    return n == (ssize_t)strlen(line) && !memcmp(buf, line, (size_t)n);
}

static skt *connect_to_old(const char *path)
{
    skt *s = skt_socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (s && skt_settimeout(s, PATIENCE) == 0 && skt_connect(s, skt_unix(path)) == 0)
        return s;
    int code = errno;
    skt_close(s);
    errno = code;
    return NULL;
}

/* Those of the descriptors that listen where we want to; the first with the others hanging on it. */
static skt *adopt(const int *fds, size_t n, const skt_addr *wanted)
{
    skt *first = NULL;
    for (size_t i = 0; i < n; i++) {
        skt *s = skt_fromfd(fds[i]);
        if (!s) {
            skti_sys.close(fds[i]);
            continue;
        }
        bool fit = listens_at(s, wanted) && (first || handover_of(s));
        if (fit)
            keep(s, &first);
        else
            skt_close(s);
    }
    return first;
}

static skt *take_over(const char *path, const skt_addr *wanted, bool *failed)
{
    int fds[SKTI_MOST_LISTENERS];
    size_t n = SKTI_MOST_LISTENERS;
    char line[32];
    skt *old = connect_to_old(path), *server = NULL;
    if (!old) {
        *failed = errno != ENOENT && errno != ECONNREFUSED;
        return NULL;
    }
    ssize_t len = say(old, take) < 0 ? -1 : skt_recv_fds(old, line, sizeof line, fds, &n, 0, NULL);
    if (len == (ssize_t)strlen(listeners) && !memcmp(line, listeners, (size_t)len))
        server = adopt(fds, n, wanted);
    else
        *failed = true;
    if (len >= 0 && *failed)
        skti_fail_argument("create_server", EPROTO, "what answers at %s does not hand over listeners", path);
    if (server)
        server->handover->old = old;
    else
        skt_close(old);
    return server;
}

skt *skti_inherit(const skt_addr *addr, const skt_server_options *options, bool *failed)
{
    skt *s = options->listen_fds ? inherit_listen_fds(addr) : NULL;
    *failed = false;
    if (!s && options->handover)
        s = take_over(options->handover, addr, failed);
    return s;
}

int skti_offer_at(skt *server, const char *path)
{
    struct skti_handover *h = handover_of(server);
    if (!h)
        return skti_fail("create_server", ENOMEM);
    if (strlen(path) + sizeof ".0123456789" > sizeof h->path)
        return skti_fail_argument("create_server", ENAMETOOLONG, "the path for the handover is too long: %.100s", path);
    strcpy(h->path, path);
    return 0;
}

unsigned skti_inherited(skt *server, skt **more, unsigned max)
{
    struct skti_handover *h = server->handover;
    unsigned n = 0;
    if (!h)
        return 0;
    while (n < max && h->more_count > 0)
        more[n++] = h->more[--h->more_count];
    return n;
}

/* ---- To the next process ---- */

/* A connection from the next process, in a task of its own. */
struct asker {
    struct skti_serving *serving;
    skt *conn;
};

static bool is_trusted(skt *conn)
{
    struct ucred who;
    socklen_t len = sizeof who;
    return skt_getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == geteuid());
}

static int give_listeners(struct skti_serving *serving, skt *conn)
{
    int fds[SKTI_MOST_LISTENERS];
    for (unsigned i = 0; i < serving->listener_count; i++)
        fds[i] = skt_fileno(serving->listeners[i]);
    return skt_send_fds(conn, listeners, strlen(listeners), fds, serving->listener_count, 0) < 0 ? -1 : 0;
}

static void answer(void *arg)
{
    struct asker *a = arg;
    struct skti_serving *serving = a->serving;
    skt_name_task("handover");
    skt_settimeout(a->conn, PATIENCE);
    if (is_trusted(a->conn) && says(a->conn, take) && give_listeners(serving, a->conn) == 0 &&
        skt_settimeout(a->conn, SKT_NO_TIMEOUT) == 0 && says(a->conn, ready)) {
        skti_serving_log(serving, "the next process accepts: no new connection here");
        serving->handed_over = true;
        skti_set_off(serving->stop);
    }
    skt_close(a->conn);
    skti_sys.free(a);
}

static skt *listen_at(const char *path)
{
    char temporary[sizeof((struct sockaddr_un *)0)->sun_path + 16];
    snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
    skti_sys.unlink(temporary);
    skt *s = skt_socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (s && skt_bind(s, skt_unix(temporary)) == 0 && skt_listen(s, -1) == 0 && skti_sys.rename(temporary, path) == 0)
        return s;
    int code = errno;
    skti_sys.unlink(temporary);
    skt_close(s);
    errno = code;
    return NULL;
}

/* The listener is closed: if somebody answers at the path, it is the next process, which has put its own there. */
static void remove_path(const char *path)
{
    skt *probe = connect_to_old(path);
    if (!probe && errno == ECONNREFUSED)
        skti_sys.unlink(path);
    skt_close(probe);
}

static void answer_askers(struct skti_serving *serving, skt *listener)
{
    skt *conn;
    while ((conn = skt_accept(listener, NULL))) {
        struct asker *a = skti_malloc("serve", sizeof *a);
        if (a)
            *a = (struct asker){ serving, conn };
        if (!a || skt_group_go(serving->acceptors, answer, a) < 0) {
            skti_sys.free(a);
            skt_close(conn);
        }
    }
}

/* A task: our place is taken first, so that a process after the next one finds us. */
static void offer(void *arg)
{
    struct skti_serving *serving = arg;
    struct skti_handover *h = serving->listeners[0]->handover;
    skt *listener = *h->path ? listen_at(h->path) : NULL;
    skt_name_task("handover");
    if (*h->path && !listener)
        skti_serving_log(serving, "no handover to a next process at %s: %s", h->path, skt_strerror());
    if (h->old)
        say(h->old, ready);
    skt_close(h->old);
    h->old = NULL;
    if (!listener)
        return;
    answer_askers(serving, listener);
    skt_close(listener);
    remove_path(h->path);
}

void skti_begin_offer(struct skti_serving *serving)
{
    if (serving->listeners[0]->handover)
        skt_group_go(serving->acceptors, offer, serving);
}
