/* wait.c - the one place that waits: see wait.h.
 *
 * A call that waits while other threads run puts a waiter into its socket's
 * list and polls an eventfd beside the socket.  skt_close writes to the eventfds of
 * all waiters.  (shutdown(2) would wake them too, but ends the connection for
 * every process that shares it; a signal may be blocked, and is not ours to
 * take.)  Eventfds are kept for the next wait while there are sockets. */
#include "wait.h"
#include "sys.h"
#include <errno.h>
#include <sys/eventfd.h>

#define SECOND 1000000000
#define LOOK_AGAIN (SECOND / 20) /* where no eventfd can be had */
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

int64_t skti_now(void)
{
    struct timespec now;
    skti_sys.clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t skti_deadline(int64_t timeout)
{
    return timeout < 0 ? SKTI_FOREVER : skti_now() + timeout;
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

void skti_wake_waiters(skt *s)
{
    const uint64_t one = 1;
    int keep = errno;
    pthread_mutex_lock(&s->lock);
    for (struct skti_waiter *w = s->waiters; w; w = w->next) {
        w->woken = true;
        while (w->wake_fd >= 0 && skti_sys.write(w->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
    }
    pthread_mutex_unlock(&s->lock);
    errno = keep;
}

/* ---- Waiting ---- */

/* One ppoll until the deadline, or until it is time to look again if nobody can wake us. */
static int poll_once(struct pollfd *fds, unsigned n, int64_t deadline, bool look_again)
{
    int64_t left = deadline == SKTI_FOREVER ? SKTI_FOREVER : deadline - skti_now();
    if (left < 0)
        left = 0;
    if (look_again && left > LOOK_AGAIN)
        left = LOOK_AGAIN;
    struct timespec timeout = { .tv_sec = left / SECOND, .tv_nsec = left % SECOND };
    return skti_sys.ppoll(fds, n, left == SKTI_FOREVER ? NULL : &timeout);
}

/* Polls until one of the first n is ready; fds[n] is the eventfd, or -1. */
static int poll_until(skt *s, bool by_file, struct pollfd *fds, unsigned n, int64_t deadline, bool look_again)
{
    for (;;) {
        if (gone(s, by_file)) {
            errno = EBADF;
            return -1;
        }
        int ready = poll_once(fds, n + 1, deadline, look_again);
        if (ready > 0 && fds[n].revents) {
            drain(fds[n].fd); /* why we were woken is looked at above */
            ready--;
        }
        if (ready > 0 && !gone(s, by_file))
            return ready;
        if (ready < 0 && (errno != EINTR || !skti_interrupted()))
            return -1;
        if (ready == 0 && deadline != SKTI_FOREVER && skti_now() >= deadline && !gone(s, by_file)) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

int skti_wait(skt *s, bool by_file, struct pollfd *fds, unsigned n, int64_t deadline)
{
    struct pollfd all[SKTI_WAIT_MAX + 1];
    struct skti_waiter waiter = { .wake_fd = -1 };
    bool wakeable = s && !skti_alone();
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
