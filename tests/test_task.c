/* test_task.c - tasks: how they begin, end and take turns; what is a task's own; what they wait for. */
#include "check.h"
#include "peer.h"
#include "sys.h"
#include "task.h"
#include "task_time.h"
#include <fcntl.h>
#include <math.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int ended;

static void nothing(void *unused)
{
    (void)unused;
    ended++;
}

/* ---- Beginning and ending ---- */

static void run_within(void *unused)
{
    CHECK(skt_in_task());
    CHECK_ERRNO(skt_run(nothing, unused), EINVAL);
    CHECK_STR(skt_strerror(), "run: this is a task already: skt_go starts another");
    CHECK_ERRNO(skt_go(NULL, NULL), EFAULT);
}

static void arguments(void)
{
    static const skt_run_options bad[] = {
        { .stack_size = 1 },
        { .stack_size = ((size_t)1 << 30) + 1 },
        { .stack_size = SIZE_MAX },
        { .spin = -1 },
        { .spin = 1.5 },
        { .spin = NAN },
    };
    static const skt_run_options good[] = { { 0 }, { .stack_size = 16384 }, { .stack_size = 20000, .spin = 1e-4 } };
    CHECK(!skt_in_task());
    CHECK_ERRNO(skt_run(NULL, NULL), EFAULT);
    CHECK_ERRNO(skt_go(nothing, NULL), EPERM);
    CHECK_STR(skt_strerror(), "go: tasks exist only inside skt_run");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERRNO(skt_run_with(nothing, NULL, &bad[i]), EINVAL);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_INT(skt_run_with(nothing, NULL, &good[i]), 0);
    run_tasks(run_within, NULL);
    CHECK(!skt_in_task());
}

static void beget(void *arg)
{
    int *generations = arg;
    skt_yield();
    if (--*generations > 0) {
        go(beget, generations);
        go(nothing, NULL);
    }
    ended++;
}

static void every_task(void)
{
    for (int round = 0; round < 3; round++) {
        int generations = 100;
        ended = 0;
        run_tasks(beget, &generations);
        CHECK_INT(ended, 199);
    }
}

static void sleep_a_little(void *arg)
{
    int *count = arg;
    for (int i = 0; i < 5; i++)
        CHECK_INT(skt_sleep(1e-4), 0);
    ++*count;
}

static void sleepers(void *arg)
{
    for (int i = 0; i < 50; i++)
        go(sleep_a_little, arg);
}

static void run_on_thread(void *arg)
{
    for (int i = 0; i < 3; i++)
        run_tasks(sleepers, arg);
}

static void several_threads(void)
{
    struct peer peers[4];
    int counts[4] = { 0 };
    for (int i = 0; i < 4; i++)
        start_thread_peer(&peers[i], run_on_thread, &counts[i]);
    for (int i = 0; i < 4; i++) {
        join_peer(&peers[i]);
        CHECK_INT(counts[i], 150);
    }
}

/* ---- A task's own ---- */

static void fail_with_bad_descriptor(void *unused)
{
    (void)unused;
    CHECK(skt_error_record()->domain == SKT_ERROR_NONE && !skt_timed_out());
    CHECK_STR(skt_strerror(), "no error");
    for (int i = 0; i < 10; i++) {
        CHECK_INT(skt_fromfd(-7 - i) == NULL, 1);
        skt_yield();
        char expected[64];
        CHECK_INT(errno, EBADF);
        snprintf(expected, sizeof expected, "fromfd: negative file descriptor: %d", -7 - i);
        CHECK_STR(skt_strerror(), expected);
        CHECK(!skt_timed_out());
    }
}

static void fail_by_timeout(void *arg)
{
    char c;
    CHECK_INT(skt_settimeout(arg, 1), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(skt_recv(arg, &c, 1, 0), -1);
        skt_yield();
        CHECK(errno == ETIMEDOUT && skt_timed_out());
        CHECK_STR(skt_strerror(), "recv: timed out");
    }
}

static void fail_to_connect(void *unused)
{
    (void)unused;
    skt_addr addr;
    skt_close(local_server(&addr));
    for (int i = 0; i < 10; i++) {
        CHECK(!skt_create_connection("127.0.0.1", skt_port(&addr), 5));
        skt_yield();
        CHECK(errno == ECONNREFUSED && !strncmp(skt_strerror(), "connect 127.0.0.1", 17));
        CHECK_INT(skt_attempt(0, NULL), ECONNREFUSED);
        CHECK_INT(skt_error_record()->attempts, 1);
    }
}

static void fail_in_turns(void *arg)
{
    go(fail_with_bad_descriptor, NULL);
    go(fail_by_timeout, arg);
    go(fail_to_connect, NULL);
}

static void errors_are_ones_own(void)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_ERRNO(skt_listen(pair[0], 1), EINVAL); /* the thread's record */
    task_time_begin();
    run_tasks(fail_in_turns, pair[1]);
    task_time_end();
    CHECK_STR(skt_error_record()->call, "listen");
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static const struct {
    char letter;
    double seconds;
} sleeps[] = { { 'e', 5 }, { 'b', 2 }, { 'd', 4.5 }, { 'a', 0 }, { 'c', 2.25 }, { 'f', 86400.0 * 365 } };

static void sleep_and_step(void *arg)
{
    const size_t i = (size_t)(uintptr_t)arg;
    int64_t before = fake_slept;
    CHECK_INT(skt_sleep(sleeps[i].seconds), 0);
    CHECK_INT(fake_slept - before, (int64_t)(sleeps[i].seconds * 1e9));
    step(sleeps[i].letter);
}

static void start_sleeps(void *unused)
{
    (void)unused;
    for (uintptr_t i = 0; i < sizeof sleeps / sizeof *sleeps; i++)
        go(sleep_and_step, (void *)i);
}

static void sleeping(void)
{
    CHECK_ERRNO(skt_sleep(-2), EINVAL);
    CHECK_ERRNO(skt_sleep(NAN), EINVAL);
    steps_begin();
    task_time_begin();
    CHECK_INT(skt_sleep(3), 0);
    CHECK_INT(fake_slept, 3 * SECOND);
    run_tasks(start_sleeps, NULL);
    task_time_end();
    CHECK_STR(steps, "abcdef");
}

/* ---- Turns ---- */

static void three_turns(void *arg)
{
    for (int i = 0; i < 3; i++) {
        step(*(char *)arg);
        skt_yield();
    }
}

static void start_turns(void *unused)
{
    static char letters[] = "abc";
    (void)unused;
    go(three_turns, &letters[0]);
    go(three_turns, &letters[1]);
    go(three_turns, &letters[2]);
    CHECK_STR(steps, ""); /* they have their turns when we wait */
}

static void yielding(void)
{
    steps_begin();
    run_tasks(start_turns, NULL);
    CHECK_STR(steps, "abcabcabc");
    skt_yield(); /* on a thread too */
}

/* One task that never has to wait, and others for whom something comes: data, time, a closing by another
 * thread. */
struct greedy {
    skt *own[2], *others[2], *closed[2];
    int served;
    struct peer peer;
};

static void want_data(void *arg)
{
    struct greedy *g = arg;
    char c;
    CHECK_INT(skt_recv(g->others[0], &c, 1, 0), 1);
    g->served++;
}

static void want_time(void *arg)
{
    struct greedy *g = arg;
    CHECK_INT(skt_sleep(0), 0);
    g->served++;
}

static void want_end(void *arg)
{
    struct greedy *g = arg;
    char c;
    CHECK_ERRNO(skt_recv(g->closed[0], &c, 1, 0), EBADF);
    g->served++;
}

static void close_elsewhere(void *arg)
{
    struct greedy *g = arg;
    CHECK_INT(skt_close(g->closed[0]), 0);
}

static void be_greedy(void *arg)
{
    struct greedy *g = arg;
    char c = 'x';
    go(want_data, g);
    go(want_time, g);
    go(want_end, g);
    skt_yield();
    start_thread_peer(&g->peer, close_elsewhere, g);
    join_peer(&g->peer);
    CHECK_INT(skt_send(g->others[1], &c, 1, 0), 1);
    for (int i = 0; g->served < 3; i++) {
        CHECK(i < 1000);
        CHECK_INT(skt_send(g->own[0], &c, 1, 0), 1);
        CHECK_INT(skt_recv(g->own[1], &c, 1, 0), 1);
    }
}

static void fairness(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct greedy g = { .served = 0 };
        CHECK_INT(skt_socketpair(0, 0, 0, g.own), 0);
        CHECK_INT(skt_socketpair(0, 0, 0, g.others), 0);
        CHECK_INT(skt_socketpair(0, 0, 0, g.closed), 0);
        skti_task_seed = seed;
        run_tasks(be_greedy, &g);
        skti_task_seed = 0;
        for (int i = 0; i < 2; i++) {
            skt_close(g.own[i]);
            skt_close(g.others[i]);
        }
        skt_close(g.closed[1]);
    }
}

/* A ring of tasks, each of which hands on what it gets. */
#define RING 12

static skt *ring[RING][2];

static void hand_on(void *arg)
{
    const size_t i = (size_t)(uintptr_t)arg;
    uint32_t value;
    for (int round = 0; round < 20; round++) {
        CHECK_INT(skt_recv(ring[i][1], &value, sizeof value, MSG_WAITALL), sizeof value);
        value++;
        CHECK_INT(skt_sendall(ring[(i + 1) % RING][0], &value, sizeof value, 0), 0);
    }
}

static void start_ring(void *unused)
{
    (void)unused;
    uint32_t value = 0;
    for (uintptr_t i = 0; i < RING; i++)
        go(hand_on, (void *)i);
    for (int i = 0; i < 3; i++)
        CHECK_INT(skt_sendall(ring[i * 4][0], &value, sizeof value, 0), 0);
}

static void schedules(void)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint32_t left[3];
        for (int i = 0; i < RING; i++)
            CHECK_INT(skt_socketpair(0, 0, 0, ring[i]), 0);
        skti_task_seed = seed;
        run_tasks(start_ring, NULL);
        skti_task_seed = 0;
        uint64_t sum = 0;
        for (int i = 0; i < RING; i++) {
            ssize_t n = skt_recv(ring[i][1], left, sizeof left, MSG_DONTWAIT);
            for (ssize_t j = 0; j < n / (ssize_t)sizeof *left; j++)
                sum += left[j];
            skt_close(ring[i][0]);
            skt_close(ring[i][1]);
        }
        CHECK_INT(sum, RING * 20);
    }
}

/* ---- skt_poll ---- */

struct polled {
    int fd, result, revents;
    double timeout;
    char letter;
};

static void poll_one(void *arg)
{
    struct polled *p = arg;
    struct pollfd fd = { .fd = p->fd, .events = POLLIN, .revents = 77 };
    p->result = skt_poll(&fd, 1, p->timeout);
    p->revents = fd.revents;
    step(p->letter);
}

static void write_later(void *arg)
{
    CHECK_INT(skt_sleep(2), 0);
    step('w');
    CHECK_INT(write(*(int *)arg, "x", 1), 1);
}

static void poll_pipe(void *unused)
{
    (void)unused;
    int fds[2];
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    struct polled late = { fds[0], 0, 0, 1, 'l' }, one = { fds[0], 0, 0, SKT_NO_TIMEOUT, 'o' },
                  two = { fds[0], 0, 0, 9, 't' };
    go(poll_one, &late);
    go(poll_one, &one);
    go(poll_one, &two);
    go(write_later, &fds[1]);
    CHECK_INT(skt_sleep(3), 0);
    CHECK(late.result == 0 && late.revents == 0);
    CHECK(one.result == 1 && one.revents == POLLIN && two.result == 1 && two.revents == POLLIN);
    close(fds[0]);
    close(fds[1]);
}

static void polling_in_two_tasks(void)
{
    steps_begin();
    task_time_begin();
    run_tasks(poll_pipe, NULL);
    task_time_end();
    CHECK(!strcmp(steps, "lwot") || !strcmp(steps, "lwto"));
}

static void poll_kinds(void *unused)
{
    (void)unused;
    struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CHECK(timer >= 0 && file >= 0);
    CHECK_INT(timerfd_settime(timer, 0, &soon, NULL), 0);
    struct pollfd fds[] = { { .fd = timer, .events = POLLIN }, { .fd = -1, .events = POLLIN, .revents = 3 } };
    CHECK_INT(skt_poll(fds, 1, SKT_NO_TIMEOUT), 1);
    CHECK_INT(fds[0].revents, POLLIN);
    CHECK_INT(timerfd_settime(timer, 0, &soon, NULL), 0);
    CHECK_INT(skt_poll(fds, 2, SKT_NO_TIMEOUT), 1);
    CHECK_INT(fds[1].revents, 0);
    fds[0] = (struct pollfd){ .fd = file, .events = POLLIN | POLLOUT };
    CHECK_INT(skt_poll(fds, 1, SKT_NO_TIMEOUT), 1);
    CHECK(fds[0].revents & POLLIN);
    fds[0].events = 0; /* ready for everything but that */
    CHECK_INT(skt_poll(fds, 1, 1e-3), 0);
    CHECK_INT(skt_poll(&fds[1], 1, 1e-3), 0);
    CHECK_INT(skt_poll(NULL, 0, 1e-3), 0);
    CHECK_INT(timerfd_settime(timer, 0, &soon, NULL), 0);
    struct pollfd many[] = {
        { .fd = file }, { .fd = timer }, { .fd = -5 }, { .fd = timer, .events = POLLIN }, { .fd = timer }
    };
    CHECK_INT(skt_poll(many, 5, SKT_NO_TIMEOUT), 1); /* the same one three times */
    CHECK(many[3].revents == POLLIN && !many[0].revents && !many[1].revents && !many[2].revents && !many[4].revents);
    close(timer);
    CHECK_INT(skt_poll(many, 4, SKT_NO_TIMEOUT), 2);
    CHECK(many[1].revents == POLLNVAL && many[3].revents == POLLNVAL);
    close(file);
    CHECK_ERRNO(skt_poll(NULL, 1, 1), EFAULT);
    CHECK_ERRNO(skt_poll(many, SIZE_MAX, 1), EINVAL);
    CHECK_ERRNO(skt_poll(many, 1, -3), EINVAL);
}

static void kinds_of_descriptors(void)
{
    poll_kinds(NULL); /* on a thread the same */
    run_tasks(poll_kinds, NULL);
}

/* A socket's own descriptor is polled by one task while another receives from the socket; who comes first
 * is tried both ways. */
static void receive_one(void *arg)
{
    char c;
    CHECK_INT(skt_recv(arg, &c, 1, 0), 1);
    step('r');
}

static void poll_a_sockets(void *unused)
{
    for (int order = 0; order < 2; order++) {
        skt *pair[2];
        (void)unused;
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        struct polled p = { skt_fileno(pair[0]), 0, 0, SKT_NO_TIMEOUT, 'p' };
        if (order == 0)
            go(poll_one, &p);
        go(receive_one, pair[0]);
        if (order == 1)
            go(poll_one, &p);
        skt_yield();
        CHECK_INT(skt_sendall(pair[1], "ab", 2, 0), 0);
        skt_yield();
        while (strlen(steps) < 2 * (size_t)(order + 1))
            CHECK_INT(skt_sleep(0), 0);
        CHECK(p.result == 1 && p.revents == POLLIN);
        go(receive_one, pair[0]); /* the socket is watched as before */
        go(receive_one, pair[0]);
        skt_yield();
        CHECK_INT(skt_sendall(pair[1], "c", 1, 0), 0);
        CHECK_INT(skt_sleep(0), 0);
        while (strlen(steps) < 2 * (size_t)(order + 1) + 2)
            CHECK_INT(skt_sleep(0), 0);
        skt_close(pair[0]);
        skt_close(pair[1]);
        steps_begin();
        for (int i = 0; i <= order * 2 + 1; i++)
            step('.');
    }
}

static void a_sockets_descriptor(void)
{
    steps_begin();
    run_tasks(poll_a_sockets, NULL);
}

/* A descriptor is closed while a task polls it, and its number is somebody else's then. */
static void reuse(void *arg)
{
    const bool by_socket = arg != NULL;
    int old[2], new[2];
    skt *pair[2];
    CHECK_INT(pipe2(old, O_CLOEXEC), 0);
    struct polled stale = { old[0], 0, 0, 1, 's' }, fresh = { old[0], 0, 0, 60, 'f' };
    go(poll_one, &stale);
    skt_yield();
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_INT(pipe2(new, O_CLOEXEC), 0);
    int writer = by_socket ? skt_fileno(pair[1]) : new[1];
    CHECK_INT(close(old[0]), 0);
    skt *moved = NULL;
    if (by_socket) {
        moved = skt_dup(pair[0]); /* the lowest number that is free */
        CHECK_INT(skt_fileno(moved), old[0]);
        go(receive_one, moved);
    } else {
        CHECK_INT(fcntl(new[0], F_DUPFD_CLOEXEC, 0), old[0]);
        go(poll_one, &fresh);
    }
    go(write_later, &writer);
    CHECK_INT(skt_sleep(3), 0);
    CHECK_INT(stale.result, 0);
    CHECK(by_socket || (fresh.result == 1 && fresh.revents == POLLIN));
    CHECK_STR(steps, by_socket ? "swr" : "swf");
    CHECK_INT(by_socket ? skt_close(moved) : close(old[0]), 0);
    close(old[1]);
    close(new[0]);
    close(new[1]);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void a_number_used_again(void)
{
    for (int by_socket = 0; by_socket < 2; by_socket++) {
        steps_begin();
        task_time_begin();
        run_tasks(reuse, by_socket ? steps : NULL);
        task_time_end();
    }
}

/* Sockets that are closed while events for them are on their way, whose structs are used again at once. */
static void close_with_events(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        skt *pair[2];
        char c;
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        CHECK_INT(skt_settimeout(pair[0], 60), 0);
        CHECK_INT(skt_sendall(pair[1], "xy", 2, 0), 0);
        CHECK_INT(skt_recv(pair[0], &c, 1, 0), 1);
        skt_close(pair[1]);
        skt_close(pair[0]);
    }
    step('.');
}

static void receive_slowly(void *arg)
{
    char c;
    for (int i = 0; i < 100; i++)
        CHECK_INT(skt_recv(arg, &c, 1, 0), 1);
    step('.');
}

static void send_slowly(void *arg)
{
    for (int i = 0; i < 100; i++) {
        CHECK_INT(skt_sendall(arg, "x", 1, 0), 0);
        CHECK_INT(skt_sleep(0), 0);
    }
    step('.');
}

static void start_closing(void *arg)
{
    skt **pair = arg;
    go(receive_slowly, pair[0]);
    go(send_slowly, pair[1]);
    for (int i = 0; i < 4; i++)
        go(close_with_events, NULL);
}

static void late_events(void)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    steps_begin();
    run_tasks(start_closing, pair);
    CHECK_STR(steps, "......");
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* ---- Names ---- */

static void look_up(void *arg)
{
    int *found = arg;
    skt_addrinfo *list;
    *found = (int)skt_getaddrinfo("silent.test", NULL, 0, SOCK_STREAM, 0, 0, SKT_NO_TIMEOUT, &list);
    if (*found < 0)
        CHECK_INT(errno, EHOSTUNREACH);
    step('n');
}

static void look_up_in_vain(void *unused)
{
    (void)unused;
    CHECK(!skt_create_connection("silent.test", 80, 0.002) && errno == ETIMEDOUT && skt_timed_out());
    CHECK_STR(skt_strerror(), "connect silent.test: timed out");
    step('t');
}

static void look_up_cancelled(void *unused)
{
    char buf[64];
    (void)unused;
    CHECK(!skt_gethostbyname("silent.test", buf, sizeof buf, SKT_NO_TIMEOUT) && errno == ECANCELED);
    step('c');
}

static void work_meanwhile(void *unused)
{
    static int found; /* outlives this task */
    (void)unused;
    skt_group *g = skt_group_new();
    go(look_up, &found);
    go(look_up_in_vain, NULL);
    CHECK_INT(skt_group_go(g, look_up_cancelled, NULL), 0);
    for (int i = 0; i < 100; i++)
        CHECK_INT(skt_sleep(1e-5), 0);
    CHECK_INT(skt_group_cancel(g), 0);
    CHECK_INT(skt_group_close(g), 0);
    while (strlen(steps) < 2)
        CHECK_INT(skt_sleep(1e-3), 0);
    CHECK(!strchr(steps, 'n'));
    step('.');
    release_resolver();
}

static void names(void)
{
    steps_begin();
    silence_resolver();
    run_tasks(work_meanwhile, NULL);
    CHECK(!strcmp(steps, "ct.n") || !strcmp(steps, "tc.n"));
}

/* ---- Two of one number ---- */

static ssize_t receive_nothing(skt *s)
{
    char c;
    return skt_recv(s, &c, 1, 0);
}

static void receive_until_closed(void *s)
{
    CHECK_ERRNO(receive_nothing(s), EBADF);
    step('c');
}

static void receive_both(void *unused)
{
    skt *pair[2];
    (void)unused;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    skt *twin = skt_fromfd(skt_fileno(pair[0]));
    CHECK(twin != NULL);
    go(receive_one, pair[0]);
    go(receive_one, twin);
    settle();
    CHECK_INT(skt_sendall(pair[1], "ab", 2, 0), 0);
    settle();
    CHECK_STR(steps, "rr");
    CHECK_INT(skt_settimeout(twin, 0.001), 0);
    CHECK_ERRNO(receive_nothing(twin), ETIMEDOUT);
    go(receive_until_closed, twin);
    settle();
    CHECK(skt_detach(twin) >= 0);
    settle();
    CHECK_STR(steps, "rrc");
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void twins(void)
{
    steps_begin();
    run_tasks(receive_both, NULL);
}

/* ---- A greeting that comes while connect waits ---- */

static int greeted; /* atomic */

static void greet_and_hold(void *server)
{
    char c;
    skt *conn = skt_accept(server, NULL);
    CHECK_INT(skt_sendall(conn, "hello", 5, 0), 0);
    __atomic_add_fetch(&greeted, 1, __ATOMIC_RELEASE);
    CHECK_ERRNO(skt_recv(conn, &c, 1, 0), ECONNRESET);
    skt_close(conn);
}

/* Meanwhile no events are looked for. */
static void have_the_thread(void *times)
{
    const struct timespec moment = { .tv_nsec = 100000 };
    while (__atomic_load_n(&greeted, __ATOMIC_ACQUIRE) < (int)(uintptr_t)times)
        nanosleep(&moment, NULL);
}

/* The second time the socket is watched already, and what has come is told in one event with its being connected. */
static void connect_twice(void *unused)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    (void)unused;
    for (uintptr_t i = 1; i <= 2; i++) {
        struct peer peer;
        skt_addr addr;
        char buf[8];
        skt *server = local_server(&addr);
        start_thread_peer(&peer, greet_and_hold, server);
        go(have_the_thread, (void *)i);
        CHECK_INT(skt_connect(s, addr), 0);
        CHECK_INT(skt_recv(s, buf, sizeof buf, 0), 5);
        CHECK_INT(skt_connect(s, skt_sockaddr(&nobody, sizeof nobody)), 0);
        join_peer(&peer);
        skt_close(server);
    }
    skt_close(s);
}

static void greetings(void)
{
    greeted = 0;
    run_tasks(connect_twice, NULL);
}

/* ---- Looking for events before sleeping ---- */

static void send_at_once(void *arg)
{
    CHECK_INT(skt_sendall(*(skt **)arg, "x", 1, 0), 0);
}

static void answered_while_it_looks(void *unused)
{
    char c;
    skt *pair[2];
    struct peer peer;
    (void)unused;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    start_thread_peer(&peer, send_at_once, &pair[1]);
    CHECK_INT(skt_recv(pair[0], &c, 1, 0), 1);
    join_peer(&peer);
    CHECK_INT(skt_settimeout(pair[0], 0.01), 0); /* longer than it looks: it sleeps, too */
    CHECK_ERRNO(skt_recv(pair[0], &c, 1, 0), ETIMEDOUT);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void spinning(void)
{
    const skt_run_options options = { .spin = 0.001 };
    CHECK_INT(skt_run_with(answered_while_it_looks, NULL, &options), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "arguments; no skt_run inside another, no skt_go outside", arguments },
        { "skt_run returns when every task has ended, and can be called again", every_task },
        { "in several threads at once", several_threads },
        { "errno and the error record are a task's own", errors_are_ones_own },
        { "sleeping", sleeping },
        { "spin: looking for events before sleeping for them", spinning },
        { "yielding", yielding },
        { "a task that always has data cannot starve the others", fairness },
        { "any order of turns leads to the same end", schedules },
        { "one descriptor polled by several tasks", polling_in_two_tasks },
        { "descriptors of all kinds, several, negative, twice the same", kinds_of_descriptors },
        { "a socket's own descriptor", a_sockets_descriptor },
        { "a descriptor's number that is used again", a_number_used_again },
        { "sockets closed with events on their way", late_events },
        { "names do not hold up the others", names },
        { "two sockets of one number", twins },
        { "a greeting that comes while connect waits", greetings },
    };
    return RUN_CASES_ON_THREAD(cases);
}
