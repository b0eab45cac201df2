/* task.c - many stacks taking turns on one thread: see task.h. */
#include "task.h"
#include "clock.h"
#include "context.h"
#include "sys.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A look for events costs as much as some tens of turns: while tasks are ready, so many turns pass between two. */
#define TURNS 256
#define BUDGET 128 /* calls in a row by one task */

#define CONTEXT 8192 /* bytes: more than skti_context writes below the task */

/* With a seed turns are short, so that there are more orders. */
#define TURNS_BY_CHANCE 8
#define BUDGET_BY_CHANCE 8

#define STAGGER 64  /* bytes: stacks begin at other lines of the cache ... */
#define STAGGERS 16 /* ... in so many ways; a page apart they would all want the same */

_Thread_local struct skti_scheduler *skti_scheduler;
uint64_t skti_task_seed;

/* Where a C++ runtime keeps the exceptions that a thread is handling; absent in C programs. */
extern void *__cxa_get_globals(void) __attribute__((weak)); /* NOLINT: the ABI's name */

/* ---- The queue of the ready ---- */

static void unlink_from(struct skti_scheduler *s, struct skti_task **link)
{
    struct skti_task *t = *link;
    *link = t->next;
    if (!t->next)
        s->ready_end = link;
}

/* Tests look for mistakes in other orders than first come, first served: a number below n (xorshift64). */
static size_t chance(struct skti_scheduler *s, size_t n)
{
    s->seed ^= s->seed << 13;
    s->seed ^= s->seed >> 7;
    s->seed ^= s->seed << 17;
    return (s->seed >> 11) % n;
}

static struct skti_task **pick_by_chance(struct skti_scheduler *s)
{
    struct skti_task **link = &s->ready;
    size_t count = 0;
    for (struct skti_task *t = s->ready; t; t = t->next)
        count++;
    for (size_t skip = chance(s, count); skip > 0; skip--)
        link = &(*link)->next;
    return link;
}

/* Whose turn it is; main's if nobody is ready, or events have to be looked for. */
static struct skti_task *next_turn(struct skti_scheduler *s)
{
    if (!s->ready || s->turns == 0)
        return &s->main;
    s->turns--;
    struct skti_task **link = s->seed ? pick_by_chance(s) : &s->ready, *t = *link;
    unlink_from(s, link);
    return t;
}

/* ---- Switching ---- */

/* The stack of a task that has ended can go only when another one runs. */
static void bury(struct skti_scheduler *s)
{
    struct skti_task *t = s->ended;
    s->ended = NULL;
    skti_fibre_end(&t->fibre);
    skti_stack_give(&s->stacks, t->top);
}

static void arrive(struct skti_scheduler *s, struct skti_task *self)
{
    skti_fibre_enter(&self->fibre, &s->previous->fibre);
    if (s->ended)
        bury(s);
    errno = self->saved_errno;
}

/* Where guard pages could not be had, it is found out too late, but it is. */
__attribute__((noinline, cold)) static void check_stack(struct skti_scheduler *s, const struct skti_task *t)
{
    static const char text[] = ": stack overflow\n";
    if (t == &s->main || !skti_stack_overflowed(&s->stacks, t->top))
        return;
    char message[96] = "skt: ";
    size_t len = 5 + skti_task_label(t, message + 5, 64);
    memcpy(message + len, text, sizeof text);
    if (write(STDERR_FILENO, message, len + sizeof text - 1) < 0)
        abort();
    abort();
}

/* What few programs need with each change. */
__attribute__((noinline, cold)) static void change_more(struct skti_scheduler *s, struct skti_task *from,
                                                        struct skti_task *to)
{
    if (s->stacks.marked)
        check_stack(s, from);
    if (s->exceptions) {
        memcpy(from->exceptions, s->exceptions, sizeof from->exceptions);
        memcpy(s->exceptions, to->exceptions, sizeof to->exceptions);
    }
}

static inline int budget(struct skti_scheduler *s)
{
    return s->seed ? (int)chance(s, BUDGET_BY_CHANCE) : BUDGET;
}

static void change(struct skti_scheduler *s, struct skti_task *from, struct skti_task *to)
{
    if (s->exceptions || s->stacks.marked)
        change_more(s, from, to);
    from->saved_errno = errno;
    s->previous = from;
    s->running = to;
    skti_here.budget = to->cancelled ? 0 : budget(s);
    from->mode = (uint8_t)skti_here.mode;
    skti_here.mode = to->mode;
    skti_here.scope = &to->scope;
    skti_fibre_leave(&from->fibre, &to->fibre, from->state == SKTI_ENDED);
    skti_switch(&from->saved, to->saved);
    arrive(s, from);
}

static void next(struct skti_scheduler *s)
{
    struct skti_task *from = s->running, *to = next_turn(s);
    if (to != from)
        change(s, from, to);
}

/* ---- Beginning and ending ---- */

static void end(struct skti_scheduler *s, struct skti_task *t)
{
    t->state = SKTI_ENDED;
    skti_timer_remove(&s->timers, &t->timer);
    skti_free_errors(t->scope.errors);
    if (t->all_next)
        t->all_next->all_prev = t->all_prev;
    if (t->all_prev)
        t->all_prev->all_next = t->all_next;
    else
        s->all = t->all_next;
    if (t->group)
        skti_group_left(t);
    s->count--;
    s->ended = t;
}

static void run_task(void *arg)
{
    struct skti_task *t = arg;
    arrive(skti_scheduler, t);
    t->run(t->arg);
    if (!skti_scheduler)
        _exit(0); /* a child of fork(2), in which nobody else takes turns */
    end(skti_scheduler, t);
    next(skti_scheduler);
    abort(); /* nobody goes on with a task that has ended */
}

static struct skti_task *place(struct skti_scheduler *s, void *top)
{
    size_t shift = SKTI_STACK_OWN + (s->numbered % STAGGERS) * STAGGER;
    return (struct skti_task *)(((uintptr_t)top - shift - sizeof(struct skti_task)) & ~(uintptr_t)63);
}

struct skti_task *skti_spawn(void (*run)(void *arg), void *arg, struct skti_group *group)
{
    struct skti_scheduler *s = skti_scheduler;
    void *top = skti_timers_reserve(&s->timers, s->count + 1) ? skti_stack_take(&s->stacks) : NULL;
    if (!top) {
        errno = ENOMEM;
        return NULL;
    }
    struct skti_task *t = place(s, top);
    skti_fibre_reuse((char *)t - CONTEXT, CONTEXT + sizeof *t);
    *t = (struct skti_task){ .scope.deadline = SKTI_FOREVER,
                             .until = SKTI_FOREVER,
                             .mode = SKTI_IN_TASK,
                             .run = run,
                             .arg = arg,
                             .group = group,
                             .top = top };
    t->number = ++s->numbered;
    char *low = skti_stack_low(&s->stacks, top);
    skti_fibre_begin(&t->fibre, low, (size_t)((char *)t - low));
    t->saved = skti_context(t, run_task, t);
    t->all_next = s->all;
    if (s->all)
        s->all->all_prev = t;
    __atomic_store_n(&s->all, t, __ATOMIC_RELEASE); /* a signal handler may go through the list (dump.c) */
    s->count++;
    if (group)
        skti_group_joined(t);
    skti_push(s, t);
    return t;
}

/* ---- Parking and waking ---- */

/* Whether a cancelling hits the task now.  It does so once, but for a group that is closing. */
static bool cancelled(struct skti_task *t)
{
    if (!t->cancelled)
        return false;
    t->cancelled = t->group && skti_group_closing(t->group);
    return true;
}

static void leave_list(struct skti_task *t)
{
    struct skti_task **link = &t->list->first;
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    t->list = NULL;
}

static void join_list(struct skti_task *t, struct skti_waitlist *list)
{
    struct skti_task **link = &list->first;
    while (*link)
        link = &(*link)->next;
    t->next = NULL;
    *link = t;
    t->list = list;
}

/* The timer may be left from an earlier wait, at an earlier time: when it expires it
 * is set anew.  So a wait with a deadline that ends well, as most do, does not touch the heap. */
static void set_timer(struct skti_scheduler *s, struct skti_task *t, int64_t until)
{
    t->until = until;
    if (until < skti_timer_at(&s->timers, &t->timer))
        skti_timer_set(&s->timers, &t->timer, until);
}

int skti_park_alone(struct skti_waitlist *list, struct skti_reason reason)
{
    struct skti_scheduler *s = skti_scheduler;
    struct skti_task *t = s->running;
    t->reason = reason;
    t->since = s->now;
    t->next = NULL;
    t->list = list;
    list->first = t;
    t->state = SKTI_PARKED;
    next(s);
    if (t->code == ECANCELED)
        cancelled(t);
    return t->code;
}

int skti_park(struct skti_waitlist *list, struct skti_reason reason, int64_t until, bool cancellable)
{
    struct skti_scheduler *s = skti_scheduler;
    struct skti_task *t = s->running;
    if (cancellable && cancelled(t))
        return ECANCELED;
    t->reason = reason;
    t->since = s->now;
    if (list)
        join_list(t, list);
    if (until != SKTI_FOREVER)
        set_timer(s, t, until);
    t->state = SKTI_PARKED;
    next(s);
    t->until = SKTI_FOREVER;
    if ((t->code == ECANCELED || t->code == EINTR) && !cancellable)
        return 0; /* what it waits for is looked at again; the cancelling stays */
    if (t->code == ECANCELED)
        cancelled(t);
    return t->code;
}

void skti_wake(struct skti_task *t, int code)
{
    if (t->state != SKTI_PARKED)
        return;
    if (t->list)
        leave_list(t);
    skti_make_ready(skti_scheduler, t, code);
}

void skti_yield(void)
{
    struct skti_scheduler *s = skti_scheduler;
    skti_push(s, s->running);
    next(s);
}

int skti_checkpoint(void)
{
    struct skti_scheduler *s = skti_scheduler;
    if (s->running->cancelled && cancelled(s->running))
        return ECANCELED;
    if (skti_here.budget-- > 0)
        return 0;
    s->turns = 0; /* so many calls cost far more than a look for events, for which others may be waiting */
    skti_yield();
    if (s->running->cancelled && cancelled(s->running))
        return ECANCELED;
    skti_here.budget = budget(s); /* also where nobody else was ready */
    return 0;
}

void skti_cancel_task(struct skti_task *t)
{
    t->cancelled = true;
    if (t == skti_scheduler->running)
        skti_here.budget = 0;
    skti_wake(t, ECANCELED);
}

void skti_interrupt_tasks(void)
{
    for (struct skti_task *t = skti_scheduler->all; t; t = t->all_next)
        skti_wake(t, EINTR);
}

/* ---- The thread's own stack ---- */

static struct skti_task *of_timer(struct skti_timer *timer)
{
    return (struct skti_task *)((char *)timer - offsetof(struct skti_task, timer));
}

static void wake_expired(struct skti_scheduler *s)
{
    struct skti_timer *timer;
    while ((timer = skti_timers_expired(&s->timers, s->now))) {
        struct skti_task *t = of_timer(timer);
        if (t->state != SKTI_PARKED || t->until == SKTI_FOREVER)
            continue;
        if (t->until <= s->now)
            skti_wake(t, ETIMEDOUT);
        else
            skti_timer_set(&s->timers, timer, t->until);
    }
}

void skti_send_errand(struct skti_scheduler *s, struct skti_errand *errand)
{
    pthread_mutex_lock(&s->errands_lock);
    errand->next = NULL;
    __atomic_store_n(s->errands_end, errand, __ATOMIC_RELEASE);
    s->errands_end = &errand->next;
    pthread_mutex_unlock(&s->errands_lock);
    s->idle.kick(s->idle.engine);
}

static void run_errands(struct skti_scheduler *s)
{
    if (!__atomic_load_n(&s->errands, __ATOMIC_ACQUIRE)) /* the kick that comes with one ends the next wait */
        return;
    pthread_mutex_lock(&s->errands_lock);
    struct skti_errand *first = s->errands;
    __atomic_store_n(&s->errands, NULL, __ATOMIC_RELAXED);
    s->errands_end = &s->errands;
    pthread_mutex_unlock(&s->errands_lock);
    for (struct skti_errand *e = first, *after; e; e = after) {
        after = e->next;
        e->run(e);
    }
}

static void loop(struct skti_scheduler *s)
{
    while (s->count > 0) {
        s->idle.wait(s->idle.engine, s->ready ? 0 : skti_timers_next(&s->timers));
        s->now = s->timers.n ? skti_now() : skti_roughly_now();
        run_errands(s);
        wake_expired(s);
        s->turns = s->seed ? 1 + (unsigned)chance(s, TURNS_BY_CHANCE) : TURNS;
        if (s->ready)
            next(s);
    }
}

void skti_scheduler_init(struct skti_scheduler *s)
{
    pthread_mutex_init(&s->errands_lock, NULL);
    s->errands_end = &s->errands;
}

void skti_scheduler_finish(struct skti_scheduler *s)
{
    run_errands(s);
    pthread_mutex_destroy(&s->errands_lock);
}

int skti_schedule(struct skti_scheduler *s, struct skti_idle idle, size_t stack_size, void (*run)(void *arg), void *arg)
{
    s->ready_end = &s->ready;
    s->seed = skti_task_seed;
    s->idle = idle;
    s->running = s->previous = &s->main;
    s->main.scope.deadline = SKTI_FOREVER;
    s->main.mode = SKTI_IN_TASK;
    s->exceptions = __cxa_get_globals ? __cxa_get_globals() : NULL;
    skti_stacks_init(&s->stacks, stack_size);
    skti_fibre_begin(&s->main.fibre, NULL, 0);
    s->now = skti_now();
    skti_scheduler = s;
    int code = skti_spawn(run, arg, NULL) ? 0 : errno;
    if (code == 0)
        loop(s);
    skti_scheduler = NULL;
    skti_free_errors(s->main.scope.errors);
    skti_timers_destroy(&s->timers);
    skti_stacks_destroy(&s->stacks);
    errno = code;
    return code ? -1 : 0;
}

size_t skti_task_label(const struct skti_task *t, char *buf, size_t len)
{
    char digits[24];
    size_t n = 0, used = 0;
    uint64_t number = t->number;
    for (const char *word = "task "; *word && used < len; word++)
        buf[used++] = *word;
    for (const char *letter = t->name; *letter && used < len; letter++)
        buf[used++] = *letter;
    if (*t->name)
        return used;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0 && used < len)
        buf[used++] = digits[--n];
    return used;
}
