/* fake_time.h - time of the test's own: an hour passes in no time, and nothing depends on
 * how fast the machine is.
 *
 * What is ready when the library polls is ready; otherwise the time that it would have waited passes
 * at once.  In a task it is the scheduler that polls, for all tasks of the thread. */
#ifndef FAKE_TIME_H
#define FAKE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND 1000000000LL

/* Since fake_time_begin: what was waited for, in nanoseconds, and how often. */
extern int64_t fake_slept;
extern unsigned fake_waits;

/* Replaces ppoll, epoll_pwait2, epoll_wait and the clock in the table (sys.h), and puts them back. */
void fake_time_begin(void);
void fake_time_end(void);

/* Lets time pass. */
void fake_time_pass(int64_t ns);

/* From here to fake_time_end nothing is ever ready. */
void fake_time_silence(void);

/* From here to fake_time_end: when nothing is ready and ns would pass, something may happen instead: then
 * event lets the time before it pass, makes it happen and returns true. */
void fake_time_event(bool (*event)(int64_t ns));

#endif
