/* clock.c - the monotonic clock, in nanoseconds: apart from wait.c, since the scheduler, which knows no sockets, looks
 * at it too. */
#include "clock.h"
#include "sys.h"

#define SECOND 1000000000

int64_t skti_now(void)
{
    struct timespec now;
    skti_sys.clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t skti_roughly_now(void)
{
    struct timespec now;
    skti_sys.clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

struct timespec skti_timespec(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}
