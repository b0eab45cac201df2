/* fake_time.c - time of the test's own: see fake_time.h. */
#include "fake_time.h"
#include "check.h"
#include "sys.h"

int64_t fake_slept;
unsigned fake_polls;

static int64_t now;
static int (*real_ppoll)(struct pollfd *fds, nfds_t n, const struct timespec *timeout);
static int (*real_clock)(clockid_t clock, struct timespec *ts);

void fake_time_pass(int64_t ns)
{
    now += ns;
    fake_slept += ns;
}

static int fake_clock(clockid_t clock, struct timespec *ts)
{
    CHECK(clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE);
    *ts = (struct timespec){ now / SECOND, now % SECOND };
    return 0;
}

int fake_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout)
{
    struct timespec none = { 0 };
    fake_polls++;
    int ready = ppoll(fds, n, &none, NULL);
    if (ready == 0) {
        CHECK(timeout != NULL); /* for ever would be for ever */
        fake_time_pass(timeout->tv_sec * SECOND + timeout->tv_nsec);
    }
    return ready;
}

void fake_time_begin(void)
{
    real_ppoll = skti_sys.ppoll;
    real_clock = skti_sys.clock_gettime;
    now = 1000 * SECOND;
    fake_slept = 0;
    fake_polls = 0;
    skti_sys.clock_gettime = fake_clock;
    skti_sys.ppoll = fake_ppoll;
}

void fake_time_end(void)
{
    skti_sys.ppoll = real_ppoll;
    skti_sys.clock_gettime = real_clock;
}
