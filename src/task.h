/* task.h - tasks: many stacks taking turns on one thread.
 *
 * A task runs until it parks or yields; the next that is ready goes on at once, on its own
 * stack.  Where none is, or after many turns, the thread's own stack ("main") lets the engine look for events.
 * Nothing here knows of sockets.
 *
 *              skt_go
 *                |          parks                          wakes
 *     ready <----+---------- running ---> parked (in a list, with a timer) ---> ready
 *       |                      ^  |
 *       +----------------------+  +---> ended: the stack is used again */
#ifndef SKTI_TASK_H
#define SKTI_TASK_H

#include "fibre.h"
#include "here.h"
#include "stack.h"
#include "timer.h"
#include "watch.h"
#include <pthread.h>
#include <skt.h>

struct skti_scheduler;

enum skti_task_state { SKTI_ACTIVE, SKTI_PARKED, SKTI_ENDED }; /* active: ready, or the one that runs */

/* What a parked task waits for, for those who debug: a constant sentence ("to receive"), and
 * what it is about, which skti_describe makes words of. */
struct skti_reason {
    const char *what;
    const void *subject; /* NULL: nothing to add */
};

/* Lies at the upper end of its own stack, so that an idle task is one page in all.  What each turn needs comes first:
 * with a thousand tasks in turns every line of the cache counts. */
struct skti_task {
    void *saved;                /* the stack where it stopped (context.h) */
    struct skti_task *next;     /* in the queue of the ready, or in `list` */
    struct skti_waitlist *list; /* parked: in which list, or NULL */
    int64_t until;              /* parked: its deadline; the timer may be set to an earlier time */
    int64_t since;              /* parked: since when */
    struct skti_reason reason;  /* parked: for what */
    int saved_errno;
    uint8_t code;   /* what skti_park is to return: an errno */
    uint8_t state;  /* enum skti_task_state */
    uint8_t mode;   /* skti_here.mode, while another runs */
    bool cancelled; /* its next wait fails */
    struct skti_timer timer;
    struct skti_scope scope;
    void *exceptions[2]; /* C++: what is being handled (the ABI's __cxa_eh_globals) */
    struct skti_fibre fibre;
    void (*run)(void *arg);
    void *arg;
    struct skti_group *group;                  /* or NULL */
    struct skti_task *group_next, *group_prev; /* in its group */
    struct skti_task *all_next, *all_prev;     /* among all of this thread */
    uint64_t number;                           /* 1, 2 ... by age */
    void *top;                                 /* of its stack */
    char name[24];                             /* "" until it is given one */
};

/* How the thread waits where no task is ready: engine_epoll.c. */
struct skti_engine;
struct skti_idle {
    void (*wait)(struct skti_engine *engine, int64_t until); /* for events until then; SKTI_FOREVER; 0: only look */
    void (*kick)(struct skti_engine *engine);                /* from another thread: ends the wait */
    struct skti_engine *engine;
};

struct skti_scheduler {
    struct skti_task *running;
    struct skti_task *ready, **ready_end;
    unsigned turns; /* until main looks for events again */
    uint64_t seed;  /* not 0: who is next, and for how long, is left to chance (tests) */
    int64_t now;    /* when main last looked for events */
    struct skti_task main;
    struct skti_task *previous, *ended;
    struct skti_task *all;
    size_t count;      /* tasks that have not ended */
    uint64_t numbered; /* tasks there have been */
    struct skti_stacks stacks;
    struct skti_timers timers;
    struct skti_idle idle;
    void **exceptions; /* this thread's C++ globals, or NULL */
    pthread_mutex_t errands_lock;
    struct skti_errand *errands, **errands_end;
};

/* This thread's scheduler; NULL outside skt_run. */
extern _Thread_local struct skti_scheduler *skti_scheduler __attribute__((tls_model("initial-exec")));

/* The seed of schedulers that begin from now on; 0: first come, first served. */
extern uint64_t skti_task_seed;

/* Makes a zeroed *s ready for errands, and ends that: those that are left are run. */
void skti_scheduler_init(struct skti_scheduler *s);
void skti_scheduler_finish(struct skti_scheduler *s);

/* Makes *s this thread's scheduler, runs tasks until none is left, and clears it away.  -1 with errno:
 * not even the first could be made. */
int skti_schedule(struct skti_scheduler *s, struct skti_idle idle, size_t stack_size, void (*run)(void *arg),
                  void *arg);

/* A new task, last of the ready; group may be NULL.  NULL with errno. */
struct skti_task *skti_spawn(void (*run)(void *arg), void *arg, struct skti_group *group);

/* Waits in a list (NULL: for time only) until woken, or the deadline: 0, ETIMEDOUT, ECANCELED, EINTR or
 * what skti_wake said.  cancellable false: a cancelling waits for the next call, and no signal counts. */
int skti_park(struct skti_waitlist *list, struct skti_reason reason, int64_t until, bool cancellable);

/* The same in the commonest case, in fewer instructions: the list is empty, there is no deadline, and the task is not
 * cancelled yet. */
int skti_park_alone(struct skti_waitlist *list, struct skti_reason reason);

/* Makes a parked task ready; any other is left as it is.  From its own thread. */
void skti_wake(struct skti_task *t, int code);

/* Puts a task last in the queue of the ready. */
static inline void skti_push(struct skti_scheduler *s, struct skti_task *t)
{
    t->next = NULL;
    *s->ready_end = t;
    s->ready_end = &t->next;
}

/* A parked task that is in no list any more. */
static inline void skti_make_ready(struct skti_scheduler *s, struct skti_task *t, int code)
{
    t->state = SKTI_ACTIVE;
    t->code = (uint8_t)code;
    skti_push(s, t);
}

static inline void skti_wake_all(struct skti_waitlist *list, int code)
{
    struct skti_task *t = list->first, *after;
    for (list->first = NULL; t; t = after) {
        after = t->next;
        t->list = NULL;
        skti_make_ready(skti_scheduler, t, code);
    }
}

/* Lets the others that are ready have their turn. */
void skti_yield(void);

/* Stands before each call that may wait: 0, or ECANCELED.  Lets others have a turn after many calls. */
int skti_checkpoint(void);

/* Cancels a task's present or next wait. */
void skti_cancel_task(struct skti_task *t);

/* A signal has interrupted the thread's wait, and the hook says that this ends calls: each of the parked returns EINTR,
 * if it is cancellable. */
void skti_interrupt_tasks(void);

/* Has an errand run by s's thread.  From any thread, while s lives. */
void skti_send_errand(struct skti_scheduler *s, struct skti_errand *errand);

/* group.c: a task of a group begins, or has ended; whether all the group's waits are to fail. */
void skti_group_joined(struct skti_task *t);
void skti_group_left(struct skti_task *t);
bool skti_group_closing(const struct skti_group *group);

/* The running task, with its name or number, for messages; from a signal handler too. */
size_t skti_task_label(const struct skti_task *t, char *buf, size_t len);

#endif
