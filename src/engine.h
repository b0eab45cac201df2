/* engine.h - which descriptors tasks wait for, and how their thread learns that one is ready: epoll(7).
 *
 * A socket is registered once, for edges: the kernel says when something has
 * come, not that it is there.  What was said is kept in the socket's watch until a try finds nothing
 * (skti_would_block), or takes less than it had room for.  Any other descriptor is registered for one
 * wait at a time. */
#ifndef SKTI_ENGINE_H
#define SKTI_ENGINE_H

#include "task.h"
#include <poll.h>

struct skti_engine *skti_engine_new(void); /* NULL with errno */
void skti_engine_free(struct skti_engine *e);
uint32_t skti_engine_number(const struct skti_engine *e); /* never used twice */

/* For the scheduler (struct skti_idle). */
void skti_engine_wait(struct skti_engine *e, int64_t until);
void skti_engine_kick(struct skti_engine *e);

/* This thread's engine is to watch fd for POLLIN or POLLOUT from now on.  again: the kernel is to look
 * anew, for descriptors whose edges do not tell everything.  0 or -1 with errno. */
int skti_engine_watch(struct skti_engine *e, struct skti_watch *w, int fd, short events, bool again);

/* No longer.  From any thread, before fd is closed. */
void skti_engine_forget(struct skti_engine *e, int fd);

/* poll(2) for the running task: how many of fds are ready, or -1 with errno (ETIMEDOUT, ECANCELED or the
 * system's).  cancellable: see skti_park. */
int skti_engine_poll(struct skti_engine *e, struct pollfd *fds, unsigned n, struct skti_reason reason, int64_t until,
                     bool cancellable);

/* How long to look for events before sleeping for them, in nanoseconds. */
void skti_engine_spin(struct skti_engine *e, int64_t ns);

#endif
