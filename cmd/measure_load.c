/* measure_load.c - the threads and connections of skt measure: they are opened before the clock starts, work until it
 * stops, and are then given a moment for what is under way.
 *
 * Each thread counts for itself, so that nothing is shared while a request is on its way; only at the end of an
 * interval its counts are added to the result's. */
#include "clock.h"
#include "measure.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { OPENING = 64 }; /* connections that a thread opens at the same time */
#define GRACE 1.0      /* seconds for what is under way at the end, if --timeout says nothing */

#define LOOK 0.1 /* seconds between looks whether we were interrupted */

static volatile sig_atomic_t interrupted;

/* ---- Opening ---- */

/* 0, or the exit status. */
static int open_one(struct measure_connection *c)
{
    c->request = malloc(c->plan->size + measure_room(c->plan));
    if (!c->request) {
        cmd_say("there is no memory for %d connections", c->plan->settings->connections);
        return STATUS_FAILED;
    }
    c->buffer = c->request + c->plan->size;
    memcpy(c->request, c->plan->request, c->plan->size);
    int status = measure_open(c);
    if (status >= 0 || c->thread->status) /* one that failed before has been told of */
        return status;
    return cmd_fail();
}

static void open_some(void *arg)
{
    struct measure_thread *t = arg;
    while (t->status == 0 && t->next < t->n) {
        struct measure_connection *c = &t->connections[t->next++];
        int status = open_one(c);
        if (status && t->status == 0)
            t->status = status;
    }
}

static void open_all(struct measure_thread *t)
{
    t->group = skt_group_new();
    if (!t->group) {
        t->status = cmd_fail();
        return;
    }
    for (int i = 0; i < OPENING && i < t->n; i++)
        if (skt_group_go(t->group, open_some, t) < 0) {
            t->status = cmd_fail();
            break;
        }
    skt_group_wait(t->group);
}

/* ---- Working ---- */

static void leave(struct measure_result *r)
{
    if (__atomic_sub_fetch(&r->alive, 1, __ATOMIC_RELAXED) == 0)
        __atomic_store_n(&r->ended, cmd_now_ns(), __ATOMIC_RELAXED);
}

static void work(void *arg)
{
    struct measure_connection *c = arg;
    c->plan->kind->work(c);
    leave(c->thread->result);
}

static bool nobody_left(const struct measure_thread *t)
{
    return __atomic_load_n(&t->result->alive, __ATOMIC_RELAXED) == 0;
}

/* Until then, or until there is nothing to be waited for any more. */
static void wait_until(struct measure_thread *t, int64_t until)
{
    struct measure_plan *plan = t->plan;
    int64_t end = measure_end(plan);
    if (until > end)
        until = end;
    for (int64_t now; (now = cmd_now_ns()) < until && now < measure_end(plan) && !nobody_left(t);) {
        double left = (double)(until - now) / 1e9;
        skt_sleep(left < LOOK ? left : LOOK);
        if (interrupted)
            __atomic_store_n(&plan->end, cmd_now_ns(), __ATOMIC_RELAXED);
    }
}

/* An answer that is under way may still come. */
static void let_finish(struct measure_thread *t)
{
    double timeout = t->plan->settings->timeout;
    skt_deadline d = skt_deadline_begin(timeout >= 0 ? timeout : GRACE);
    skt_group_wait(t->group);
    skt_deadline_end(d);
    skt_group_close(t->group);
    t->group = NULL;
}

/* The first begins the clock for all. */
static void work_all(struct measure_thread *t)
{
    int64_t every = (int64_t)(t->plan->settings->every * 1e9), begin = t->plan->begin;
    for (int i = 0; i < t->n; i++)
        if (skt_group_go(t->group, work, &t->connections[i]) < 0) {
            measure_fail_call(&t->connections[i]);
            leave(t->result);
        }
    for (size_t k = 0; cmd_now_ns() < measure_end(t->plan) && !nobody_left(t); k++) {
        wait_until(t, begin + every * (int64_t)(k + 1));
        measure_deliver(t, k);
    }
    let_finish(t);
    measure_deliver_rest(t);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void begin_clock(struct measure_thread *t)
{
    t->result->cpu = -cpu_seconds();
    struct measure_plan *plan = t->plan;
    plan->begin = cmd_now_ns();
    plan->end = plan->begin + (int64_t)(plan->settings->duration * 1e9);
    measure_report_begin(plan);
}

/* ---- Threads ---- */

static void first_task(void *arg)
{
    struct measure_thread *t = arg;
    struct measure_result *r = t->result;
    open_all(t);
    __atomic_fetch_or(&r->status, t->status, __ATOMIC_RELAXED);
    pthread_barrier_wait(t->barrier); /* no other task of the thread has anything to do */
    if (t->first == 0 && r->status == 0)
        begin_clock(t);
    pthread_barrier_wait(t->barrier);
    if (r->status == 0)
        work_all(t);
    else
        skt_group_close(t->group);
}

static void *thread(void *arg)
{
    struct measure_thread *t = arg;
    if (skt_run(first_task, t) == 0)
        return NULL;
    cmd_say("a thread cannot run tasks: %m");
    exit(STATUS_FAILED); /* the others wait for this one */
}

static bool prepare(struct measure_thread *t, int i, int threads)
{
    int all = t->plan->settings->connections;
    t->first = (int)((int64_t)all * i / threads);
    t->n = (int)((int64_t)all * (i + 1) / threads) - t->first;
    t->connections = aligned_alloc(_Alignof(struct measure_connection), (size_t)t->n * sizeof *t->connections);
    for (int k = 0; t->connections && k < t->n; k++)
        t->connections[k] = (struct measure_connection){ .thread = t, .plan = t->plan, .index = t->first + k };
    return t->connections;
}

static void clean_up(struct measure_thread *t)
{
    for (int k = 0; t->connections && k < t->n; k++) {
        skt_close(t->connections[k].s);
        free(t->connections[k].request);
    }
    free(t->connections);
}

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* The first time the results so far are printed, the second time it is over. */
static void expect_signals(void)
{
    struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESETHAND };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void start(struct measure_thread *threads, int n)
{
    for (int i = 1; i < n; i++)
        if (pthread_create(&threads[i].thread, NULL, thread, &threads[i]) != 0) {
            cmd_say("%d threads cannot be had", n);
            exit(STATUS_FAILED);
        }
    thread(&threads[0]);
    for (int i = 1; i < n; i++)
        pthread_join(threads[i].thread, NULL);
}

int measure_run(struct measure_plan *plan, struct measure_result *r)
{
    int n =
        plan->settings->threads < plan->settings->connections ? plan->settings->threads : plan->settings->connections;
    struct measure_thread *threads = calloc((size_t)n, sizeof *threads);
    pthread_barrier_t barrier;
    bool ready = threads && pthread_barrier_init(&barrier, NULL, (unsigned)n) == 0;
    pthread_mutex_init(&r->lock, NULL);
    r->alive = plan->settings->connections;
    r->threads = n;
    for (int i = 0; i < n && ready; i++) {
        threads[i].plan = plan;
        threads[i].result = r;
        threads[i].barrier = &barrier;
        ready = prepare(&threads[i], i, n);
    }
    if (ready) {
        expect_signals();
        start(threads, n);
        r->cpu += cpu_seconds();
        measure_complete(plan, r);
    } else {
        cmd_say("there is no memory for %d connections", plan->settings->connections);
        r->status = STATUS_FAILED;
    }
    for (int i = 0; i < n && threads; i++)
        clean_up(&threads[i]);
    free(threads);
    return r->status;
}
