/* fake_time.c - time of the test's own: see fake_time.h. */
#include "fake_time.h"
#include "check.h"
#include "sys.h"
#include <poll.h>
#include <sys/epoll.h>

int64_t fake_slept;
unsigned fake_waits;

static int64_t now;
static bool silent;
static bool (*happen)(int64_t ns);
static struct skti_sys real;

void fake_time_pass(int64_t ns)
{
    now += ns;
    fake_slept += ns;
}

void fake_time_silence(void)
{
    silent = true;
}

void fake_time_event(bool (*event)(int64_t ns))
{
    happen = event;
}

static int fake_clock(clockid_t clock, struct timespec *ts)
{
    CHECK(clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE);
    *ts = (struct timespec){ now / SECOND, now % SECOND };
    return 0;
}

/* A look is no wait. */
static void count_wait(const struct timespec *timeout)
{
    fake_waits += !timeout || timeout->tv_sec || timeout->tv_nsec;
}

/* Nothing is ready: whether it is worth another look. */
static bool pass(const struct timespec *timeout)
{
    CHECK(timeout != NULL); /* for ever would be for ever */
    int64_t ns = timeout->tv_sec * SECOND + timeout->tv_nsec;
    if (ns > 0 && happen && happen(ns))
        return true;
    fake_time_pass(ns);
    return false;
}

static int fake_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout)
{
    const struct timespec none = { 0 };
    int ready;
    count_wait(timeout);
    do
        ready = silent ? 0 : ppoll(fds, n, &none, NULL);
    while (ready == 0 && pass(timeout));
    return ready;
}

static int fake_epoll_pwait2(int epoll, struct epoll_event *events, int n, const struct timespec *timeout)
{
    int ready;
    count_wait(timeout);
    do
        ready = silent ? 0 : epoll_wait(epoll, events, n, 0);
    while (ready == 0 && pass(timeout));
    return ready;
}

/* Where there is no epoll_pwait2, under valgrind for instance. */
static int fake_epoll_wait(int epoll, struct epoll_event *events, int n, int milliseconds)
{
    struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    return fake_epoll_pwait2(epoll, events, n, milliseconds < 0 ? NULL : &timeout);
}

void fake_time_begin(void)
{
    real = skti_sys;
    now = 1000 * SECOND;
    fake_slept = 0;
    fake_waits = 0;
    silent = false;
    happen = NULL;
    skti_sys.clock_gettime = fake_clock;
    skti_sys.ppoll = fake_ppoll;
    skti_sys.epoll_pwait2 = fake_epoll_pwait2;
    skti_sys.epoll_wait = fake_epoll_wait;
}

void fake_time_end(void)
{
    skti_sys.clock_gettime = real.clock_gettime;
    skti_sys.ppoll = real.ppoll;
    skti_sys.epoll_pwait2 = real.epoll_pwait2;
    skti_sys.epoll_wait = real.epoll_wait;
}
