/* serve.c - skt_serve: accepts on all cores, a task for each connection, and stops gracefully. */
#include "serve.h"
#include "duration.h"
#include "error.h"
#include "object.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/eventfd.h>

#define GRACE 10.0 /* seconds for the handlers that are at work when the server stops */
#define MOST_THREADS SKTI_MOST_LISTENERS

static int make_eventfd(void)
{
    return skti_sys.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* ---- One thread ---- */

static bool wait_for(int eventfd)
{
    struct pollfd fd = { .fd = eventfd, .events = POLLIN };
    return skt_poll(&fd, 1, SKT_NO_TIMEOUT) > 0;
}

/* The end of the serving on one thread: what is still to be done, and how long there is time for it. */
struct ending {
    struct skti_server_thread *thread;
    skt_group *time; /* of one task, which ends when the time is over */
};

/* A task: the time is over after the grace, or when somebody asks twice. */
static void keep_time(void *arg)
{
    struct ending *e = arg;
    double grace = e->thread->serving->options.grace;
    struct pollfd fd = { .fd = e->thread->serving->hurry, .events = POLLIN };
    skt_name_task("grace");
    skt_poll(&fd, 1, grace == 0 ? GRACE : grace);
}

/* A task: those who have connected are still served. */
static void serve_the_rest(void *arg)
{
    struct ending *e = arg;
    skt_name_task("serve");
    skti_accept_queued(e->thread);
    if (skt_group_wait(e->thread->handlers) == 0)
        skt_group_cancel(e->time);
}

/* There is no memory for tasks that would do it better. */
static void wait_plainly(struct skti_server_thread *thread)
{
    double grace = thread->serving->options.grace;
    skt_deadline d = skt_deadline_begin(grace == 0 ? GRACE : grace);
    skti_accept_queued(thread);
    skt_group_wait(thread->handlers);
    skt_deadline_end(d);
}

/* Whoever is still there after it is cancelled with the group of handlers. */
static void wait_for_handlers(struct skti_server_thread *thread)
{
    struct ending e = { .thread = thread, .time = skt_group_new() };
    skt_group *rest = skt_group_new();
    bool begun =
        e.time && rest && skt_group_go(e.time, keep_time, &e) == 0 && skt_group_go(rest, serve_the_rest, &e) == 0;
    if (!begun)
        wait_plainly(thread);
    else if (skt_group_wait(e.time) < 0)
        skti_set_off(thread->serving->hurry); /* this task is cancelled, which is meant for all threads */
    skt_group_close(rest);
    skt_group_close(e.time);
}

/* The first connections could take the descriptors that a late thread needs. */
static bool wait_for_all_threads(struct skti_serving *serving)
{
    if (__atomic_sub_fetch(&serving->starting, 1, __ATOMIC_ACQ_REL) == 0)
        skti_set_off(serving->started);
    return wait_for(serving->started);
}

void skti_serving_fail(struct skti_serving *serving, int code)
{
    int none = 0;
    if (__atomic_compare_exchange_n(&serving->code, &none, code, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        serving->record = *skt_error_record();
    skti_set_off(serving->stop);
    skti_set_off(serving->started);
}

static void serve_until_stop(struct skti_server_thread *thread)
{
    struct skti_serving *serving = thread->serving;
    if (!wait_for_all_threads(serving))
        return;
    skti_accept_all(thread);
    if (thread->index == 0) {
        serving->acceptors = thread->acceptors;
        skti_begin_offer(serving);
    }
    wait_for(serving->stop);
}

static void serve_here(struct skti_server_thread *thread)
{
    struct skti_serving *serving = thread->serving;
    thread->acceptors = skt_group_new();
    thread->handlers = skt_group_new();
    if (thread->acceptors && thread->handlers)
        serve_until_stop(thread);
    else
        skti_serving_fail(serving, ENOMEM);
    skti_set_off(serving->stop); /* also when this task was cancelled: the other threads stop too */
    skt_group_close(thread->acceptors);
    if (thread->index == 0)
        skti_end_offer(serving);
    if (thread->handlers)
        wait_for_handlers(thread);
    skt_group_close(thread->handlers);
}

static void serve_task(void *arg)
{
    skt_name_task("serve");
    serve_here(arg);
}

static void run_thread(struct skti_server_thread *thread)
{
    struct skti_serving *serving = thread->serving;
    skt_run_options options = { .stack_size = serving->options.stack_size, .spin = serving->options.spin };
    if (skti_in_task()) {
        serve_here(thread);
    } else if (skt_run_with(serve_task, thread, &options) < 0) {
        skti_serving_fail(serving, errno);
    }
    if (__atomic_sub_fetch(&serving->running, 1, __ATOMIC_ACQ_REL) == 0)
        skti_set_off(serving->done);
}

/* Handlers run here: so signals are as they are where skt_serve was called, those of faults and skt_dump_on_signal
 * among them.  (Other threads of the library have none.) */
static void *other_thread(void *arg)
{
    struct skti_server_thread *thread = arg;
    pthread_sigmask(SIG_SETMASK, &thread->serving->blocked, NULL);
    run_thread(thread);
    return NULL;
}

/* ---- All of them ---- */

static void start_others(struct skti_serving *serving, struct skti_server_thread *threads)
{
    for (unsigned i = 1; i < serving->threads; i++) {
        threads[i] = (struct skti_server_thread){ .serving = serving, .index = i };
        int code = skti_sys.start_thread(other_thread, &threads[i]);
        if (code == 0)
            continue;
        __atomic_sub_fetch(&serving->running, 1, __ATOMIC_ACQ_REL);
        skti_fail("serve", code);
        skti_serving_fail(serving, code);
    }
}

static void run_all(struct skti_serving *serving)
{
    struct skti_server_thread threads[MOST_THREADS] = { { .serving = serving } };
    serving->running = serving->starting = serving->threads;
    pthread_sigmask(SIG_SETMASK, NULL, &serving->blocked);
    start_others(serving, threads);
    run_thread(&threads[0]);
    skti_wait_eventfd(serving->done); /* not only until none runs: the last one has that still to set off */
}

static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (unsigned)n;
}

/* The kernel's own word: a listener that was inherited has been told by another process. */
static int backlog_of(skt *server)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;
    if (skt_getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return server->backlog;
    return (int)info.tcpi_sacked;
}

/* Another listener at the same address, on which the kernel puts its share of the connections
 * (SO_REUSEPORT).  NULL: it cannot be had. */
static skt *another_listener(skt *server, const skt_addr *local)
{
    int v6only = 0, backlog = backlog_of(server);
    skt *s = skt_socket(local->family, server->type, server->proto);
    if (local->family == AF_INET6 && skt_getsockopt_int(server, IPPROTO_IPV6, IPV6_V6ONLY, &v6only) == 0)
        skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
    if (skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
        skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEPORT, 1) == 0 && skt_bind(s, *local) == 0 &&
        skt_listen(s, backlog) == 0)
        return s;
    skt_close(s);
    return NULL;
}

/* Connections inherit it from then on; the kernel tells how many are in the queue already, but not of those that are
 * made and not in it yet: one for each core, at most. */
#define ON_THEIR_WAY 64
static void set_nodelay(struct skti_serving *serving, unsigned i)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;
    if (skt_setsockopt_int(serving->listeners[i], IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
        skt_getsockopt(serving->listeners[i], IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
        serving->early[i] = info.tcpi_unacked + ON_THEIR_WAY;
}

/* One listener for each thread: those that came with the server, more at its address, and where the family has
 * no such thing (AF_UNIX) the server itself again. */
static int gather_listeners(struct skti_serving *serving, skt *server)
{
    skt_addr local;
    if (skt_getsockname(server, &local) < 0)
        return -1;
    bool ip = local.family == AF_INET || local.family == AF_INET6;
    serving->listeners[0] = server;
    serving->listener_count = 1 + skti_inherited(server, serving->listeners + 1, SKTI_MOST_LISTENERS - 1);
    if (ip && serving->listener_count < serving->threads)
        skt_setsockopt_int(server, SOL_SOCKET, SO_REUSEPORT, 1);
    while (serving->listener_count < serving->threads) {
        skt *s = ip ? another_listener(server, &local) : NULL;
        serving->listeners[serving->listener_count++] = s ? s : skt_dup(server);
        if (!serving->listeners[serving->listener_count - 1])
            return -1;
    }
    for (unsigned i = 0; ip && !serving->options.no_nodelay && i < serving->listener_count; i++)
        set_nodelay(serving, i);
    return 0;
}

static void drop_listeners(struct skti_serving *serving)
{
    for (unsigned i = 1; i < serving->listener_count; i++)
        skt_close(serving->listeners[i]);
    for (unsigned i = 0; i < serving->room_count; i++)
        skti_sys.close(serving->rooms[i].left);
}

static bool listens(skt *server)
{
    int listening = 0;
    return skt_getsockopt_int(server, SOL_SOCKET, SO_ACCEPTCONN, &listening) == 0 && listening;
}

static bool usable(skt *server, void (*handler)(skt *conn, void *arg), const skt_serve_options *o)
{
    if (!handler)
        skti_fail_argument("serve", EFAULT, "the handler is NULL");
    else if (skti_settled_timeout(server) == 0)
        skti_fail_argument("serve", EINVAL, "the socket is non-blocking (timeout 0)");
    else if (o->threads < 0 || o->threads > MOST_THREADS)
        skti_fail_argument("serve", EINVAL, "threads is %d: 0 to %d", o->threads, MOST_THREADS);
    else if (o->max_connections < 0)
        skti_fail_argument("serve", EINVAL, "max_connections is %d", o->max_connections);
    else if (skti_nanoseconds("serve", o->grace) < -1)
        return false; /* it has said why */
    else if (!listens(server))
        skti_fail_argument("serve", EINVAL, "the socket does not listen: skt_listen comes first");
    else
        return true;
    return false;
}

static int make_rooms(struct skti_serving *serving)
{
    for (unsigned *i = &serving->room_count; *i < serving->listener_count; ++*i)
        if ((serving->rooms[*i].left = make_eventfd()) < 0)
            return skti_fail("serve", errno);
    return 0;
}

static int serve(struct skti_serving *serving, skt *server)
{
    int result = gather_listeners(serving, server);
    if (result == 0)
        result = make_rooms(serving);
    if (result == 0) {
        if (!serving->options.no_signals)
            skti_stop_signals(serving->stop, serving->hurry);
        run_all(serving);
        skti_stop_signals_end(serving->stop);
        if (serving->code) {
            skti_put_back_record(&serving->record);
            errno = serving->code;
            result = -1;
        }
    }
    int keep = errno;
    drop_listeners(serving);
    errno = keep;
    return result;
}

static int with_eventfds(struct skti_serving *serving, skt *server)
{
    int *fds[] = { &serving->started, &serving->stop, &serving->hurry, &serving->done };
    int result = 0;
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if ((*fds[i] = make_eventfd()) < 0 && result == 0)
            result = skti_fail("serve", errno);
    if (result == 0)
        result = serve(serving, server);
    int keep = errno;
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (*fds[i] >= 0)
            skti_sys.close(*fds[i]);
    errno = keep;
    return result;
}

int skt_serve(skt *server, void (*handler)(skt *conn, void *arg), void *arg, const skt_serve_options *options)
{
    struct skti_serving serving = { .handler = handler, .arg = arg };
    skt_error before;
    int result = -1;
    if (options)
        serving.options = *options;
    if (!skti_enter(server, "serve"))
        return -1;
    skti_keep_record(&before);
    if (usable(server, handler, &serving.options)) {
        serving.threads = serving.options.threads ? (unsigned)serving.options.threads : cores();
        result = with_eventfds(&serving, server);
    }
    if (result == 0)
        skti_put_back_record(&before); /* what it got over is no failure */
    skti_leave(server);
    return result;
}
