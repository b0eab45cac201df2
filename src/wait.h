/* wait.h - the one place that waits.
 *
 * On a thread it is ppoll(2), on the socket and, where the process has more
 * threads than this one, on an eventfd through which skt_close wakes the call. */
#ifndef SKTI_WAIT_H
#define SKTI_WAIT_H

#include "object.h"
#include <poll.h>
#ifdef __GLIBC__
#include <sys/single_threaded.h>
#endif

#define SKTI_FOREVER INT64_MAX

/* Nanoseconds of the monotonic clock. */
int64_t skti_now(void);

/* The deadline of a call that begins now: timeout in nanoseconds, -1 for none. */
int64_t skti_deadline(int64_t timeout);

/* Whether no other thread is there that could close a socket meanwhile: then the
 * kernel may do the waiting itself. */
static inline bool skti_alone(void)
{
#ifdef __GLIBC__
    return __libc_single_threaded;
#else
    return false;
#endif
}

/* Waits until one of fds is ready, and returns how many are; n at most
 * SKTI_WAIT_MAX; 0 only sleeps.  -1 with errno: ETIMEDOUT (the deadline has
 * passed), EBADF (s was closed; with by_file, detached), EINTR (the hook said
 * so), or ppoll's.  s may be NULL. */
#define SKTI_WAIT_MAX 32
int skti_wait(skt *s, bool by_file, struct pollfd *fds, unsigned n, int64_t deadline);

/* The same for one descriptor: 0 or -1. */
int skti_wait_fd(skt *s, bool by_file, int fd, short events, int64_t deadline);

/* Makes all calls that wait in s look whether it is closed. */
void skti_wake_waiters(skt *s);

/* Runs the hook of skt_on_interrupt: whether to go on. */
bool skti_interrupted(void);

/* The last socket is gone: gives back what was kept for the next wait. */
void skti_wait_idle(void);

#endif
