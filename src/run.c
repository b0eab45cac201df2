/* run.c - skt_run: a scheduler and an engine on this thread, until every task has ended. */
#include "run.h"
#include "error.h"
#include "overflow.h"
#include "sys.h"
#include "task.h"
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE (64 << 10) /* printf and getaddrinfo of digits want some ten thousand bytes */
#define LEAST_STACK (16 << 10)
#define MOST_STACK (1 << 30)

/* A thread that runs tasks, or one that did: the structs are kept, and used again, so that a signal handler can
 * go through their list without its lock. */
struct run {
    struct skti_scheduler scheduler;
    struct skti_engine *engine;
    uint32_t number; /* the engine's; 0: the struct is free */
    pid_t tid;
    struct run *next;
};

static _Thread_local struct run *here __attribute__((tls_model("initial-exec")));

/* For other threads, that close a socket or send a signal. */
static struct {
    pthread_mutex_t lock;
    struct run *first;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void lock_all(void)
{
    pthread_mutex_lock(&all.lock);
}

static void unlock_all(void)
{
    pthread_mutex_unlock(&all.lock);
}

/* A child of fork(2) is on the stack of one task, and no other is to run twice: from here on it is a plain thread. */
static void forget_all(void)
{
    for (struct run *r = all.first; r; r = r->next) {
        if (r->number && r->number != UINT32_MAX)
            skti_engine_free(r->engine); /* its descriptors are the parent's too */
        if (r->number)
            r->number = UINT32_MAX; /* not to be used again: we may be on one of its stacks */
    }
    here = NULL;
    skti_scheduler = NULL;
    skti_here = (struct skti_here){ 0 };
    unlock_all();
}

__attribute__((constructor)) static void watch_fork(void)
{
    pthread_atfork(lock_all, unlock_all, forget_all);
}

/* ---- By number ---- */

struct skti_engine *skti_run_engine(void)
{
    return here->engine;
}

/* With the lock held. */
static struct run *find(uint32_t number)
{
    struct run *r = all.first;
    while (r && r->number != number)
        r = r->next;
    return r;
}

bool skti_engine_lives(uint32_t number)
{
    lock_all();
    bool lives = find(number) != NULL;
    unlock_all();
    return lives;
}

bool skti_reach_engine(uint32_t number, struct skti_errand *errand)
{
    lock_all();
    struct run *r = find(number);
    if (r)
        skti_send_errand(&r->scheduler, errand);
    unlock_all();
    return r != NULL;
}

void skti_forget_descriptor(uint32_t number, int fd)
{
    if (here && number == here->number) {
        skti_engine_forget(here->engine, fd);
        return;
    }
    lock_all();
    struct run *r = find(number);
    if (r)
        skti_engine_forget(r->engine, fd);
    unlock_all();
}

void skti_signal_schedulers(int signo)
{
    siginfo_t info = { .si_code = SI_QUEUE };
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = &all; /* the mark */
    for (struct run *r = __atomic_load_n(&all.first, __ATOMIC_ACQUIRE); r; r = r->next)
        if (r != here && __atomic_load_n(&r->number, __ATOMIC_ACQUIRE))
            syscall(SYS_rt_tgsigqueueinfo, info.si_pid, __atomic_load_n(&r->tid, __ATOMIC_RELAXED), signo, &info);
}

bool skti_is_passed_on(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && info->si_value.sival_ptr == &all;
}

/* ---- Running ---- */

static struct run *find_free(void)
{
    struct run *r = find(0);
    if (r || !(r = skti_sys.calloc(1, sizeof *r)))
        return r;
    r->next = all.first;
    __atomic_store_n(&all.first, r, __ATOMIC_RELEASE);
    return r;
}

/* NULL: no memory. */
static struct run *begin(struct skti_engine *engine)
{
    lock_all();
    struct run *r = find_free();
    if (r) {
        r->scheduler = (struct skti_scheduler){ 0 };
        skti_scheduler_init(&r->scheduler);
        r->engine = engine;
        __atomic_store_n(&r->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELAXED);
        __atomic_store_n(&r->number, skti_engine_number(engine), __ATOMIC_RELEASE);
    }
    unlock_all();
    here = r;
    return r;
}

/* The engine is out of reach: nobody sends errands any more. */
static void leave(struct run *r)
{
    lock_all();
    __atomic_store_n(&r->number, UINT32_MAX, __ATOMIC_RELAXED);
    unlock_all();
    here = NULL;
    skti_scheduler_finish(&r->scheduler);
}

/* Another thread may have the struct. */
static void end(struct run *r)
{
    lock_all();
    __atomic_store_n(&r->number, 0, __ATOMIC_RELAXED);
    unlock_all();
}

static int schedule(struct run *r, size_t stack_size, void (*fn)(void *arg), void *arg)
{
    struct skti_idle idle = { skti_engine_wait, skti_engine_kick, r->engine };
    struct skti_here before = skti_here;
    skti_here = (struct skti_here){ .mode = SKTI_IN_TASK, .engine = r->number };
    int result = skti_schedule(&r->scheduler, idle, stack_size, fn, arg);
    skti_here = before;
    return result;
}

static int run(void (*fn)(void *arg), void *arg, size_t stack_size, int64_t spin)
{
    struct skti_engine *engine = skti_engine_new();
    struct run *r = engine ? begin(engine) : NULL;
    int code = engine ? ENOMEM : errno;
    if (r) {
        skti_engine_spin(engine, spin);
        skti_overflow_watch();
        code = schedule(r, stack_size, fn, arg) < 0 ? errno : 0;
        skti_overflow_unwatch();
        leave(r);
        end(r);
    }
    if (engine)
        skti_engine_free(engine);
    return code ? skti_fail("run", code) : 0;
}

int skt_run_with(void (*fn)(void *arg), void *arg, const skt_run_options *options)
{
    size_t stack_size = options && options->stack_size ? options->stack_size : STACK_SIZE;
    double spin = options ? options->spin : 0;
    if (!fn)
        return skti_fail_argument("run", EFAULT, "the function is NULL");
    if (skti_in_task())
        return skti_fail_argument("run", EINVAL, "this is a task already: skt_go starts another");
    if (stack_size < LEAST_STACK || stack_size > MOST_STACK)
        return skti_fail_argument("run", EINVAL, "a stack of %zu bytes: at least %d and at most %d", stack_size,
                                  LEAST_STACK, MOST_STACK);
    if (!(spin >= 0 && spin <= 1))
        return skti_fail_argument("run", EINVAL, "spin is %g seconds: 0 to 1", spin);
    return run(fn, arg, stack_size, (int64_t)(spin * 1e9));
}

int skt_run(void (*fn)(void *arg), void *arg)
{
    return skt_run_with(fn, arg, NULL);
}

static bool can_go(const char *call, void (*fn)(void *arg))
{
    if (!fn)
        skti_fail_argument(call, EFAULT, "the function is NULL");
    else if (!skti_in_task())
        skti_fail_argument(call, EPERM, "tasks exist only inside skt_run");
    else
        return true;
    return false;
}

int skti_go(const char *call, void (*fn)(void *arg), void *arg, struct skti_group *group)
{
    if (!can_go(call, fn))
        return -1;
    return skti_spawn(fn, arg, group) ? 0 : skti_fail(call, errno);
}

int skt_go(void (*fn)(void *arg), void *arg)
{
    return skti_go("go", fn, arg, NULL);
}
