/* wait.c - the one place that waits: see wait.h.
 *
 * A thread's call that waits while other threads run puts a waiter into its socket's
 * list and polls an eventfd beside the socket.  skt_close writes to the eventfds of
 * all waiters.  (shutdown(2) would wake them too, but ends the connection for
 * every process that shares it; a signal may be blocked, and is not ours to
 * take.)  Eventfds are kept for the next wait while there are sockets. */
#include "wait.h"
#include "engine.h"
#include "run.h"
#include "sys.h"
#include "task.h"
#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>

#define LOOK_AGAIN 50000000 /* nanoseconds, where no eventfd can be had */
#define KEPT 16

struct skti_waiter {
    struct skti_waiter *next, **link;
    int wake_fd; /* -1: none could be had */
    bool woken;
};

static struct {
    pthread_mutex_t lock;
    int n, fds[KEPT];
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
    pthread_mutex_t lock;
    int (*hook)(void *arg);
    void *arg;
} interrupt = { .lock = PTHREAD_MUTEX_INITIALIZER };

int64_t skti_deadline(int64_t timeout)
{
    return skti_within_scope(timeout < 0 ? SKTI_FOREVER : skti_now() + timeout);
}

/* ---- The hook for signals ---- */

void skt_on_interrupt(int (*hook)(void *arg), void *arg)
{
    pthread_mutex_lock(&interrupt.lock);
    interrupt.hook = hook;
    interrupt.arg = arg;
    pthread_mutex_unlock(&interrupt.lock);
}

bool skti_interrupted(void)
{
    pthread_mutex_lock(&interrupt.lock);
    int (*hook)(void *) = interrupt.hook;
    void *arg = interrupt.arg;
    pthread_mutex_unlock(&interrupt.lock);
    return !hook || hook(arg) == 0;
}

/* ---- Eventfds ---- */

void skti_set_off(int eventfd)
{
    const uint64_t one = 1;
    while (skti_sys.write(eventfd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static int take_eventfd(void)
{
    pthread_mutex_lock(&kept.lock);
    int fd = kept.n > 0 ? kept.fds[--kept.n] : -1;
    pthread_mutex_unlock(&kept.lock);
    return fd >= 0 ? fd : skti_sys.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void keep_eventfd(int fd)
{
    pthread_mutex_lock(&kept.lock);
    if (kept.n < KEPT) {
        kept.fds[kept.n++] = fd;
        fd = -1;
    }
    pthread_mutex_unlock(&kept.lock);
    if (fd >= 0)
        skti_sys.close(fd);
}

static void close_kept(void)
{
    while (kept.n > 0)
        skti_sys.close(kept.fds[--kept.n]);
}

void skti_wait_idle(void)
{
    pthread_mutex_lock(&kept.lock);
    close_kept();
    pthread_mutex_unlock(&kept.lock);
}

static void lock_kept(void)
{
    pthread_mutex_lock(&kept.lock);
    pthread_mutex_lock(&interrupt.lock);
}

static void unlock_kept(void)
{
    pthread_mutex_unlock(&interrupt.lock);
    pthread_mutex_unlock(&kept.lock);
}

/* An eventfd that two processes share would carry one's wake-ups to the other. */
static void forget_kept(void)
{
    close_kept();
    unlock_kept();
}

__attribute__((constructor)) static void watch_fork(void)
{
    pthread_atfork(lock_kept, unlock_kept, forget_kept);
}

/* ---- Waiters ---- */

static bool gone(const skt *s, bool by_file)
{
    return s && (skti_fd(s) < 0 || (!by_file && (skti_state(s) & SKTI_CLOSED)));
}

static bool drain(int eventfd)
{
    uint64_t count;
    ssize_t n;
    do
        n = skti_sys.read(eventfd, &count, sizeof count);
    while (n < 0 && errno == EINTR);
    return n > 0 || errno == EAGAIN;
}

static void join(struct skti_waiter *w, skt *s)
{
    int keep = errno;
    w->wake_fd = take_eventfd();
    w->woken = false;
    pthread_mutex_lock(&s->lock);
    w->next = s->waiters;
    w->link = &s->waiters;
    if (w->next)
        w->next->link = &w->next;
    s->waiters = w;
    pthread_mutex_unlock(&s->lock);
    errno = keep;
}

static void leave(struct skti_waiter *w, skt *s)
{
    int keep = errno;
    pthread_mutex_lock(&s->lock);
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    pthread_mutex_unlock(&s->lock);
    if (w->wake_fd >= 0) {
        if (!w->woken || drain(w->wake_fd))
            keep_eventfd(w->wake_fd);
        else
            skti_sys.close(w->wake_fd);
    }
    errno = keep;
}

static void wake_threads(skt *s)
{
    pthread_mutex_lock(&s->lock);
    for (struct skti_waiter *w = s->waiters; w; w = w->next) {
        w->woken = true;
        if (w->wake_fd >= 0)
            skti_set_off(w->wake_fd);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- Tasks ---- */

static uint32_t engine_of(const skt *s)
{
    return __atomic_load_n(&s->watch.engine, __ATOMIC_SEQ_CST);
}

static void wake_tasks(skt *s)
{
    skti_wake_all(&s->watch.in, 0);
    skti_wake_all(&s->watch.out, 0);
}

static skt *of_errand(struct skti_errand *errand)
{
    return (skt *)((char *)errand - offsetof(skt, watch.errand));
}

/* On the thread of the engine, which alone may touch the lists. */
static void run_wake(struct skti_errand *errand)
{
    skt *s = of_errand(errand);
    __atomic_store_n(&s->watch.errand_sent, false, __ATOMIC_SEQ_CST);
    if (skti_watched_here(s)) /* not so where skt_run is over, and another thread's may have taken s */
        wake_tasks(s);
    skti_leave(s);
}

static void run_finish(struct skti_errand *errand)
{
    skt *s = of_errand(errand);
    s->watch.finish(s);
}

static void wake_tasks_elsewhere(skt *s, uint32_t engine)
{
    if (__atomic_exchange_n(&s->watch.errand_sent, true, __ATOMIC_SEQ_CST))
        return;
    skti_share(s);
    s->watch.errand.run = run_wake;
    if (skti_reach_engine(engine, &s->watch.errand))
        return;
    __atomic_store_n(&s->watch.errand_sent, false, __ATOMIC_SEQ_CST);
    skti_leave(s);
}

void skti_wake_waiters(skt *s)
{
    int keep = errno;
    uint32_t engine = engine_of(s);
    wake_threads(s);
    if (engine && engine == skti_here.engine)
        wake_tasks(s);
    else if (engine)
        wake_tasks_elsewhere(s, engine);
    errno = keep;
}

void skti_unwatch(skt *s, int fd)
{
    uint32_t engine = engine_of(s);
    if (engine && fd >= 0)
        skti_forget_descriptor(engine, fd);
}

bool skti_let_engine_finish(skt *s, void (*finish)(skt *s))
{
    uint32_t engine = engine_of(s);
    if (!engine || engine == skti_here.engine)
        return false;
    s->watch.finish = finish;
    s->watch.errand.run = run_finish;
    return skti_reach_engine(engine, &s->watch.errand);
}

int skti_checkpoint_here(void)
{
    int code = skti_checkpoint();
    if (code == 0)
        return 0;
    errno = code;
    return -1;
}

void skti_cancel_next(void)
{
    if (skti_in_task())
        skti_cancel_task(skti_scheduler->running);
}

void skti_let_others_run(void)
{
    if (skti_in_task())
        skti_yield();
    else
        sched_yield();
}

/* Whether s is, or becomes, one that this thread's engine watches: it may be another's, that still lives. */
static bool claim(skt *s)
{
    uint32_t owner = 0;
    if (skti_watched_here(s))
        return true;
    if (engine_of(s) && !skti_engine_lives(engine_of(s)))
        owner = engine_of(s);
    if (!__atomic_compare_exchange_n(&s->watch.engine, &owner, skti_here.engine, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return false;
    s->watch.asked = 0;
    s->watch.in.first = s->watch.out.first = NULL; /* after fork(2): the parent's tasks, that are not ours to wake */
    __atomic_store_n(&s->watch.ready, 0, __ATOMIC_RELAXED);
    return true;
}

/* Lets the engine tell when fd is worth a try: most often it does so already. */
static int watch(skt *s, short events, bool again)
{
    if (!again && (s->watch.asked & events) == events)
        return 0;
    return skti_engine_watch(skti_run_engine(), &s->watch, skti_fd(s), events, again);
}

static inline int park_in(skt *s, bool by_file, short events, int64_t deadline, bool false_alarm)
{
    int code = 0;
    for (;;) {
        if (code != ECANCELED && gone(s, by_file)) /* a cancelling happens once: nothing else may be told instead */
            code = EBADF;
        else if (code != ECANCELED && (__atomic_load_n(&s->watch.ready, __ATOMIC_RELAXED) & events))
            return 0;
        else if (code == 0 && watch(s, events, false_alarm || !s->edges) < 0)
            return -1;
        if (code) {
            errno = code;
            return -1;
        }
        if (events & POLLIN)
            code = skti_park(&s->watch.in, (struct skti_reason){ "to receive", s }, deadline, true);
        else
            code = skti_park(&s->watch.out, (struct skti_reason){ "to send", s }, deadline, true);
    }
}

__attribute__((noinline, cold)) static int get_ready_slowly(skt *s, short events, int64_t *deadline)
{
    if (*deadline == 0)
        *deadline = skti_deadline(skti_timeout(s));
    return skti_wait_socket(s, false, events, *deadline, false);
}

/* What a server does most of the time: one task waits, without a deadline, for what the engine tells already. */
static inline bool is_simple_wait(const skt *s, short events)
{
    return events == POLLIN && s->edges && skti_watched_here(s) && (s->watch.asked & POLLIN) && !s->watch.in.first &&
           skti_timeout(s) < 0 && skti_here.mode == SKTI_IN_TASK && !(skti_state(s) & SKTI_CLOSED);
}

int skti_get_ready(skt *s, short events, int flags, int64_t *deadline)
{
    if (skti_here.budget-- <= 0 && skti_checkpoint_here() < 0)
        return -1;
    if (!skti_known_dry(s, events) || (flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB)) || skti_timeout(s) == 0)
        return 0;
    if (is_simple_wait(s, events)) {
        *deadline = SKTI_FOREVER;
        int code = skti_park_alone(&s->watch.in, (struct skti_reason){ "to receive", s });
        if (code) {
            errno = code;
            return -1;
        }
        if ((s->watch.ready & POLLIN) && !(skti_state(s) & SKTI_CLOSED))
            return 0;
    }
    return get_ready_slowly(s, events, deadline);
}

/* ---- Waiting ---- */

static const struct skti_reason for_descriptors = { "for descriptors", NULL }, for_time = { "for time to pass", NULL };

/* One poll until the deadline, or until it is time to look again if nobody can wake us. */
static int poll_once(struct pollfd *fds, unsigned n, int64_t deadline, bool look_again)
{
    int64_t now = deadline == SKTI_FOREVER && !look_again ? 0 : skti_now();
    if (look_again && deadline - now > LOOK_AGAIN)
        deadline = now + LOOK_AGAIN;
    if (skti_in_task()) {
        int ready = skti_engine_poll(skti_run_engine(), fds, n, n ? for_descriptors : for_time, deadline, true);
        return ready < 0 && errno == ETIMEDOUT ? 0 : ready;
    }
    struct timespec timeout = skti_timespec(deadline > now ? deadline - now : 0);
    return skti_sys.ppoll(fds, n, deadline == SKTI_FOREVER ? NULL : &timeout);
}

/* After a signal, if the hook says so.  For tasks the engine has asked it, and their EINTR is its answer. */
static bool goes_on(void)
{
    return errno == EINTR && !skti_in_task() && skti_interrupted();
}

static bool time_is_up(int64_t deadline)
{
    return deadline != SKTI_FOREVER && skti_now() >= deadline;
}

/* Polls until one of the first n is ready; fds[n] is the eventfd, or -1. */
static int poll_until(skt *s, bool by_file, struct pollfd *fds, unsigned n, int64_t deadline, bool look_again)
{
    for (;;) {
        if (gone(s, by_file)) {
            errno = EBADF;
            return -1;
        }
        int ready = poll_once(fds, fds[n].fd < 0 ? n : n + 1, deadline, look_again);
        if (ready > 0 && fds[n].revents) {
            drain(fds[n].fd); /* why we were woken is looked at above */
            ready--;
        }
        if (ready > 0 && !gone(s, by_file))
            return ready;
        if (ready < 0 && !goes_on())
            return -1;
        if (ready == 0 && time_is_up(deadline) && !gone(s, by_file)) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

int skti_wait(skt *s, bool by_file, struct pollfd *fds, unsigned n, int64_t deadline)
{
    struct pollfd all[SKTI_WAIT_MAX + 1];
    struct skti_waiter waiter = { .wake_fd = -1 };
    bool wakeable = s && (!skti_alone() || skti_in_task());
    for (unsigned i = 0; i < n; i++)
        all[i] = fds[i];
    if (wakeable)
        join(&waiter, s);
    all[n] = (struct pollfd){ .fd = waiter.wake_fd, .events = POLLIN };
    int ready = poll_until(s, by_file, all, n, deadline, wakeable && waiter.wake_fd < 0);
    if (wakeable)
        leave(&waiter, s);
    for (unsigned i = 0; i < n; i++)
        fds[i].revents = all[i].revents;
    return ready;
}

int skti_wait_fd(skt *s, bool by_file, int fd, short events, int64_t deadline)
{
    struct pollfd one = { .fd = fd, .events = events };
    return skti_wait(s, by_file, &one, 1, deadline) < 0 ? -1 : 0;
}

/* Urgent data is rare, and waited for as any descriptor is. */
int skti_wait_socket(skt *s, bool by_file, short events, int64_t deadline, bool false_alarm)
{
    skti_set_dry(s, (uint8_t)(skti_dry(s) & ~events)); /* whoever waits looks first, and is told from then on */
    if (skti_in_task() && !(events & POLLPRI) && claim(s)) {
        int result = park_in(s, by_file, events, deadline, false_alarm);
        if (result == 0 || errno != EEXIST)
            return result;
        __atomic_store_n(&s->watch.engine, 0, __ATOMIC_SEQ_CST); /* another skt of the same number is watched */
    }
    return skti_wait_fd(s, by_file, skti_fd(s), events, deadline);
}

int skti_poll(struct pollfd *fds, unsigned n, int64_t deadline)
{
    for (;;) {
        int ready = poll_once(fds, n, deadline, false);
        if (ready > 0 || (ready < 0 && !goes_on()) || (ready == 0 && time_is_up(deadline)))
            return ready;
    }
}

void skti_wait_eventfd(int eventfd)
{
    struct pollfd fd = { .fd = eventfd, .events = POLLIN };
    uint64_t count;
    while (skti_sys.read(eventfd, &count, sizeof count) < 0) {
        int ready = skti_in_task() ? skti_engine_poll(skti_run_engine(), &fd, 1, for_descriptors, SKTI_FOREVER, false)
                                   : skti_sys.ppoll(&fd, 1, NULL);
        if (ready <= 0)
            skti_let_others_run();
    }
}
