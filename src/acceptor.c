/* acceptor.c - the tasks of skt_serve: one for each listener, one for each connection. */
#include "error.h"
#include "object.h"
#include "serve.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>

/* Somebody else may free a descriptor, or close the listener while there is no room: of that nobody tells us. */
#define LOOK_AGAIN 0.1

/* Trouble that has not been seen for so long is over, in nanoseconds. */
#define OVER ((int64_t)5000000000)

void skti_serving_log(struct skti_serving *serving, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (serving->options.log)
        serving->options.log(line, serving->arg);
    else
        fprintf(stderr, "skt: %s\n", line);
}

/* ---- Connections ---- */

static bool room(const struct skti_serving *serving)
{
    unsigned most = (unsigned)serving->options.max_connections;
    return most == 0 || __atomic_load_n(&serving->open, __ATOMIC_SEQ_CST) < most;
}

/* One more connection, if there is room for it. */
static bool enter(struct skti_serving *serving)
{
    unsigned most = (unsigned)serving->options.max_connections,
             open = __atomic_load_n(&serving->open, __ATOMIC_SEQ_CST);
    do
        if (most && open >= most)
            return false;
    while (!__atomic_compare_exchange_n(&serving->open, &open, open + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return true;
}

static void left(struct skti_serving *serving)
{
    __atomic_sub_fetch(&serving->open, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&serving->waiting, __ATOMIC_SEQ_CST) == 0)
        return;
    for (unsigned i = 0; i < serving->listener_count; i++)
        if (__atomic_load_n(&serving->rooms[i].waiting, __ATOMIC_SEQ_CST))
            skti_set_off(serving->rooms[i].left);
}

static void handle(void *arg)
{
    skt *conn = arg;
    struct skti_serving *serving = ((struct skti_server_thread *)conn->owner)->serving;
    serving->handler(conn, serving->arg);
    skt_close(conn);
    left(serving);
}

/* Of a connection that has entered: 0, or -1: there is no memory for another task. */
static int start(struct skti_server_thread *thread, unsigned listener, skt *conn)
{
    if (thread->serving->early[listener] > 0) {
        thread->serving->early[listener]--;
        skt_setsockopt_int(conn, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    conn->owner = thread; /* a task has one argument */
    if (skt_group_go(thread->handlers, handle, conn) == 0)
        return 0;
    int keep = errno;
    skt_close(conn);
    left(thread->serving);
    errno = keep;
    return -1;
}

/* ---- A listener ---- */

/* A listener of a thread. */
struct acceptor {
    struct skti_server_thread *thread;
    unsigned listener; /* its index */
};

/* Waits until a connection has ended, for a moment at most; not at all if it is only max_connections that stops us, and
 * there is room.  false: cancelled. */
static bool wait_for_room(struct skti_serving *serving, unsigned listener, bool only_full)
{
    struct skti_room *r = &serving->rooms[listener];
    struct pollfd fd = { .fd = r->left, .events = POLLIN };
    uint64_t stale;
    if (skti_sys.read(r->left, &stale, sizeof stale) < 0)
        stale = 0;
    __atomic_store_n(&r->waiting, true, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&serving->waiting, 1, __ATOMIC_SEQ_CST);
    int ready = only_full && room(serving) ? 0 : skt_poll(&fd, 1, LOOK_AGAIN);
    __atomic_sub_fetch(&serving->waiting, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&r->waiting, false, __ATOMIC_SEQ_CST);
    return ready >= 0;
}

/* Other threads' acceptors may have been faster at the last place: then it waits for the next, at most until `over`
 * says that there is no sense in it.  false: that, or cancelled. */
static bool enter_in_time(struct skti_serving *serving, unsigned listener, bool (*over)(skt *listener))
{
    while (!enter(serving))
        if (over(serving->listeners[listener]) || !wait_for_room(serving, listener, true))
            return false;
    return true;
}

/* Whether a listener was closed or shut down, of which accept would tell. */
static bool is_closed(skt *listener)
{
    struct pollfd fd = { .fd = skti_fd(listener), .events = POLLRDHUP };
    return (skti_state(listener) & SKTI_CLOSED) || skti_sys.ppoll(&fd, 1, &(struct timespec){ 0 }) > 0;
}

static bool never(skt *listener)
{
    (void)listener;
    return false;
}

/* Descriptors or memory are out, the caller's or the system's. */
static bool short_of(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* What accept(2) says of one connection that went wrong, and not of the listener. */
static bool of_one_connection(int code)
{
    return code == ECONNABORTED || code == EPROTO || code == EPERM || code == ENETDOWN || code == ENOPROTOOPT ||
           code == EHOSTDOWN || code == ENONET || code == EHOSTUNREACH || code == ENETUNREACH || code == EOPNOTSUPP;
}

/* The listener was shut down or closed (EINVAL, EBADF), which is a request to stop; or it is broken. */
static void stop(struct acceptor *a, int code)
{
    if (code == EINVAL || code == EBADF)
        skti_set_off(a->thread->serving->stop);
    else
        skti_serving_fail(a->thread->serving, code);
}

/* Whether the trouble is to be told: once, while it lasts. */
static bool is_news(struct skti_serving *serving)
{
    int64_t now = skti_now(), before = __atomic_exchange_n(&serving->trouble, now, __ATOMIC_RELAXED);
    return before == 0 || now - before > OVER;
}

/* An accept has failed: whether to go on. */
static bool recover(struct acceptor *a, int code)
{
    struct skti_serving *serving = a->thread->serving;
    if (code == ECANCELED)
        return false;
    if (of_one_connection(code) || skt_timed_out())
        return true;
    if (!short_of(code)) {
        stop(a, code);
        return false;
    }
    if (is_news(serving))
        skti_serving_log(serving, "%s: no new connection until one ends (%u are open)", skt_strerror(),
                         __atomic_load_n(&serving->open, __ATOMIC_RELAXED));
    return wait_for_room(serving, a->listener, false);
}

static void accept_from(void *arg)
{
    struct acceptor *a = arg;
    struct skti_serving *serving = a->thread->serving;
    skt *listener = serving->listeners[a->listener];
    skt_name_task("accept");
    for (bool on = true; on;) {
        if (!room(serving) && !is_closed(listener)) {
            on = wait_for_room(serving, a->listener, true);
            continue;
        }
        skt *conn = skt_accept(listener, NULL);
        if (conn && !enter_in_time(serving, a->listener, is_closed)) {
            serving->rooms[a->listener].in_hand = conn;
            skti_set_off(serving->stop); /* as it is already, where this task was cancelled */
            break;
        }
        if (!conn || start(a->thread, a->listener, conn) < 0)
            on = recover(a, errno);
    }
    skti_sys.free(a);
}

static bool is_mine(const struct skti_server_thread *thread, unsigned i)
{
    return i % thread->serving->threads == thread->index;
}

void skti_accept_all(struct skti_server_thread *thread)
{
    struct skti_serving *serving = thread->serving;
    for (unsigned i = 0; i < serving->listener_count; i++) {
        if (!is_mine(thread, i))
            continue;
        struct acceptor *a = skti_malloc("serve", sizeof *a);
        if (a)
            *a = (struct acceptor){ thread, i };
        if (!a || skt_group_go(thread->acceptors, accept_from, a) < 0) {
            skti_sys.free(a);
            skti_serving_fail(serving, ENOMEM);
        }
    }
}

/* The queue of a listener that was closed while we serve is still there: the descriptor is kept until we leave. */
static skt *reopened(skt *listener)
{
    skti_share_file(listener); /* if it is closed, there is a copy from now on */
    int fd =
        (skti_state(listener) & SKTI_CLOSED) && skti_fd(listener) >= 0 ? skti_sys.dup_cloexec(skti_fd(listener)) : -1;
    skt *again = fd >= 0 ? skt_fromfd(fd) : NULL;
    if (fd >= 0 && !again)
        skti_sys.close(fd);
    if (again && skti_settled_timeout(again) == 0)
        skti_stay_nonblocking(again);
    return again;
}

static skt *accept_now(skt *listener)
{
    skt_deadline now = skt_deadline_begin(0);
    skt *conn = skt_accept(listener, NULL);
    skt_deadline_end(now);
    return conn;
}

/* The next that is to be served, without waiting; NULL with errno. */
static skt *next_queued(struct skti_serving *serving, unsigned i, skt *closed)
{
    skt *conn = serving->rooms[i].in_hand;
    serving->rooms[i].in_hand = NULL;
    if (conn || !__atomic_load_n(&serving->handed_over, __ATOMIC_ACQUIRE))
        return conn ? conn : accept_now(closed ? closed : serving->listeners[i]);
    errno = EAGAIN;
    return NULL;
}

static void accept_queued_at(struct skti_server_thread *thread, unsigned i)
{
    struct skti_serving *serving = thread->serving;
    skt *closed = reopened(serving->listeners[i]);
    for (bool on = true; on;) {
        skt *conn = next_queued(serving, i, closed);
        if (!conn) {
            on = short_of(errno) ? wait_for_room(serving, i, false) : of_one_connection(errno);
        } else if (enter_in_time(serving, i, never)) {
            start(thread, i, conn);
        } else {
            skt_close(conn);
            on = false;
        }
    }
    skt_close(closed);
}

void skti_accept_queued(struct skti_server_thread *thread)
{
    for (unsigned i = 0; i < thread->serving->listener_count; i++)
        if (is_mine(thread, i))
            accept_queued_at(thread, i);
}
