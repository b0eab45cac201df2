/* test_group.c - groups of tasks: waiting for them, cancelling them once, closing them. */
#include "check.h"
#include "peer.h"
#include "task.h"
#include "task_time.h"
#include <fcntl.h>
#include <unistd.h>

#define CANCELLED(call) CHECK_ERRNO(call, ECANCELED)

static skt_group *group;
static skt *pair[2];

static void in_group(void (*fn)(void *arg), void *arg)
{
    CHECK_INT(skt_group_go(group, fn, arg), 0);
}

/* Runs fn as a task, with a group and a connected pair, under several schedules. */
static void (*body)(void);

static void run_body(void *unused)
{
    (void)unused;
    group = skt_group_new();
    CHECK(group);
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    steps_begin();
    body();
    CHECK_INT(skt_group_close(group), 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void with_group(void (*fn)(void))
{
    body = fn;
    for (uint64_t seed = 0; seed < 10; seed++) {
        skti_task_seed = seed;
        run_tasks(run_body, NULL);
        skti_task_seed = 0;
    }
}

/* ---- Waiting ---- */

static void yield_and_end(void *unused)
{
    (void)unused;
    skt_yield();
    CHECK_INT(skt_sleep(1e-4), 0);
    step('e');
}

static void wait_for_them(void)
{
    CHECK_INT(skt_group_wait(group), 0); /* nobody is in it */
    for (int i = 0; i < 5; i++)
        in_group(yield_and_end, NULL);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_STR(steps, "eeeee");
    in_group(yield_and_end, NULL);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_STR(steps, "eeeeee");
    skt_deadline d = skt_deadline_begin(60);
    in_group(yield_and_end, NULL);
    in_group(yield_and_end, NULL);
    CHECK_INT(skt_group_wait(group), 0);
    skt_deadline_end(d);
}

static void waiting(void)
{
    with_group(wait_for_them);
}

static void sleep_for_ever(void *unused)
{
    (void)unused;
    CANCELLED(skt_sleep(SKT_NO_TIMEOUT));
    step('c');
}

static void wait_in_vain(void)
{
    in_group(sleep_for_ever, NULL);
    skt_deadline d = skt_deadline_begin(5);
    CHECK_ERRNO(skt_group_wait(group), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_STR(skt_strerror(), "group_wait: timed out");
    CHECK(skt_deadline_end(d));
    CHECK_INT(skt_group_cancel(group), 0);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_STR(steps, "c");
}

static void waiting_with_a_deadline(void)
{
    task_time_begin();
    with_group(wait_in_vain);
    task_time_end();
}

/* ---- Cancelling, once ---- */

static void receive_and_be_cancelled(void *unused)
{
    char buf[8];
    (void)unused;
    CANCELLED(skt_recv(pair[0], buf, sizeof buf, 0));
    CHECK(!skt_timed_out());
    CHECK_STR(skt_strerror(), "recv: Operation canceled");
    CHECK_INT(skt_recv(pair[0], buf, sizeof buf, 0), 3); /* once, and nothing is lost */
    CHECK(!memcmp(buf, "abc", 3));
    CHECK_INT(skt_sendall(pair[0], "bye", 3, 0), 0);
}

/* What comes after the cancelling, and before the task has had a turn, is there for its next call. */
static void cancel_and_send(void)
{
    char buf[8];
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        in_group(receive_and_be_cancelled, NULL);
        if (!cancel_first)
            settle();
        CHECK_INT(skt_group_cancel(group), 0);
        CHECK_INT(skt_sendall(pair[1], "abc", 3, 0), 0);
        for (int i = 0; i < 200; i++) /* until events are looked for, before the task has its turn */
            CHECK_INT(skt_poll(&(struct pollfd){ .fd = skt_fileno(pair[1]), .events = POLLOUT }, 1, 0), 1);
        CHECK_INT(skt_group_wait(group), 0);
        CHECK_INT(skt_recv(pair[1], buf, sizeof buf, 0), 3);
    }
}

/* Which of the two is seen first is the schedule's choice: but the cancelling is seen. */
static void receive_until_cancelled(void *unused)
{
    char c;
    ssize_t n;
    (void)unused;
    while ((n = skt_recv(pair[0], &c, 1, 0)) == 1)
        step('r');
    CHECK(n == -1 && errno == ECANCELED);
    step('c');
}

static void send_one(void *unused)
{
    (void)unused;
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
}

static void cancel_all(void *unused)
{
    (void)unused;
    CHECK_INT(skt_group_cancel(group), 0);
}

static void cancel_and_send_at_once(void)
{
    char c;
    in_group(receive_until_cancelled, NULL);
    settle();
    go(cancel_all, NULL);
    go(send_one, NULL);
    CHECK_INT(skt_group_wait(group), 0);
    settle();
    if (!strcmp(steps, "c"))
        CHECK_INT(skt_recv(pair[0], &c, 1, 0), 1);
    else
        CHECK_STR(steps, "rc");
}

/* A signal ends a call, and before its task has had a turn it is cancelled: the next call tells. */
static void receive_after_a_signal(void *unused)
{
    char c;
    (void)unused;
    CHECK_INT(skt_recv(pair[0], &c, 1, 0), 1);
    CHECK_ERRNO(skt_recv(pair[0], &c, 1, MSG_DONTWAIT), EAGAIN); /* so that the next one waits at once */
    CHECK_ERRNO(skt_recv(pair[0], &c, 1, 0), EINTR);
    CANCELLED(skt_recv(pair[0], &c, 1, 0));
    step('s');
}

static void interrupt_and_cancel(void)
{
    in_group(receive_after_a_signal, NULL);
    settle();
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
    settle();
    skti_interrupt_tasks();
    CHECK_INT(skt_group_cancel(group), 0);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_STR(steps, "s");
}

/* What has gone is told first. */
static void send_a_part(void *unused)
{
    static skt_datagram many[2000];
    static char byte[1];
    skt *ends[2];
    (void)unused;
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = (skt_datagram){ .data = byte, .len = 1 };
    ssize_t n = skt_sendmmsg(ends[0], many, sizeof many / sizeof *many, 0);
    CHECK(n > 0 && n < (ssize_t)(sizeof many / sizeof *many));
    CANCELLED(skt_sleep(0));
    step('p');
    skt_close(ends[0]);
    skt_close(ends[1]);
}

static void cancel_a_part(void)
{
    in_group(send_a_part, NULL);
    settle();
    CHECK_INT(skt_group_cancel(group), 0);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_STR(steps, "p");
}

static void not_forgotten(void)
{
    with_group(interrupt_and_cancel);
    with_group(cancel_a_part);
}

static void receiving(void)
{
    with_group(cancel_and_send);
    with_group(cancel_and_send_at_once);
}

/* Every call that may wait: it is cancelled before it does anything. */
static skt_addr server_addr;
static skt *server;

static void call_each(void *unused)
{
    char buf[64] = "not to be sent";
    struct iovec iov = { buf, sizeof buf };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt_datagram datagram = { .data = buf, .len = 5 };
    skt_addrinfo *list;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct pollfd fd = { .fd = skt_fileno(pair[0]), .events = POLLOUT };
    skt *fresh = skt_socket(AF_INET, SOCK_STREAM, 0);
    (void)unused;
#define EACH(call)                                                                                                     \
    do {                                                                                                               \
        skt_group_cancel(group);                                                                                       \
        CANCELLED(call);                                                                                               \
        CHECK(!strcmp(strrchr(skt_strerror(), ':'), ": Operation canceled"));                                          \
    } while (0)
    EACH(skt_send(pair[0], buf, 5, 0));
    EACH(skt_sendall(pair[0], buf, 5, 0));
    EACH(skt_sendto(pair[0], buf, 5, 0, skt_unix("")));
    EACH(skt_sendmsg(pair[0], &msg, 0));
    EACH(skt_sendmmsg(pair[0], &datagram, 1, 0));
    EACH(skt_sendfile(pair[0], file, 0, 10));
    EACH(skt_send_pipe(pair[0], file, 10));
    EACH(skt_recv_pipe(pair[0], file, 1));
    EACH(skt_recv(pair[0], buf, 1, 0)); /* a byte is there */
    EACH(skt_recv(pair[0], buf, 1, MSG_DONTWAIT));
    EACH(skt_recv(pair[0], buf, 1, MSG_WAITALL));
    EACH(skt_recvfrom(pair[0], buf, 1, 0, NULL));
    EACH(skt_recvmsg(pair[0], &msg, 0));
    EACH(skt_recvmmsg(pair[0], &datagram, 1, buf, sizeof buf, 0));
    EACH(skt_accept(server, NULL)); /* somebody has connected */
    EACH(skt_connect(fresh, server_addr));
    EACH(skt_create_connection("127.0.0.1", skt_port(&server_addr), 5));
    EACH(skt_getaddrinfo("localhost.test", NULL, 0, 0, 0, 0, SKT_NO_TIMEOUT, &list));
    EACH(skt_poll(&fd, 1, 5));
    EACH(skt_sleep(0));
    EACH(skt_group_wait(group));
    skt_group_cancel(group);
    CHECK_INT(skt_connect_ex(fresh, server_addr), ECANCELED);
    FILE *stream = skt_makefile(pair[0], "rw");
    EACH(fgetc(stream) == EOF ? -1 : 1);
    EACH(fputc('x', stream) == EOF ? -1 : 1);
    fclose(stream);
#undef EACH
    CHECK_INT(skt_recv(pair[0], buf, sizeof buf, 0), 1);
    CHECK(*buf == '!');
    skt_close(fresh);
    close(file);
}

static void cancel_each(void)
{
    char buf[64];
    server = local_server(&server_addr);
    skt *client = skt_create_connection("127.0.0.1", skt_port(&server_addr), 5), *conn;
    CHECK(client);
    CHECK_INT(skt_sendall(pair[1], "!", 1, 0), 0);
    in_group(call_each, NULL);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, MSG_DONTWAIT), -1); /* nothing was sent */
    CHECK_INT(errno, EAGAIN);
    CHECK((conn = skt_accept(server, NULL))); /* and nobody was lost */
    CHECK_INT(skt_settimeout(server, 0), 0);
    CHECK_ERRNO(skt_accept(server, NULL), EAGAIN); /* or came */
    skt_close(conn);
    skt_close(client);
    skt_close(server);
}

static void each_call(void)
{
    with_group(cancel_each);
}

/* Cancelled while it waits. */
static void send_when_full(void *unused)
{
    char buf[64] = { 0 };
    (void)unused;
    CANCELLED(skt_sendall(pair[0], buf, sizeof buf, 0));
    CHECK_INT(skt_error_record()->done, 0);
    CANCELLED(skt_sleep(100)); /* by the second cancelling */
    step('s');
}

static void accept_one(void *unused)
{
    (void)unused;
    CANCELLED(skt_accept(server, NULL));
    CANCELLED(skt_sleep(100));
    step('a');
}

static void receive_whole(void *unused)
{
    char buf[8];
    (void)unused;
    CHECK_INT(skt_recv(pair[0], buf, sizeof buf, MSG_WAITALL), 3); /* what it has is not lost ... */
    CANCELLED(skt_recv(pair[0], buf, sizeof buf, 0));              /* ... nor the cancelling */
    CANCELLED(skt_sleep(100));
    step('w');
}

static void cancel_those_who_wait(void)
{
    server = local_server(&server_addr);
    fill_up(pair[0]);
    CHECK_INT(skt_sendall(pair[1], "abc", 3, 0), 0);
    in_group(send_when_full, NULL);
    in_group(accept_one, NULL);
    in_group(receive_whole, NULL);
    settle();
    CHECK_INT(skt_group_cancel(group), 0);
    settle();
    CHECK_INT(skt_group_cancel(group), 0);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_INT(strlen(steps), 3);
    skt_close(server);
}

static void while_waiting(void)
{
    with_group(cancel_those_who_wait);
}

/* ---- Closing ---- */

static void hold_out(void *unused)
{
    char buf[8];
    (void)unused;
    for (int i = 0; i < 5; i++) {
        CANCELLED(skt_recv(pair[0], buf, sizeof buf, 0));
        skt_yield();
        CANCELLED(skt_sleep(1));
        CANCELLED(skt_send(pair[0], "x", 1, 0));
        CANCELLED(skt_group_go(group, hold_out, NULL));
    }
    step('h');
}

/* The end of another group is waited for also in a task that is cancelled itself, and the cancelling stays. */
static void close_another(void *unused)
{
    (void)unused;
    skt_group *inner = skt_group_new();
    CHECK_INT(skt_group_go(inner, sleep_for_ever, NULL), 0);
    skt_yield();
    CHECK_INT(skt_group_close(inner), 0);
    CANCELLED(skt_sleep(0));
    step('i');
}

static void close_it(void)
{
    skt_group *g = skt_group_new(), *keep = group;
    CHECK_INT(skt_sendall(pair[1], "data", 4, 0), 0);
    group = g;
    in_group(hold_out, NULL);
    in_group(close_another, NULL);
    CHECK_INT(skt_group_close(g), 0);
    CHECK_INT(strlen(steps), 3);
    CHECK(strstr(steps, "i") && strstr(steps, "h") && strstr(steps, "c"));
    group = keep;
}

static void closing(void)
{
    with_group(close_it);
}

static void wait_for_closing(void *arg)
{
    CHECK_INT(skt_group_wait(arg), 0);
    step('w');
}

static void close_while_others_wait(void)
{
    skt_group *g = skt_group_new();
    for (int i = 0; i < 3; i++)
        go(wait_for_closing, g);
    CHECK_INT(skt_group_go(g, sleep_for_ever, NULL), 0);
    go(wait_for_closing, g);
    settle();
    CHECK_INT(skt_group_close(g), 0);
    step('.');
    settle();
    CHECK(strchr(steps, 'c'));
}

static void closing_while_others_wait(void)
{
    with_group(close_while_others_wait);
}

static void close_own(void *unused)
{
    (void)unused;
    CHECK_ERRNO(skt_group_close(group), EDEADLK);
    CHECK_STR(skt_strerror(), "group_close: a task cannot wait for the end of its own group");
    CHECK_INT(skt_sleep(0), 0); /* nobody was cancelled */
    CHECK_INT(skt_group_cancel(group), 0);
    CANCELLED(skt_sleep(0));
    step('o');
}

static void use_elsewhere(void *unused)
{
    (void)unused;
    CHECK_ERRNO(skt_group_go(group, close_own, NULL), EPERM);
    CHECK_ERRNO(skt_group_wait(group), EPERM);
    CHECK_ERRNO(skt_group_cancel(group), EPERM);
    CHECK_ERRNO(skt_group_close(group), EPERM);
    CHECK_ERRNO(skt_group_new(), EPERM);
}

static void use_in_other_tasks(void *unused)
{
    (void)unused;
    CHECK_ERRNO(skt_group_go(group, close_own, NULL), EPERM);
    CHECK_ERRNO(skt_group_close(group), EPERM);
    CHECK_STR(skt_strerror(), "group_close: the group belongs to another thread's tasks");
}

static void run_elsewhere(void *unused)
{
    use_elsewhere(unused);
    run_tasks(use_in_other_tasks, unused);
}

static void misuse(void)
{
    struct peer peer;
    start_thread_peer(&peer, run_elsewhere, NULL);
    join_peer(&peer);
    CHECK_ERRNO(skt_group_go(group, NULL, NULL), EFAULT);
    CHECK_INT(skt_group_close(NULL), 0);
    in_group(close_own, NULL);
    CHECK_INT(skt_group_wait(group), 0);
    CHECK_STR(steps, "o");
}

static void misuses(void)
{
    with_group(misuse);
}

/* A server's usual shape: sockets closed from outside while tasks of the group wait in them. */
static void receive_until_closed(void *arg)
{
    char c;
    CHECK_ERRNO(skt_recv(*(skt **)arg, &c, 1, 0), EBADF);
    step('b');
}

static void close_elsewhere(void *arg)
{
    skt_close(*(skt **)arg);
}

static void close_sockets(void)
{
    skt *one[2], *two[2], *more[2];
    struct peer peer;
    CHECK_INT(skt_socketpair(0, 0, 0, one), 0);
    CHECK_INT(skt_socketpair(0, 0, 0, two), 0);
    more[0] = one[0];
    more[1] = two[0];
    for (int i = 0; i < 3; i++) {
        in_group(receive_until_closed, &more[0]);
        in_group(receive_until_closed, &more[1]);
    }
    settle();
    CHECK_INT(skt_close(more[0]), 0); /* by a task */
    start_thread_peer(&peer, close_elsewhere, &more[1]);
    CHECK_INT(skt_group_wait(group), 0);
    join_peer(&peer);
    CHECK_STR(steps, "bbbbbb");
    skt_close(one[1]);
    skt_close(two[1]);
}

static void closed_sockets(void)
{
    with_group(close_sockets);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "waiting for all tasks of a group", waiting },
        { "waiting with a deadline", waiting_with_a_deadline },
        { "a cancelling is seen once, and what comes meanwhile is not lost", receiving },
        { "nor is it lost to a signal, or to what a call has done before", not_forgotten },
        { "every call that may wait is cancelled before it does anything", each_call },
        { "calls that wait are cancelled", while_waiting },
        { "closing: each call fails, and nobody is left", closing },
        { "closing while others wait for the group", closing_while_others_wait },
        { "the wrong thread, the wrong task, no group", misuses },
        { "sockets closed by a task and by another thread", closed_sockets },
    };
    return RUN_CASES_ON_THREAD(cases);
}
