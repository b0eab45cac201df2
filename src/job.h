/* job.h - work that may take long and cannot be stopped, done beside the caller.
 *
 * getaddrinfo(3) and its like know no timeout.  A caller with a deadline has them done
 * by a helper thread and leaves when his time is up; what comes too late is
 * thrown away there. */
#ifndef SKTI_JOB_H
#define SKTI_JOB_H

#include "error.h"
#include <pthread.h>
#include <skt.h>

/* Stands at the start of a struct with the work's arguments and results,
 * allocated with skti_sys.malloc. */
struct skti_job {
    void (*run)(struct skti_job *job);
    void (*dispose)(struct skti_job *job); /* frees the struct and all that is in it */
    /* job.c's own: */
    pthread_mutex_t lock;
    int done_fd; /* the caller's eventfd */
    bool done, abandoned;
    struct skti_job *next;
};

/* Runs the job; where the deadline is SKTI_FOREVER and nobody else could close
 * s, without a thread.  0: done, the job and its results are the caller's to
 * dispose of.  -1 with errno and blame: not done; it is no longer the
 * caller's.  s may be NULL. */
int skti_run_job(skt *s, struct skti_job *job, int64_t deadline, skti_blame *blame);

#endif
