/* test_clock.c - somebody sets the clock while a call waits: its timeout is of the monotonic clock and does not care.
 *
 * Only in user-mode-linux, whose clock is nobody else's. */
#include "kernels.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define TIMEOUT 0.5
#define DAY 86400

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct jump {
    int seconds;
    double at; /* by the monotonic clock */
    pthread_t waiter;
};

static void nothing(int signal)
{
    (void)signal;
}

/* The signal makes the waiter look at the clock again. */
static void *jump_soon(void *arg)
{
    struct jump *jump = arg;
    struct timespec soon = { .tv_nsec = 100000000 };
    char line[64];
    nanosleep(&soon, NULL);
    snprintf(line, sizeof line, "date -s @%.0f", now(CLOCK_REALTIME) + jump->seconds);
    CHECK(command(line));
    jump->at = now(CLOCK_MONOTONIC);
    pthread_kill(jump->waiter, SIGUSR1);
    return NULL;
}

/* One wait with a jump in it; false if the jump came too late to be in it. The
 * bounds are coarse: without the monotonic clock it would be no time, or a day. */
static bool wait_with_jump(skt *s, int seconds)
{
    pthread_t thread;
    char c;
    struct jump jump = { .seconds = seconds, .waiter = pthread_self() };
    double before = now(CLOCK_REALTIME), begin = now(CLOCK_MONOTONIC);
    CHECK(pthread_create(&thread, NULL, jump_soon, &jump) == 0);
    CHECK_ERRNO(skt_recv(s, &c, 1, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    double end = now(CLOCK_MONOTONIC);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(end - begin >= TIMEOUT - 0.01);
    CHECK(end - begin < 10 * TIMEOUT);
    double moved = now(CLOCK_REALTIME) - before - seconds;
    CHECK(moved > -60 && moved < 60); /* it did jump */
    return jump.at < end;
}

static void jump(int seconds)
{
    if (!in_uml())
        SKIP("only in user-mode-linux is there a clock to set");
    skt *pair[2];
    OK(skt_socketpair(0, 0, 0, pair));
    OK(skt_settimeout(pair[0], TIMEOUT));
    bool within = false;
    for (int i = 0; i < 10 && !within; i++) {
        int sign = i % 2 ? -1 : 1; /* there and back, so as not to wander off */
        within = wait_with_jump(pair[0], sign * seconds);
    }
    CHECK(within);
    OK(skt_close(pair[0]));
    OK(skt_close(pair[1]));
}

static void forward(void)
{
    jump(DAY);
}

static void backward(void)
{
    jump(-DAY);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "the clock goes a day forward during a recv: half a second stays half a second", forward },
        { "the clock goes a day backward during a recv: half a second stays half a second", backward },
    };
    signal(SIGUSR1, nothing);
    return RUN_CASES(cases);
}
