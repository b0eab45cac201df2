/* wait.h - the one place that waits, and the one that knows both sockets and tasks.
 *
 * On a thread it is ppoll(2), on the socket and, where the process has more
 * threads than this one, on an eventfd through which skt_close wakes the call.  A task parks, and
 * its thread's engine wakes it. */
#ifndef SKTI_WAIT_H
#define SKTI_WAIT_H

#include "clock.h"
#include "here.h"
#include "object.h"
#include <poll.h>

/* The deadline of a call that begins now: timeout in nanoseconds, -1 for none; no later than skt_deadline_begin's. */
int64_t skti_deadline(int64_t timeout);

/* Whether this is the only thread, so that nobody else can close a socket meanwhile. */
static inline bool skti_alone(void)
{
#ifdef __GLIBC__
    return __libc_single_threaded;
#else
    return false;
#endif
}

/* Whether the kernel may do the waiting itself: this is the only thread, not a task, and has no deadline. */
static inline bool skti_kernel_may_wait(void)
{
    return skti_alone() && !skti_here.mode;
}

/* Waits until one of fds is ready, and returns how many are; n at most
 * SKTI_WAIT_MAX; 0 only sleeps.  -1 with errno: ETIMEDOUT (the deadline has
 * passed), EBADF (s was closed; with by_file, detached), EINTR (the hook said
 * so), or ppoll's.  s may be NULL. */
#define SKTI_WAIT_MAX 32
int skti_wait(skt *s, bool by_file, struct pollfd *fds, unsigned n, int64_t deadline);

/* The same for one descriptor: 0 or -1. */
int skti_wait_fd(skt *s, bool by_file, int fd, short events, int64_t deadline);

/* The same for the socket's own descriptor.  false_alarm: after the last wait the try found nothing, so an edge may
 * have been lost, and the kernel has to look anew. */
int skti_wait_socket(skt *s, bool by_file, short events, int64_t deadline, bool false_alarm);

/* poll(2) until the deadline: how many of fds are ready, 0 if none in time, or -1 with errno. */
int skti_poll(struct pollfd *fds, unsigned n, int64_t deadline);

/* Sets off an eventfd.  In a signal handler too. */
void skti_set_off(int eventfd);

/* Waits until an eventfd has been set off, and reads it, though the task be cancelled: for what others still use. */
void skti_wait_eventfd(int eventfd);

/* Makes all calls that wait in s look whether it is closed. */
void skti_wake_waiters(skt *s);

/* ---- Tasks ---- */

/* Before each call of a task that may wait: 0, or -1 with ECANCELED.  After many calls others have a turn. */
int skti_checkpoint_here(void);

/* A call was cancelled (ECANCELED) and yet has something to return: the task's next one is to tell. */
void skti_cancel_next(void);

static inline bool skti_watched_here(const skt *s)
{
    return skti_here.engine && __atomic_load_n(&s->watch.engine, __ATOMIC_RELAXED) == skti_here.engine;
}

static inline uint8_t skti_dry(const skt *s)
{
    return __atomic_load_n(&s->watch.dry, __ATOMIC_RELAXED);
}

/* (Two threads may overwrite each other's: it is no more than a hint.) */
static inline void skti_set_dry(skt *s, uint8_t dry)
{
    __atomic_store_n(&s->watch.dry, dry, __ATOMIC_RELAXED);
}

/* In a task: the next call is to wait at once where the engine does not tell of such events yet.  (What it has told of
 * already stays.) */
static inline void skti_expect_nothing(skt *s, short events)
{
    if (skti_short_drains(s) && skti_in_task())
        skti_set_dry(s, (uint8_t)(skti_dry(s) | events));
}

/* Whether a try would find nothing, most likely: the engine tells of such events, and has told of none since the last
 * try; or it does not yet, and the last try took all there was. */
static inline bool skti_known_dry(const skt *s, short events)
{
    if (skti_watched_here(s) && (s->watch.asked & events))
        return !(__atomic_load_n(&s->watch.ready, __ATOMIC_RELAXED) & events);
    return skti_dry(s) & events;
}

/* A try has found nothing: what comes from now on is told by an event. */
static inline void skti_found_dry(skt *s, short events)
{
    if (skti_watched_here(s))
        __atomic_store_n(&s->watch.ready, (uint8_t)(s->watch.ready & ~events), __ATOMIC_RELAXED);
}

/* A try took less than it could: the same, unless the end of the stream or an error is still to be found. */
static inline void skti_found_short(skt *s, short events)
{
    if (!skti_short_drains(s) || (__atomic_load_n(&s->watch.ready, __ATOMIC_RELAXED) & POLLHUP))
        return;
    if (skti_watched_here(s) && (s->watch.asked & events))
        skti_found_dry(s, events);
    else
        skti_expect_nothing(s, events);
}

/* What skt_recv, skt_send and skt_sendall, whose cost is counted, ask in a task before they make the system call
 * themselves: whether there is nothing else to do.  If not, skti_get_ready waits, if need be, and lets
 * others have a turn, or finds the task cancelled: 0, or -1 with errno; *deadline 0: found there, if needed. */
static inline bool skti_go_ahead(const skt *s, short events)
{
    return skti_here.budget-- > 0 && !skti_known_dry(s, events);
}
int skti_get_ready(skt *s, short events, int flags, int64_t *deadline);

/* fd is about to be closed, or given away: no engine is to watch it any more. */
void skti_unwatch(skt *s, int fd);

/* The last user has left s: whether the engine of another thread, which may hold a late event for it,
 * will call finish(s). */
bool skti_let_engine_finish(skt *s, void (*finish)(skt *s));

/* sched_yield(2), or the other tasks. */
void skti_let_others_run(void);

/* Runs the hook of skt_on_interrupt: whether to go on. */
bool skti_interrupted(void);

/* The last socket is gone: gives back what was kept for the next wait. */
void skti_wait_idle(void);

#endif
