/* clock.c - the time, for all who measure or wait. */
#include "clock.h"
#include <time.h>

int64_t cmd_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NANOSECONDS + t.tv_nsec;
}

double cmd_now(void)
{
    return (double)cmd_now_ns() / NANOSECONDS;
}
