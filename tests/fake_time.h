/* fake_time.h - time of the test's own: an hour passes in no time, and nothing depends on
 * how fast the machine is.
 *
 * What is ready when the library polls is ready; otherwise the time that it would have waited passes
 * at once. */
#ifndef FAKE_TIME_H
#define FAKE_TIME_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

#define SECOND 1000000000LL

/* Since fake_time_begin: what was waited for, in nanoseconds, and how often. */
extern int64_t fake_slept;
extern unsigned fake_polls;

/* Replaces ppoll and the clock in the table (sys.h), and puts them back. */
void fake_time_begin(void);
void fake_time_end(void);

/* Lets time pass. */
void fake_time_pass(int64_t ns);

/* The library's ppoll meanwhile. */
int fake_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout);

#endif
