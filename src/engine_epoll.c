/* engine_epoll.c - one epoll(7) for the tasks of a thread: see engine.h.
 *
 * What an event carries (epoll_data) says whose it is:
 *
 *     0                         the eventfd by which other threads end the wait
 *     a pointer, even           a socket's watch (memory of sockets is never freed, so a late event is harmless)
 *     slot << 1 | 1, serial     one wait of skti_engine_poll; the serial tells late events
 *
 * A descriptor that such a wait is for may be closed meanwhile, and its number be registered anew for
 * somebody else: so the engine remembers which wait a number is registered for. */
#include "engine.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define EVENTS 256 /* taken at once */

/* One wait for one descriptor. */
struct slot {
    uint32_t serial;
    uint32_t next_free;
    struct skti_task *task; /* NULL: free */
};

struct skti_engine {
    int epoll, wake;
    uint32_t number;
    int64_t spin;
    struct slot *slots;
    uint32_t slot_count, free_slot; /* free_slot: index + 1 */
    uint32_t *holders;              /* by descriptor: the slot + 1 that it is registered for, or 0 */
    uint32_t holder_count;
    struct epoll_event events[EVENTS];
};

static uint32_t numbered;
static bool no_pwait2; /* the kernel does not know it */

/* ---- Making ---- */

struct skti_engine *skti_engine_new(void)
{
    struct epoll_event ours = { .events = EPOLLIN | EPOLLET, .data.u64 = 0 };
    struct skti_engine *e = skti_sys.calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->epoll = skti_sys.epoll_create1(EPOLL_CLOEXEC);
    e->wake = e->epoll < 0 ? -1 : skti_sys.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->wake < 0 || skti_sys.epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->wake, &ours) < 0) {
        int code = errno;
        skti_engine_free(e);
        errno = code;
        return NULL;
    }
    do
        e->number = __atomic_add_fetch(&numbered, 1, __ATOMIC_RELAXED);
    while (e->number == 0);
    return e;
}

void skti_engine_free(struct skti_engine *e)
{
    if (e->wake >= 0)
        skti_sys.close(e->wake);
    if (e->epoll >= 0)
        skti_sys.close(e->epoll);
    skti_sys.free(e->holders);
    skti_sys.free(e->slots);
    skti_sys.free(e);
}

uint32_t skti_engine_number(const struct skti_engine *e)
{
    return e->number;
}

void skti_engine_spin(struct skti_engine *e, int64_t ns)
{
    e->spin = ns;
}

/* ---- Events ---- */

/* EPOLLIN, EPOLLOUT and EPOLLHUP are the same numbers as POLLIN, POLLOUT and POLLHUP. */
static void note_watch(struct skti_watch *w, uint32_t events)
{
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP | EPOLLPRI))
        events |= events & (EPOLLHUP | EPOLLERR) ? POLLIN | POLLOUT | POLLHUP : POLLIN | POLLHUP;
    uint8_t ready = (uint8_t)(w->ready | (events & (POLLIN | POLLOUT | POLLHUP)));
    __atomic_store_n(&w->ready, ready, __ATOMIC_RELAXED);
    if ((ready & POLLIN) && w->in.first)
        skti_wake_all(&w->in, 0);
    if ((ready & POLLOUT) && w->out.first)
        skti_wake_all(&w->out, 0);
}

static void note_slot(struct skti_engine *e, uint64_t data)
{
    uint32_t i = (uint32_t)data >> 1;
    if (i < e->slot_count && e->slots[i].serial == (uint32_t)(data >> 32) && e->slots[i].task)
        skti_wake(e->slots[i].task, 0);
}

/* A socket that was closed while a child that was not made by fork(2) had its file open is registered until that runs
 * another program: its struct may be another engine's meanwhile. */
static bool is_ours(const struct skti_engine *e, const struct skti_watch *w)
{
    return __atomic_load_n(&w->engine, __ATOMIC_RELAXED) == e->number;
}

/* The eventfd is registered for edges too: its count need not be read. */
static void note(struct skti_engine *e, const struct epoll_event *event)
{
    if (event->data.u64 & 1)
        note_slot(e, event->data.u64);
    else if (event->data.ptr && is_ours(e, event->data.ptr))
        note_watch(event->data.ptr, event->events);
}

/* Milliseconds, rounded up so as not to wake before the time and come back. */
static int milliseconds(const struct timespec *t)
{
    if (!t)
        return -1;
    int64_t ms = (int64_t)t->tv_sec * 1000 + (t->tv_nsec + 999999) / 1000000;
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

static int wait_once(struct skti_engine *e, const struct timespec *timeout)
{
    int n = -1;
    errno = ENOSYS;
    if (!__atomic_load_n(&no_pwait2, __ATOMIC_RELAXED))
        n = skti_sys.epoll_pwait2(e->epoll, e->events, EVENTS, timeout);
    if (n >= 0 || errno != ENOSYS)
        return n;
    __atomic_store_n(&no_pwait2, true, __ATOMIC_RELAXED);
    return skti_sys.epoll_wait(e->epoll, e->events, EVENTS, milliseconds(timeout));
}

/* Looks again and again for a moment: whoever is asleep needs longer to wake up than the answer takes. */
static int spin(struct skti_engine *e, int64_t until)
{
    static const struct timespec none;
    int64_t now = skti_now(), end = now + e->spin < until ? now + e->spin : until;
    int n = 0;
    while (n == 0 && now < end) {
        n = wait_once(e, &none);
        now = skti_now();
    }
    return n;
}

void skti_engine_wait(struct skti_engine *e, int64_t until)
{
    int n = until != 0 && e->spin ? spin(e, until) : 0;
    if (n == 0) {
        int64_t left = until == 0 || until == SKTI_FOREVER ? until : until - skti_now();
        struct timespec timeout = skti_timespec(left > 0 ? left : 0);
        n = wait_once(e, until == SKTI_FOREVER ? NULL : &timeout);
    }
    if (n < 0 && errno == EINTR && !skti_interrupted())
        skti_interrupt_tasks();
    for (int i = 0; i < n; i++)
        note(e, &e->events[i]);
}

void skti_engine_kick(struct skti_engine *e)
{
    skti_set_off(e->wake);
}

/* ---- Sockets ---- */

/* A wait of skti_engine_poll no longer has the descriptor: it is another one by now, or a socket's that is to be
 * watched for good, and then that wait goes on in another way (park_for_all). */
static void take_from_slot(struct skti_engine *e, int fd, bool in_use)
{
    if ((uint32_t)fd >= e->holder_count || !e->holders[fd])
        return;
    if (in_use)
        skti_wake(e->slots[e->holders[fd] - 1].task, EEXIST);
    e->holders[fd] = 0;
}

int skti_engine_watch(struct skti_engine *e, struct skti_watch *w, int fd, short events, bool again)
{
    short wanted = (short)(w->asked | (events & (POLLIN | POLLOUT)));
    if (wanted == w->asked && !again)
        return 0;
    struct epoll_event event = { .events = EPOLLET | (wanted & POLLIN ? EPOLLIN | EPOLLRDHUP | EPOLLPRI : 0u) |
                                           (wanted & POLLOUT ? (uint32_t)EPOLLOUT : 0u),
                                 .data.ptr = w };
    int result = skti_sys.epoll_ctl(e->epoll, w->asked ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    bool in_use = result < 0 && errno == EEXIST && (uint32_t)fd < e->holder_count && e->holders[fd];
    if (in_use)
        result = skti_sys.epoll_ctl(e->epoll, EPOLL_CTL_MOD, fd, &event);
    if (result < 0)
        return -1;
    if (!w->asked)
        take_from_slot(e, fd, in_use);
    w->asked = (uint8_t)wanted;
    return 0;
}

void skti_engine_forget(struct skti_engine *e, int fd)
{
    struct epoll_event none = { 0 };
    int keep = errno;
    skti_sys.epoll_ctl(e->epoll, EPOLL_CTL_DEL, fd, &none);
    errno = keep;
}

/* ---- Any descriptors, for one wait ---- */

static bool add_slots(struct skti_engine *e)
{
    uint32_t count = e->slot_count ? e->slot_count * 2 : 16;
    struct slot *slots = skti_sys.realloc(e->slots, count * sizeof *slots);
    if (!slots)
        return false;
    e->slots = slots;
    for (uint32_t i = e->slot_count; i < count; i++) {
        slots[i] = (struct slot){ .next_free = e->free_slot };
        e->free_slot = i + 1;
    }
    e->slot_count = count;
    return true;
}

/* A slot's index + 1; 0: no memory. */
static uint32_t take_slot(struct skti_engine *e)
{
    if (!e->free_slot && !add_slots(e))
        return 0;
    uint32_t taken = e->free_slot;
    struct slot *slot = &e->slots[taken - 1];
    e->free_slot = slot->next_free;
    slot->task = skti_scheduler->running;
    slot->serial++;
    return taken;
}

static void give_slot(struct skti_engine *e, uint32_t taken)
{
    e->slots[taken - 1].task = NULL;
    e->slots[taken - 1].next_free = e->free_slot;
    e->free_slot = taken;
}

/* Makes room for fd in holders. */
static bool reach_holder(struct skti_engine *e, uint32_t fd)
{
    uint32_t count = e->holder_count ? e->holder_count : 64;
    if (fd < e->holder_count)
        return true;
    while (count <= fd)
        count *= 2;
    uint32_t *holders = skti_sys.realloc(e->holders, count * sizeof *holders);
    if (!holders)
        return false;
    memset(holders + e->holder_count, 0, (count - e->holder_count) * sizeof *holders);
    e->holders = holders;
    e->holder_count = count;
    return true;
}

/* Registers fd for one event: its slot, or 0 with errno. */
static uint32_t ask_once(struct skti_engine *e, int fd, short events)
{
    uint32_t taken = reach_holder(e, (uint32_t)fd) ? take_slot(e) : 0;
    if (!taken) {
        errno = ENOMEM;
        return 0;
    }
    struct epoll_event event = { .events = (uint16_t)events | (uint32_t)EPOLLONESHOT };
    event.data.u64 = (uint64_t)e->slots[taken - 1].serial << 32 | (uint64_t)(taken - 1) << 1 | 1;
    if (skti_sys.epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
        e->holders[fd] = taken;
        return taken;
    }
    give_slot(e, taken);
    return 0;
}

/* Parks until fd is ready: 0 or an errno; EEXIST: this engine has it already. */
static int park_for(struct skti_engine *e, int fd, short events, struct skti_reason reason, int64_t until,
                    bool cancellable)
{
    uint32_t slot = ask_once(e, fd, events);
    if (!slot)
        return errno;
    int code = skti_park(NULL, reason, until, cancellable);
    if (e->holders[fd] == slot) {
        e->holders[fd] = 0;
        skti_engine_forget(e, fd);
    }
    give_slot(e, slot);
    return code;
}

/* The same descriptor may stand in the list more than once. */
static uint32_t all_events(const struct pollfd *fds, unsigned n, int fd)
{
    uint32_t events = 0;
    for (unsigned i = 0; i < n; i++)
        if (fds[i].fd == fd)
            events |= (uint16_t)fds[i].events;
    return events;
}

static int add_inside(int inner, const struct pollfd *fds, unsigned n, const struct pollfd *fd)
{
    struct epoll_event event = { .events = (uint16_t)fd->events };
    int result = skti_sys.epoll_ctl(inner, EPOLL_CTL_ADD, fd->fd, &event);
    if (result == 0 || errno != EEXIST)
        return result;
    event.events = all_events(fds, n, fd->fd);
    return skti_sys.epoll_ctl(inner, EPOLL_CTL_MOD, fd->fd, &event);
}

/* Several descriptors, or one that this engine has already (a socket's, or another task waits for it, and
 * none is registered twice): such a wait gets an epoll of its own, which is a descriptor like any other.
 * (EPERM: a plain file, which is ready for everything but what was asked for.) */
static int park_nested(struct skti_engine *e, const struct pollfd *fds, unsigned n, struct skti_reason reason,
                       int64_t until, bool cancellable)
{
    int code = 0, inner = skti_sys.epoll_create1(EPOLL_CLOEXEC);
    if (inner < 0)
        return errno;
    for (unsigned i = 0; i < n && code == 0; i++)
        if (fds[i].fd >= 0 && add_inside(inner, fds, n, &fds[i]) < 0 && errno != EPERM)
            code = errno;
    if (code == 0)
        code = park_for(e, inner, POLLIN, reason, until, cancellable);
    skti_sys.close(inner);
    return code;
}

static int park_for_all(struct skti_engine *e, const struct pollfd *fds, unsigned n, struct skti_reason reason,
                        int64_t until, bool cancellable)
{
    if (n == 0)
        return skti_park(NULL, reason, until, cancellable);
    int code = n == 1 && fds->fd >= 0 ? park_for(e, fds->fd, fds->events, reason, until, cancellable) : EEXIST;
    return code == EEXIST || code == EPERM ? park_nested(e, fds, n, reason, until, cancellable) : code;
}

/* How many are ready now.  poll(2) knows what epoll does not take, plain files for instance, which always are. */
static int look(struct pollfd *fds, unsigned n)
{
    static const struct timespec none;
    int ready = 0;
    if (n == 0)
        return 0;
    do
        ready = skti_sys.ppoll(fds, n, &none);
    while (ready < 0 && errno == EINTR);
    return ready;
}

int skti_engine_poll(struct skti_engine *e, struct pollfd *fds, unsigned n, struct skti_reason reason, int64_t until,
                     bool cancellable)
{
    int ready = look(fds, n);
    if (ready != 0)
        return ready;
    int code = park_for_all(e, fds, n, reason, until, cancellable);
    if (code == 0 || code == ETIMEDOUT)
        ready = look(fds, n);
    if (ready != 0 || code == 0)
        return ready;
    errno = code;
    return -1;
}
