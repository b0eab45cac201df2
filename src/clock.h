/* clock.h - the monotonic clock, in nanoseconds. */
#ifndef SKTI_CLOCK_H
#define SKTI_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t skti_now(void);

/* The same to some milliseconds, at a fourth of the cost. */
int64_t skti_roughly_now(void);

struct timespec skti_timespec(int64_t ns);

#endif
