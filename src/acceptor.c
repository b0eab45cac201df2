/* acceptor.c - the tasks of skt_serve: one for each listener, one for each connection. */
#include "error.h"
#include "serve.h"
#include "sys.h"
#include <errno.h>
#include <stdarg.h>

/* Somebody else may free a descriptor, of which nobody tells us. */
#define LOOK_AGAIN 0.1

/* The handlers' tasks find it here: their one argument is the connection. */
static _Thread_local struct skti_server_thread *here;

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
    int most = serving->options.max_connections;
    return most <= 0 || __atomic_load_n(&serving->open, __ATOMIC_SEQ_CST) < (unsigned)most;
}

static void left(struct skti_serving *serving)
{
    __atomic_sub_fetch(&serving->open, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&serving->waiting, __ATOMIC_SEQ_CST))
        skti_set_off(serving->left);
}

static void handle(void *arg)
{
    skt *conn = arg;
    struct skti_serving *serving = here->serving;
    serving->handler(conn, serving->arg);
    skt_close(conn);
    left(serving);
}

/* 0, or -1: there is no memory for another task. */
static int start(struct skti_server_thread *thread, skt *conn)
{
    __atomic_add_fetch(&thread->serving->open, 1, __ATOMIC_SEQ_CST);
    if (skt_group_go(thread->handlers, handle, conn) == 0)
        return 0;
    int keep = errno;
    skt_close(conn);
    left(thread->serving);
    errno = keep;
    return -1;
}

/* ---- A listener ---- */

/* A listener of a thread, and whether its trouble has been told. */
struct acceptor {
    struct skti_server_thread *thread;
    skt *listener;
    bool told;
};

/* Waits until a connection has ended, for seconds at most.  false: cancelled. */
static bool wait_for_room(struct skti_serving *serving, double seconds)
{
    struct pollfd fd = { .fd = serving->left, .events = POLLIN };
    uint64_t count;
    __atomic_add_fetch(&serving->waiting, 1, __ATOMIC_SEQ_CST);
    int ready = room(serving) && seconds == SKT_NO_TIMEOUT ? 0 : skt_poll(&fd, 1, seconds);
    if (ready > 0 && skti_sys.read(serving->left, &count, sizeof count) < 0)
        ready = 0; /* another acceptor has read it */
    __atomic_sub_fetch(&serving->waiting, 1, __ATOMIC_SEQ_CST);
    return ready >= 0;
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
    struct skti_serving *serving = a->thread->serving;
    int none = 0;
    if (code != EINVAL && code != EBADF &&
        __atomic_compare_exchange_n(&serving->code, &none, code, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        serving->record = *skt_error_record();
    skti_set_off(serving->stop);
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
    if (!a->told)
        skti_serving_log(serving, "%s: no new connection until one ends (%u are open)", skt_strerror(),
                         __atomic_load_n(&serving->open, __ATOMIC_RELAXED));
    a->told = true;
    return wait_for_room(serving, LOOK_AGAIN);
}

static void accept_from(void *arg)
{
    struct acceptor *a = arg;
    struct skti_server_thread *thread = a->thread;
    skt_name_task("accept");
    for (bool on = true; on;) {
        if (!room(thread->serving)) {
            on = wait_for_room(thread->serving, SKT_NO_TIMEOUT);
            continue;
        }
        skt *conn = skt_accept(a->listener, NULL);
        if (conn && start(thread, conn) == 0)
            a->told = false;
        else
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
    here = thread;
    for (unsigned i = 0; i < serving->listener_count; i++) {
        if (!is_mine(thread, i))
            continue;
        struct acceptor *a = skti_malloc("serve", sizeof *a);
        if (a)
            *a = (struct acceptor){ thread, serving->listeners[i], false };
        if (!a || skt_group_go(thread->acceptors, accept_from, a) < 0) {
            skti_sys.free(a);
            __atomic_store_n(&serving->code, ENOMEM, __ATOMIC_RELEASE);
            skti_set_off(serving->stop);
        }
    }
}

void skti_accept_queued(struct skti_server_thread *thread)
{
    for (unsigned i = 0; i < thread->serving->listener_count; i++) {
        skt *listener = thread->serving->listeners[i], *conn;
        if (!is_mine(thread, i))
            continue;
        skt_deadline now = skt_deadline_begin(0);
        while (room(thread->serving) && (conn = skt_accept(listener, NULL)))
            start(thread, conn);
        skt_deadline_end(now);
    }
}
