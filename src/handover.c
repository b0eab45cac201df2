/* handover.c - a listener that was there before this process: from a service manager (LISTEN_FDS, sd_listen_fds(3)),
 * or from the previous process of the same server, so that a restart refuses nobody.
 *
 *     new process                          old process, in skt_serve
 *     connects to the path         ---->
 *     "skt 1 take"                 ---->
 *                                  <----   "skt 1 listeners" and their descriptors (SCM_RIGHTS)
 *     ... starts up, accepts, puts its own socket at the path ...
 *     "skt 1 ready"                ---->   stops accepting, lets its handlers end
 *
 * Until it says ready, the old one goes on: a new process that fails to start harms nobody.  One that listens somewhere
 * else says "skt 1 elsewhere" instead: then the old one serves those in its queues, too, before it ends.  Both must be
 * of one user, or the new one root's; others hear "skt 1 refused".
 *
 * Processes that ask at the same time are answered one after the other.  Who loses the connection without a word asks
 * again: the old one has gone meanwhile, and its successor is at the path. */
#include "address.h"
#include "error.h"
#include "object.h"
#include "serve.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LISTEN_FD 3
#define PATIENCE 10.0 /* seconds for a peer to say its line */

#define ASK_AGAIN 0.01
#define ACCEPT_AGAIN 0.1

static const char take[] = "skt 1 take", listeners[] = "skt 1 listeners", refused[] = "skt 1 refused",
                  ready[] = "skt 1 ready", elsewhere[] = "skt 1 elsewhere";

/* Hangs on the server's socket. */
struct skti_handover {
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* where we answer; "": nowhere */
    skt *old;                                             /* the connection to the old process, or NULL */
    skt *more[SKTI_MOST_LISTENERS];                       /* listeners that came beside the first */
    unsigned more_count;
    bool moved; /* we listen somewhere else than the old process */
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
    if (skti_settled_timeout(s) == 0)
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

static bool is_line(const char *buf, ssize_t n, const char *line)
{
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

/* What came of asking an old process. */
enum asked { NOBODY, GONE, TAKEN, MOVED, FAILED };

static enum asked ask(const char *path, const skt_addr *wanted, skt **old, skt **server)
{
    int fds[SKTI_MOST_LISTENERS];
    size_t n = SKTI_MOST_LISTENERS;
    char line[32];
    *old = connect_to_old(path);
    if (!*old)
        return errno == ENOENT || errno == ECONNREFUSED ? NOBODY : FAILED;
    ssize_t len = say(*old, take) < 0 ? -1 : skt_recv_fds(*old, line, sizeof line, fds, &n, 0, NULL);
    if (len == 0 || (len < 0 && (errno == ECONNRESET || errno == EPIPE)))
        return GONE;
    if (is_line(line, len, listeners)) {
        *server = adopt(fds, n, wanted);
        return *server ? TAKEN : MOVED;
    }
    if (is_line(line, len, refused))
        skti_fail_argument("create_server", EPERM, "the process that answers at %s is another user's", path);
    else if (len >= 0)
        skti_fail_argument("create_server", EPROTO, "what answers at %s does not hand over listeners", path);
    return FAILED;
}

/* Asks until there is an answer; *old is who is to be told when we accept, or NULL. */
static enum asked take_over(const char *path, const skt_addr *wanted, skt **old, skt **server)
{
    int64_t deadline = skti_deadline((int64_t)(PATIENCE * 1e9));
    enum asked result;
    while ((result = ask(path, wanted, old, server)) == GONE) {
        skt_close(*old);
        *old = NULL;
        if (skti_now() >= deadline) {
            skti_fail_argument("create_server", EPROTO, "what answers at %s does not hand over listeners", path);
            return FAILED;
        }
        if (skt_sleep(ASK_AGAIN) < 0)
            return FAILED;
    }
    if (result == FAILED)
        skt_close(*old);
    return result;
}

int skti_inherit(const skt_addr *addr, const skt_server_options *options, struct skti_inheritance *got)
{
    *got = (struct skti_inheritance){ .server = options->listen_fds ? inherit_listen_fds(addr) : NULL };
    if (got->server || !options->handover)
        return 0;
    enum asked result = take_over(options->handover, addr, &got->old, &got->server);
    got->moved = result == MOVED;
    return result == FAILED ? -1 : 0;
}

int skti_offer_at(skt *server, const char *path, const struct skti_inheritance *got)
{
    struct skti_handover *h = handover_of(server);
    if (!h)
        return skti_fail("create_server", ENOMEM);
    if (strlen(path) + sizeof ".0123456789" >= sizeof h->path)
        return skti_fail_argument("create_server", ENAMETOOLONG, "the path for the handover is too long: %.100s", path);
    strcpy(h->path, path);
    h->old = got->old;
    h->moved = got->moved;
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

/* Two processes that both had the listeners would both go on for ever.  false: cancelled. */
static bool wait_for_turn(struct skti_serving *serving)
{
    while (serving->handing_over)
        if (skt_sleep(ASK_AGAIN) < 0)
            return false;
    serving->handing_over = true;
    return true;
}

/* Whether the next process has said that it accepts. */
static bool hand_over(struct skti_serving *serving, skt *conn)
{
    char line[32];
    skt_settimeout(conn, PATIENCE);
    if (!is_trusted(conn)) {
        say(conn, refused);
        return false;
    }
    if (!is_line(line, skt_recv(conn, line, sizeof line, 0), take) || !wait_for_turn(serving))
        return false;
    skt_settimeout(conn, SKT_NO_TIMEOUT);
    ssize_t n = give_listeners(serving, conn) < 0 ? -1 : skt_recv(conn, line, sizeof line, 0);
    bool accepts = is_line(line, n, ready);
    __atomic_store_n(&serving->handed_over, accepts, __ATOMIC_RELEASE);
    serving->handing_over = accepts || is_line(line, n, elsewhere);
    return serving->handing_over;
}

static void answer(void *arg)
{
    struct asker *a = arg;
    skt_name_task("handover");
    if (hand_over(a->serving, a->conn)) {
        skti_serving_log(a->serving, "the next process accepts: no new connection here");
        skti_set_off(a->serving->stop);
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

/* While we serve, through times without descriptors too. */
static void answer_askers(struct skti_serving *serving, skt *listener)
{
    for (;;) {
        skt *conn = skt_accept(listener, NULL);
        if (!conn && (errno == ECANCELED || skt_sleep(ACCEPT_AGAIN) < 0))
            return;
        if (!conn)
            continue;
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
    serving->offering = listener != NULL;
    if (h->old)
        say(h->old, h->moved ? elsewhere : ready);
    skt_close(h->old);
    h->old = NULL;
    if (listener)
        answer_askers(serving, listener);
    skt_close(listener);
}

void skti_begin_offer(struct skti_serving *serving)
{
    if (serving->listeners[0]->handover && skt_group_go(serving->acceptors, offer, serving) < 0)
        skti_serving_fail(serving, errno);
}

/* Whether somebody answers at the path: the next process, which has put its own socket there.  (This may be a task that
 * is cancelled, so no call that waits will do.) */
static bool is_answered(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    strcpy(sa.sun_path, path);
    int fd = skti_sys.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = fd < 0 || skti_sys.connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0 || errno != ECONNREFUSED;
    if (fd >= 0)
        skti_sys.close(fd);
    return answered;
}

void skti_end_offer(struct skti_serving *serving)
{
    struct skti_handover *h = serving->listeners[0]->handover;
    if (serving->offering && !is_answered(h->path))
        skti_sys.unlink(h->path);
}
