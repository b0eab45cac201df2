/* test_between.c - one socket among several: tasks and threads, tasks of two threads, and tasks of one skt_run after
 * another. */
#include "check.h"
#include "object.h"
#include "peer.h"
#include <fcntl.h>
#include <unistd.h>

/* A call that waits in s, and what came of it. */
struct waiting {
    skt *s;
    ssize_t (*call)(skt *s);
    ssize_t result;
    int code;
};

static char byte[1];

static ssize_t call_recv(skt *s)
{
    return skt_recv(s, byte, 1, 0);
}

static ssize_t call_accept(skt *s)
{
    skt *conn = skt_accept(s, NULL);
    skt_close(conn);
    return conn ? 1 : -1;
}

static ssize_t call_send(skt *s)
{
    return skt_send(s, "x", 1, 0);
}

static void wait_in_call(void *arg)
{
    struct waiting *w = arg;
    w->result = w->call(w->s);
    w->code = w->result < 0 ? errno : 0;
}

/* The same in a thread that runs tasks. */
static void wait_in_task(void *arg)
{
    CHECK_INT(skt_run(wait_in_call, arg), 0);
}

/* ---- Who waits, and who ends it ---- */

static int end_by_close(skt *s)
{
    return skt_close(s);
}

static int end_by_detach(skt *s)
{
    int fd = skt_detach(s);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
    return close(fd);
}

static int end_by_shutdown(skt *s)
{
    return skt_shutdown(s, SHUT_RDWR);
}

/* What the call returns after each of them. */
static const struct ending {
    int (*end)(skt *s);
    ssize_t result;
    int code;
} endings[] = {
    { end_by_close, -1, EBADF },
    { end_by_detach, -1, EBADF },
    { end_by_shutdown, 0, 0 },
};
#define ENDINGS (sizeof endings / sizeof *endings)

/* In a thread that runs tasks or, with plain, none, while the caller ends it. */
static void check_ended_from_here(skt *s, ssize_t (*call)(skt *s), const struct ending *ending, bool plain)
{
    struct waiting w = { .s = s, .call = call };
    struct peer peer;
    start_thread_peer(&peer, plain ? wait_in_call : wait_in_task, &w);
    wait_until_blocked(&peer);
    CHECK_INT(ending->end(s), 0);
    join_peer(&peer);
    CHECK_INT(w.result, ending->result);
    CHECK_INT(w.code, ending->code);
}

static void ended_in_another_thread(void)
{
    for (size_t i = 0; i < ENDINGS; i++)
        for (int plain = 0; plain < 2; plain++)
            for (int timeout = 0; timeout < 2; timeout++) {
                skt *pair[2];
                tcp_pair(pair);
                CHECK_INT(skt_settimeout(pair[0], timeout ? 1000 : SKT_NO_TIMEOUT), 0);
                check_ended_from_here(pair[0], call_recv, &endings[i], plain);
                if (endings[i].end == end_by_shutdown)
                    skt_close(pair[0]);
                skt_close(pair[1]);
            }
}

static void listeners_and_the_full(void)
{
    for (size_t i = 0; i < 2; i++)
        for (int plain = 0; plain < 2; plain++) {
            skt_addr addr;
            skt *pair[2];
            check_ended_from_here(local_server(&addr), call_accept, &endings[i], plain);
            CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
            fill_up(pair[0]);
            check_ended_from_here(pair[0], call_send, &endings[i], plain);
            skt_close(pair[1]);
        }
}

/* ---- Tasks wait here, and another thread ends it ---- */

struct end {
    const struct ending *ending;
    skt *s;
};

static void end_it(void *arg)
{
    struct end *e = arg;
    CHECK_INT(e->ending->end(e->s), 0);
}

#define TASKS 3

static void tasks_ended_by_a_thread(void)
{
    for (size_t i = 0; i < ENDINGS; i++) {
        skt *pair[2];
        struct waiting w[TASKS];
        struct peer peers[TASKS], thread;
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        for (int t = 0; t < TASKS; t++) {
            w[t] = (struct waiting){ .s = pair[0], .call = call_recv };
            start_peer(&peers[t], wait_in_call, &w[t]);
            wait_until_blocked(&peers[t]);
        }
        struct end e = { &endings[i], pair[0] };
        start_thread_peer(&thread, end_it, &e);
        for (int t = 0; t < TASKS; t++)
            join_peer(&peers[t]);
        join_peer(&thread);
        for (int t = 0; t < TASKS; t++) {
            CHECK_INT(w[t].result, endings[i].result);
            CHECK_INT(w[t].code, endings[i].code);
        }
        if (endings[i].end == end_by_shutdown)
            skt_close(pair[0]);
        skt_close(pair[1]);
    }
}

/* ---- Two threads share a socket ---- */

#define BYTES 2000

struct half {
    skt *s;
    size_t sum, n;
};

static void receive_some(void *arg)
{
    struct half *h = arg;
    unsigned char buf[7];
    ssize_t n;
    while ((n = skt_recv(h->s, buf, sizeof buf, 0)) > 0)
        for (ssize_t i = 0; i < n; i++, h->n++)
            h->sum += buf[i];
    CHECK_INT(n, 0);
}

static void receive_some_in_task(void *arg)
{
    CHECK_INT(skt_run(receive_some, arg), 0);
}

/* What comes is for whoever takes it first, and nobody sleeps on; the first engine watches the socket, the others poll.
 */
static void two_receive(void)
{
    skt *pair[2];
    struct half h[3];
    struct peer peers[3];
    size_t sum = 0;
    tcp_pair(pair);
    for (int i = 0; i < 3; i++)
        h[i] = (struct half){ .s = pair[0] };
    start_thread_peer(&peers[0], receive_some_in_task, &h[0]);
    start_thread_peer(&peers[1], receive_some_in_task, &h[1]);
    start_peer(&peers[2], receive_some, &h[2]);
    for (int i = 0; i < 3; i++)
        wait_until_blocked(&peers[i]);
    for (size_t i = 0; i < BYTES; i++) {
        const unsigned char c = (unsigned char)(i * 7);
        sum += c;
        CHECK_INT(skt_sendall(pair[1], &c, 1, 0), 0);
    }
    CHECK_INT(skt_shutdown(pair[1], SHUT_WR), 0);
    for (int i = 0; i < 3; i++)
        join_peer(&peers[i]);
    CHECK_INT(h[0].n + h[1].n + h[2].n, BYTES);
    CHECK_INT(h[0].sum + h[1].sum + h[2].sum, sum);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* One engine watches the socket, though none of its tasks waits in it any more; another's task finds that all was
 * taken, and waits by itself. */
struct taking {
    skt *s, *until;
    int turns, taken; /* atomic */
};

static void take(void *arg)
{
    struct taking *t = arg;
    char buf[7];
    for (int i = 0; i < t->turns; i++) {
        CHECK_INT(skt_recv(t->s, buf, sizeof buf, 0), 1);
        __atomic_add_fetch(&t->taken, 1, __ATOMIC_RELEASE);
    }
    CHECK_INT(t->until ? skt_recv(t->until, buf, 1, 0) : 0, 0);
}

static void take_in_task(void *arg)
{
    CHECK_INT(skt_run(take, arg), 0);
}

static void give(skt *s, struct taking *t, int taken)
{
    CHECK_INT(skt_sendall(s, "x", 1, 0), 0);
    while (__atomic_load_n(&t->taken, __ATOMIC_ACQUIRE) < taken)
        let_pass(0.0001);
}

static void watched_by_another(void)
{
    skt *pair[2], *held[2];
    struct peer peers[2];
    tcp_pair(pair);
    tcp_pair(held);
    struct taking first = { pair[0], held[0], 1, 0 }, second = { pair[0], NULL, 3, 0 };
    start_thread_peer(&peers[0], take_in_task, &first);
    wait_until_blocked(&peers[0]);
    give(pair[1], &first, 1);
    start_thread_peer(&peers[1], take_in_task, &second);
    for (int i = 1; i <= 3; i++) {
        give(pair[1], &second, i);
        if (i < 3)
            wait_until_blocked(&peers[1]);
    }
    join_peer(&peers[1]);
    CHECK_INT(skt_close(held[1]), 0);
    join_peer(&peers[0]);
    skt_close(held[0]);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* The same after that engine's end. */
static void watched_by_one_that_has_ended(void)
{
    skt *pair[2];
    struct peer peer;
    tcp_pair(pair);
    struct taking first = { pair[0], NULL, 1, 0 }, second = { pair[0], NULL, 2, 0 };
    start_thread_peer(&peer, take_in_task, &first);
    wait_until_blocked(&peer);
    give(pair[1], &first, 1);
    join_peer(&peer);
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
    start_thread_peer(&peer, take_in_task, &second);
    wait_until_blocked(&peer);
    CHECK_INT(__atomic_load_n(&second.taken, __ATOMIC_ACQUIRE), 1);
    give(pair[1], &second, 2);
    join_peer(&peer);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

#define CLIENTS 60

struct accepting {
    skt *server;
    int n;
};

static void accept_until_closed(void *arg)
{
    struct accepting *a = arg;
    skt *conn;
    while ((conn = skt_accept(a->server, NULL))) {
        a->n++;
        CHECK_INT(skt_sendall(conn, "x", 1, 0), 0);
        skt_close(conn);
    }
    CHECK_INT(errno, EBADF);
}

static void accept_in_tasks(void *arg)
{
    CHECK_INT(skt_run(accept_until_closed, arg), 0);
}

static void two_accept(void)
{
    skt_addr addr;
    struct accepting a[3];
    struct peer peers[3];
    skt *server = local_server(&addr);
    for (int i = 0; i < 3; i++)
        a[i] = (struct accepting){ .server = server };
    start_thread_peer(&peers[0], accept_in_tasks, &a[0]);
    start_thread_peer(&peers[1], accept_in_tasks, &a[1]);
    start_peer(&peers[2], accept_until_closed, &a[2]);
    for (int i = 0; i < 3; i++)
        wait_until_blocked(&peers[i]);
    for (int i = 0; i < CLIENTS; i++) {
        skt *s = skt_create_connection("127.0.0.1", skt_port(&addr), 60);
        CHECK(s && skt_recv(s, byte, 1, 0) == 1);
        CHECK_INT(skt_recv(s, byte, 1, 0), 0);
        skt_close(s);
    }
    CHECK_INT(skt_close(server), 0);
    for (int i = 0; i < 3; i++)
        join_peer(&peers[i]);
    CHECK_INT(a[0].n + a[1].n + a[2].n, CLIENTS);
}

/* One receives in tasks, another sends: the two directions of one socket. */
static void receive_in_one_send_in_another(void)
{
    skt *pair[2];
    struct half h;
    struct peer peer;
    static char much[200000];
    size_t back = 0;
    ssize_t n;
    tcp_pair(pair);
    small_buffers(pair);
    h = (struct half){ .s = pair[0] };
    start_thread_peer(&peer, receive_some_in_task, &h);
    wait_until_blocked(&peer);
    struct waiting w = { .s = pair[0], .call = call_send };
    struct peer sender;
    size_t before = fill_up(pair[0]);
    start_peer(&sender, wait_in_call, &w);
    wait_until_blocked(&sender);
    CHECK_INT(skt_sendall(pair[1], much, sizeof much, 0), 0);
    while (back < before + 1 && (n = skt_recv(pair[1], much, sizeof much, 0)) > 0)
        back += (size_t)n;
    join_peer(&sender);
    CHECK_INT(w.result, 1);
    CHECK_INT(skt_shutdown(pair[1], SHUT_WR), 0);
    join_peer(&peer);
    CHECK_INT(h.n, sizeof much);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* ---- One skt_run after another ---- */

/* A byte that is there before, one that comes while it waits, and one of which the last run has heard already. */
static void exchange(skt *pair[2], void (*run)(void *arg))
{
    struct waiting w = { .s = pair[0], .call = call_recv };
    struct peer peer;
    CHECK_INT(skt_sendall(pair[1], "1", 1, 0), 0);
    start_thread_peer(&peer, run, &w);
    join_peer(&peer);
    CHECK_INT(w.result, 1);
    start_thread_peer(&peer, run, &w);
    wait_until_blocked(&peer);
    CHECK_INT(skt_sendall(pair[1], "23", 2, 0), 0);
    join_peer(&peer);
    CHECK_INT(w.result, 1);
    start_thread_peer(&peer, run, &w);
    join_peer(&peer);
    CHECK_INT(w.result, 1);
}

static void one_run_after_another(void)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        skt *pair[2];
        if (tcp)
            tcp_pair(pair);
        else
            CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        exchange(pair, wait_in_task);
        exchange(pair, wait_in_call);
        exchange(pair, wait_in_task);
        CHECK_INT(skt_sendall(pair[0], "x", 1, 0), 0);
        CHECK_INT(skt_recv(pair[1], byte, 1, 0), 1);
        skt_close(pair[0]);
        skt_close(pair[1]);
    }
}

struct listening {
    skt *server;
    skt_addr addr;
};

static void accept_one(void *arg)
{
    struct listening *l = arg;
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, l->addr), 0);
    CHECK_INT(call_accept(l->server), 1);
    skt_close(s);
}

static void accept_one_in_task(void *arg)
{
    CHECK_INT(skt_run(accept_one, arg), 0);
}

/* A task's accept leaves the descriptor non-blocking: that is for copies of it too, and nobody is to see it. */
static void listeners_go_on(void)
{
    struct listening l;
    struct peer peer;
    l.server = local_server(&l.addr);
    start_thread_peer(&peer, accept_one_in_task, &l);
    join_peer(&peer);
    skt *copy = skt_dup(l.server);
    CHECK(copy && skt_gettimeout(copy) == SKT_NO_TIMEOUT);
    struct waiting w[2] = { { .s = l.server, .call = call_accept }, { .s = copy, .call = call_accept } };
    struct peer peers[2];
    for (int i = 0; i < 2; i++) {
        start_thread_peer(&peers[i], wait_in_call, &w[i]);
        wait_until_blocked(&peers[i]);
    }
    for (int i = 0; i < 2; i++) {
        skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(skt_connect(s, l.addr), 0);
        skt_close(s);
    }
    for (int i = 0; i < 2; i++) {
        join_peer(&peers[i]);
        CHECK_INT(w[i].result, 1);
    }
    skt_close(copy);
    accept_one(&l);
    skt_close(l.server);
}

/* ---- Many of everything ---- */

#define ROUNDS 100

/* A socket is closed while a task of another thread is about to wait in it, at no particular moment. */
static void closed_at_any_moment(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        skt *pair[2];
        struct waiting w[2];
        struct peer peers[2];
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        for (int t = 0; t < 2; t++) {
            w[t] = (struct waiting){ .s = pair[0], .call = call_recv };
            start_thread_peer(&peers[t], t ? wait_in_task : wait_in_call, &w[t]);
        }
        while ((skti_state(pair[0]) & SKTI_USERS) < 3)
            skt_yield();
        CHECK_INT(i % 2 ? skt_close(pair[0]) : end_by_detach(pair[0]), 0);
        for (int t = 0; t < 2; t++) {
            join_peer(&peers[t]);
            CHECK_INT(w[t].code, EBADF);
        }
        skt_close(pair[1]);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        { "skt_close, skt_detach and skt_shutdown end a call in another thread and in another thread's task",
          ended_in_another_thread },
        { "and accept, and send", listeners_and_the_full },
        { "several calls are ended by a thread", tasks_ended_by_a_thread },
        { "two schedulers receive from one socket", two_receive },
        { "one watches it, the other waits", watched_by_another },
        { "and after the first has ended", watched_by_one_that_has_ended },
        { "and accept from one", two_accept },
        { "one receives, another one sends", receive_in_one_send_in_another },
        { "a socket of one skt_run goes on in the next, and on a thread", one_run_after_another },
        { "a listener likewise, and its copy", listeners_go_on },
        { "a socket closed at any moment", closed_at_any_moment },
    };
    return RUN_CASES(cases);
}
