/* test_deadline.c - one deadline over several calls, on a thread and in a task alike. */
#include "check.h"
#include "peer.h"
#include "task_time.h"
#include <math.h>
#include <unistd.h>

static skt *pair[2];

/* Each body runs on the thread, and then in a task beside another one. */
static void beside(void *unused)
{
    (void)unused;
    CHECK_INT(skt_sleep(1e6), 0);
}

static void run_body(void *body)
{
    go(beside, NULL);
    (*(void (**)(void))body)();
}

static void both_ways(void (*body)(void))
{
    for (int in_task = 0; in_task < 2; in_task++) {
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        task_time_begin();
        if (in_task)
            run_tasks(run_body, &body);
        else
            body();
        task_time_end();
        skt_close(pair[0]);
        skt_close(pair[1]);
    }
}

/* The call fails as by its own timeout, ns after `since`. */
static int64_t began;

static void check_late(long long result, int64_t ns)
{
    CHECK(result == -1 && errno == ETIMEDOUT && skt_timed_out());
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_TIMEOUT);
    CHECK_INT(fake_slept - began, ns);
}

static void over_several_calls(void)
{
    char buf[8];
    began = fake_slept;
    skt_deadline d = skt_deadline_begin(10);
    CHECK_INT(skt_sleep(3), 0);
    CHECK_INT(skt_poll(NULL, 0, 3), 0);
    CHECK_INT(skt_sendall(pair[1], "ab", 2, 0), 0);
    CHECK_INT(skt_recv(pair[0], buf, 1, 0), 1);
    CHECK_INT(fake_slept - began, 6 * SECOND);
    CHECK_INT(skt_recv(pair[0], buf, 1, 0), 1);
    check_late(skt_recv(pair[0], buf, 1, 0), 10 * SECOND);
    CHECK_STR(skt_strerror(), "recv: timed out");
    check_late(skt_sleep(1), 10 * SECOND);
    check_late(skt_poll(&(struct pollfd){ .fd = skt_fileno(pair[0]), .events = POLLIN }, 1, 5), 10 * SECOND);
    CHECK_INT(skt_sendall(pair[1], "c", 1, 0), 0); /* what need not wait goes on */
    CHECK_INT(skt_poll(&(struct pollfd){ .fd = skt_fileno(pair[0]), .events = POLLIN }, 1, 5), 1);
    CHECK_INT(skt_recv(pair[0], buf, sizeof buf, 0), 1);
    CHECK(skt_deadline_end(d));
    CHECK_INT(skt_sleep(1), 0); /* over */
    CHECK_INT(fake_slept - began, 11 * SECOND);
}

static void several_calls(void)
{
    both_ways(over_several_calls);
}

static void one_in_another(void)
{
    char c;
    began = fake_slept;
    skt_deadline outer = skt_deadline_begin(10), inner = skt_deadline_begin(20);
    check_late(skt_recv(pair[0], &c, 1, 0), 10 * SECOND); /* the nearest */
    CHECK(!skt_deadline_end(inner));
    CHECK(skt_deadline_end(outer));
    began = fake_slept;
    outer = skt_deadline_begin(10);
    inner = skt_deadline_begin(4);
    skt_deadline innermost = skt_deadline_begin(SKT_NO_TIMEOUT);
    check_late(skt_recv(pair[0], &c, 1, 0), 4 * SECOND);
    CHECK(!skt_deadline_end(innermost));
    CHECK(skt_deadline_end(inner));
    check_late(skt_recv(pair[0], &c, 1, 0), 10 * SECOND);
    CHECK(skt_deadline_end(outer));
    began = fake_slept;
    CHECK_INT(skt_settimeout(pair[0], 2), 0); /* and the socket's own */
    outer = skt_deadline_begin(3);
    check_late(skt_recv(pair[0], &c, 1, 0), 2 * SECOND);
    check_late(skt_recv(pair[0], &c, 1, 0), 3 * SECOND);
    CHECK(skt_deadline_end(outer));
    outer = skt_deadline_begin(3);
    CHECK(!skt_deadline_end(outer)); /* no time has passed */
}

static void nested(void)
{
    both_ways(one_in_another);
}

static void no_waiting_at_all(void)
{
    char c;
    CHECK_INT(skt_settimeout(pair[0], 0), 0);
    skt_deadline d = skt_deadline_begin(5);
    CHECK_ERRNO(skt_recv(pair[0], &c, 1, 0), EAGAIN);
    CHECK(!skt_timed_out() && !skt_deadline_end(d));
    CHECK_INT(skt_settimeout(pair[0], SKT_NO_TIMEOUT), 0);
    d = skt_deadline_begin(5);
    CHECK_ERRNO(skt_recv(pair[0], &c, 1, MSG_DONTWAIT), EAGAIN);
    CHECK(!skt_deadline_end(d));
    began = fake_slept;
    d = skt_deadline_begin(0);
    check_late(skt_recv(pair[0], &c, 1, 0), 0);
    check_late(skt_sleep(1), 0);
    CHECK(skt_deadline_end(d));
    d = skt_deadline_begin(NAN); /* a mistake: no time at all, and the record says so */
    CHECK(!strncmp(skt_strerror(), "deadline_begin: ", 16));
    check_late(skt_recv(pair[0], &c, 1, 0), 0);
    CHECK(skt_deadline_end(d));
    d = skt_deadline_begin(-3);
    check_late(skt_sleep(SKT_NO_TIMEOUT), 0);
    CHECK(skt_deadline_end(d));
    errno = 77;
    skt_deadline_end(skt_deadline_begin(1)); /* neither touches errno */
    CHECK_INT(errno, 77);
}

static void without_waiting(void)
{
    both_ways(no_waiting_at_all);
}

static void whole_transfers(void)
{
    static char block[1 << 20];
    char buf[8];
    began = fake_slept;
    skt_deadline d = skt_deadline_begin(7);
    check_late(skt_sendall(pair[0], block, sizeof block, 0), 7 * SECOND);
    CHECK(skt_error_record()->done > 0 && skt_error_record()->done < sizeof block);
    CHECK(skt_deadline_end(d));
    FILE *file = skt_makefile(pair[0], "r");
    CHECK_INT(skt_sendall(pair[1], "half", 4, MSG_DONTWAIT), 0);
    d = skt_deadline_begin(2);
    CHECK(!fgets(buf, sizeof buf, file) && ferror(file));
    CHECK(errno == ETIMEDOUT && skt_timed_out() && skt_deadline_end(d));
    fclose(file);
    began = fake_slept;
    skt_addr addr;
    skt *server = local_server(&addr);
    d = skt_deadline_begin(2);
    CHECK(!skt_accept(server, NULL));
    check_late(-1, 2 * SECOND);
    CHECK(skt_deadline_end(d));
    skt_close(server);
}

static void transfers(void)
{
    both_ways(whole_transfers);
}

/* In real time, since the helper's answer comes in it: the outcome does not depend on how much. */
static void names_too(void)
{
    skt_addrinfo *list;
    char buf[64];
    skt_deadline d = skt_deadline_begin(0.01);
    CHECK_ERRNO(skt_getaddrinfo("silent.test", NULL, 0, 0, 0, 0, SKT_NO_TIMEOUT, &list), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_ERRNO(skt_gethostbyname("silent.test", buf, sizeof buf, 1e6), ETIMEDOUT);
    CHECK_ERRNO(skt_create_connection("silent.test", 80, SKT_NO_TIMEOUT), ETIMEDOUT);
    CHECK_STR(skt_strerror(), "connect silent.test: timed out");
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_connect(s, skt_inet("silent.test", 80)), ETIMEDOUT);
    CHECK(skt_timed_out() && skt_deadline_end(d));
    skt_close(s);
}

static void names_in_task(void *unused)
{
    (void)unused;
    names_too();
}

static void names(void)
{
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    silence_resolver();
    names_too();
    run_tasks(names_in_task, NULL);
    release_resolver();
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* A new task has none; a task's is not its thread's. */
static void sleep_freely(void *unused)
{
    (void)unused;
    CHECK_INT(skt_sleep(100), 0);
    step('f');
}

static void sleep_in_time(void *unused)
{
    (void)unused;
    skt_deadline d = skt_deadline_begin(10);
    go(sleep_freely, NULL);
    CHECK_INT(skt_sleep(3), 0);
    CHECK_ERRNO(skt_sleep(20), ETIMEDOUT);
    CHECK(skt_deadline_end(d));
    step('t');
}

static void not_others(void)
{
    steps_begin();
    task_time_begin();
    skt_deadline d = skt_deadline_begin(5);
    began = fake_slept;
    run_tasks(sleep_in_time, NULL);
    CHECK_INT(fake_slept - began, 100 * SECOND);
    CHECK_ERRNO(skt_sleep(1), ETIMEDOUT);
    CHECK(skt_deadline_end(d));
    CHECK_INT(skt_sleep(1), 0);
    task_time_end();
    CHECK_STR(steps, "tf");
}

int main(void)
{
    static const struct test_case cases[] = {
        { "several calls, one deadline", several_calls },
        { "one inside the other", nested },
        { "calls that do not wait; no time at all", without_waiting },
        { "transfers in parts, FILEs, accept", transfers },
        { "names and connections", names },
        { "a task's deadline is its own", not_others },
    };
    return RUN_CASES_ON_THREAD(cases);
}
