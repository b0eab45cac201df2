/* task_time.c - time of the test's own for tasks: see task_time.h. */
#include "task_time.h"
#include "check.h"
#include "sys.h"
#include "task.h"
#include <skt.h>
#include <sys/epoll.h>

char steps[1024];

static int (*real_pwait2)(int epoll, struct epoll_event *events, int n, const struct timespec *timeout);
static int (*real_wait)(int epoll, struct epoll_event *events, int n, int ms);

/* valgrind, and kernels before 5.11, do not know epoll_pwait2(2). */
static int fake_pwait2(int epoll, struct epoll_event *events, int n, const struct timespec *timeout)
{
    int ready = epoll_wait(epoll, events, n, 0);
    if (ready == 0) {
        CHECK(timeout != NULL); /* for ever would be for ever */
        fake_time_pass(timeout->tv_sec * SECOND + timeout->tv_nsec);
    }
    return ready;
}

/* Whoever asks in milliseconds has found that out. */
static int fake_wait(int epoll, struct epoll_event *events, int n, int ms)
{
    struct timespec timeout = { ms / 1000, ms % 1000 * 1000000 };
    return fake_pwait2(epoll, events, n, ms < 0 ? NULL : &timeout);
}

void task_time_begin(void)
{
    fake_time_begin();
    real_wait = skti_sys.epoll_wait;
    skti_sys.epoll_wait = fake_wait;
    real_pwait2 = skti_sys.epoll_pwait2;
    skti_sys.epoll_pwait2 = fake_pwait2;
}

void task_time_end(void)
{
    skti_sys.epoll_pwait2 = real_pwait2;
    skti_sys.epoll_wait = real_wait;
    fake_time_end();
}

void steps_begin(void)
{
    memset(steps, 0, sizeof steps);
}

void step(char letter)
{
    size_t n = strlen(steps);
    CHECK(n < sizeof steps - 1);
    steps[n] = letter;
}

void run_tasks(void (*fn)(void *arg), void *arg)
{
    CHECK_INT(skt_run(fn, arg), 0);
}

void go(void (*fn)(void *arg), void *arg)
{
    CHECK_INT(skt_go(fn, arg), 0);
}

void settle(void)
{
    do {
        skti_scheduler->turns = 0; /* so that events are looked for too */
        skt_yield();
    } while (skti_scheduler->ready);
}
