/* clock.h - the monotonic clock, by which everything is timed: nobody sets it while we wait. */
#ifndef CMD_CLOCK_H
#define CMD_CLOCK_H

#include <stdint.h>

#define NANOSECONDS 1000000000 /* in a second */

int64_t cmd_now_ns(void);

/* The same in seconds. */
double cmd_now(void);

#endif
