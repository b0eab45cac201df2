/* relay_datagrams.c - clients that only send datagrams: nobody tells us of their beginning and end.
 *
 *     socket of the relay  --- who is it? --->  the client's link  --->  upstream
 *                          <------------------------------------------  (a flow of relay_link.c)
 *
 * Each sender gets a link with an upstream socket of its own, so that answers find their way, until nothing has passed
 * for the idle time.  A thread for each core has its own socket at the address; the kernel keeps a client with one
 * of them.  What a thread has, only its tasks touch. */
#include "relay_session.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum {
    MESSAGE = 262144, /* the longest message, as in pump.c */
    MOST_THREADS = 64,
};

/* ---- A thread ---- */

static void receive_all(void *arg)
{
    struct thread *t = arg;
    char *buf = malloc(MESSAGE);
    t->tasks = skt_group_new();
    cmd_peer_ask_for_local_address(t->server);
    for (ssize_t n; buf && t->tasks;) {
        struct cmd_peer from;
        n = cmd_peer_take(t->server, buf, MESSAGE, MSG_TRUNC, &from);
        if (n < 0 && errno == EBADF)
            break; /* closed, by stop() */
        if (n >= 0 && n <= MESSAGE)
            session_take(t, &from, buf, (size_t)n);
    }
    skt_group_close(t->tasks);
    free(buf);
}

static void *run_thread(void *arg)
{
    if (skt_run(receive_all, arg) < 0)
        cmd_say("%s", skt_strerror());
    return NULL;
}

/* More sockets at the first one's address, where its family shares addresses.  How many there are. */
static unsigned make_servers(struct thread *threads, unsigned n)
{
    skt *first = threads[0].server;
    skt_addr local;
    int v6only = 0;
    if ((skt_family(first) != AF_INET && skt_family(first) != AF_INET6) || skt_getsockname(first, &local) < 0 ||
        skt_setsockopt_int(first, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return 1;
    if (local.family == AF_INET6)
        skt_getsockopt_int(first, IPPROTO_IPV6, IPV6_V6ONLY, &v6only);
    for (unsigned i = 1; i < n; i++) {
        skt *s = skt_socket(local.family, SOCK_DGRAM, 0);
        threads[i] = (struct thread){ .relay = threads[0].relay, .server = s };
        if (!s || cmd_prepare(s, threads[0].relay->settings) < 0 ||
            (local.family == AF_INET6 && skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, v6only) < 0) ||
            skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || skt_bind(s, local) < 0) {
            skt_close(s);
            return i;
        }
    }
    return n;
}

static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (unsigned)n;
}

/* Until SIGTERM or SIGINT; the threads begin with both blocked. */
static void run_threads(struct thread *threads, unsigned n)
{
    sigset_t stop;
    int number;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    unsigned running = 0;
    while (running < n && pthread_create(&threads[running].id, NULL, run_thread, &threads[running]) == 0)
        running++;
    if (running > 0)
        sigwait(&stop, &number);
    for (unsigned i = 0; i < n; i++)
        skt_close(threads[i].server);
    for (unsigned i = 0; i < running; i++)
        pthread_join(threads[i].id, NULL);
}

int relay_datagrams(struct relay *relay)
{
    char text[SKT_ADDR_TEXT_MAX + 16];
    skt *server;
    int status = cmd_listen_at(&relay->from, relay->settings, &server);
    if (status)
        return status;
    struct thread *threads = calloc(MOST_THREADS, sizeof *threads);
    if (!threads) {
        cmd_say("no memory is left");
        return STATUS_FAILED;
    }
    threads[0] = (struct thread){ .relay = relay, .server = server };
    unsigned n = make_servers(threads, cores());
    cmd_address_of(&relay->from, server, text, sizeof text);
    cmd_say("relaying %s to %s", text, relay->to.text);
    relay_begin_status(relay);
    run_threads(threads, n);
    relay_end_status();
    free(threads);
    return STATUS_OK;
}
