/* here.h - what belongs to the running task, or to the thread where there is none: the
 * error record, deadlines, a cancelling on its way.
 *
 * Socket code and the scheduler both look here, and so need not know of each other.
 * skti_here is thread-local; the scheduler points its scope at another task's
 * with each switch. */
#ifndef SKTI_HERE_H
#define SKTI_HERE_H

#include <stdbool.h>
#include <stdint.h>

#define SKTI_FOREVER INT64_MAX

struct skti_error_state; /* error.c */

struct skti_scope {
    int64_t deadline;                /* of skt_deadline_begin: no wait goes on after it; SKTI_FOREVER: none */
    struct skti_error_state *errors; /* what failed last; NULL: nothing yet */
};

/* Why the plain way of a call (let the kernel wait) is not good enough. */
enum { SKTI_IN_TASK = 1, SKTI_HAS_DEADLINE = 2 };

struct skti_here {
    unsigned mode;            /* SKTI_IN_TASK, SKTI_HAS_DEADLINE, both or 0 */
    uint32_t engine;          /* number of the engine that tasks here wait with; 0: no tasks here */
    int budget;               /* calls that the running task may make before others have a turn; 0: look also
                                 whether it is cancelled (skti_checkpoint) */
    struct skti_scope *scope; /* the running task's; NULL: the thread's own, see skti_scope */
};

/* The library's thread-local data is small enough for the room that the C library keeps for libraries that are
 * loaded late (512 bytes, glibc's rtld.optional_static_tls): so the fast kind of access can be had (ELF Handling For
 * TLS, 4.2). */
extern _Thread_local struct skti_here skti_here __attribute__((tls_model("initial-exec")));

static inline bool skti_in_task(void)
{
    return skti_here.mode & SKTI_IN_TASK;
}

/* The running task's scope, or the thread's. */
struct skti_scope *skti_scope(void);

/* The thread's own, in a task too. */
struct skti_scope *skti_thread_scope(void);

/* Frees the record of a scope that ends (error.c). */
void skti_free_errors(struct skti_error_state *errors);

/* The nearer of a deadline and the scope's. */
static inline int64_t skti_within_scope(int64_t deadline)
{
    if (!(skti_here.mode & SKTI_HAS_DEADLINE))
        return deadline;
    int64_t limit = skti_scope()->deadline;
    return deadline < limit ? deadline : limit;
}

#endif
