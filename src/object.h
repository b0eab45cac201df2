/* object.h - what an skt is, and how many may hold one at a time.
 *
 * state is one word, so that entering and leaving a call is one atomic
 * addition each:
 *
 *     31      30     29      0
 *    +------+------+----------+
 *    |CLOSED| FREE |  users   |
 *    +------+------+----------+
 *
 * users counts the handle itself (until skt_close or skt_detach), each FILE of
 * skt_makefile and each call that is inside.  Who takes users to 0 closes the
 * descriptor and puts the struct into the pool (FREE).  So a call that has
 * loaded the descriptor's number never uses it after somebody else was given
 * the same number.  Structs are never handed back to malloc: a call on a
 * closed handle finds CLOSED and fails with EBADF.  The pool gives out the one
 * that has been free for longest. */
#ifndef SKTI_OBJECT_H
#define SKTI_OBJECT_H

#include "watch.h"
#include <pthread.h>
#include <skt.h>
#include <stdbool.h>
#include <stdint.h>
#ifdef __GLIBC__
#include <sys/single_threaded.h>
#endif

#define SKTI_CLOSED 0x80000000u
#define SKTI_FREE 0x40000000u
#define SKTI_USERS 0x3fffffffu

struct skti_waiter;

/* What skt_recv needs in a task is in the first 64 bytes, one line of the cache. */
struct skt {
    /* The first six in CPython's order, so that its socket objects can hold one. */
    int fd; /* -1 once detached */
    int family, type, proto;
    void *owner;     /* whoever embeds the struct; of a connection of skt_serve: the thread's part */
    int64_t timeout; /* nanoseconds for each call; 0: non-blocking; -1: none */

    uint32_t state;
    bool edges;              /* epoll's edges tell all there is to know (wait.c) */
    bool short_drains;       /* a recv that gives less than asked for has taken all there was (atomic) */
    uint16_t nosignal;       /* MSG_NOSIGNAL, or 0 where the family refuses it */
    struct skti_watch watch; /* tasks that wait */

    bool refuses_cloexec;           /* the family takes no MSG_CMSG_CLOEXEC */
    bool stays_nonblocking;         /* O_NONBLOCK is borrowed for good (atomic) */
    bool mode_is_shared;            /* it is for others too, who have this socket by another descriptor */
    bool no_gso;                    /* UDP_SEGMENT was refused once: do not ask again (atomic) */
    bool file_is_shared;            /* what fd stands for may stay open when fd is closed (atomic) */
    bool mode_is_unknown;           /* adopted without a timeout: the descriptor may be non-blocking (atomic) */
    uint8_t peer_len;               /* bytes of peer, 0: not known */
    struct sockaddr_in6 peer;       /* who was connected, for sentences; or a sockaddr_in */
    pthread_mutex_t lock;           /* guards what follows, and changes of timeout */
    unsigned borrowers;             /* calls that need O_NONBLOCK though there is no timeout */
    unsigned files;                 /* FILEs that share it */
    struct skti_waiter *waiters;    /* calls that wait, to be woken by skt_close (wait.c) */
    struct skti_handover *handover; /* of a server: handover.c's, or NULL */
    struct skt *next;               /* in the pool */
    int backlog;                    /* of listen(2), for more listeners like it (serve.c) */
} __attribute__((aligned(64)));

/* Of the flags that a call adds those that the family takes: MSG_NOSIGNAL and MSG_CMSG_CLOEXEC mean nothing to some,
 * and then they refuse them. */
static inline int skti_taken(const skt *s, int flags)
{
    if (flags & MSG_NOSIGNAL)
        flags = (flags & ~MSG_NOSIGNAL) | s->nosignal;
    return flags & ~(s->refuses_cloexec ? MSG_CMSG_CLOEXEC : 0);
}

/* A new struct for fd, without a timeout; NULL: no memory (reported for call). */
skt *skti_new(const char *call, int fd, int family, int type, int proto);

/* What a server has for its next process (handover.c), freed with it. */
struct skti_handover;
void skti_handover_free(struct skti_handover *handover);

/* The way out of a half-made socket: closes fd and frees s, keeping errno and
 * the record. */
void skti_drop(skt *s);

/* Begins a call.  false: s is NULL (nothing is set) or closed (EBADF is). */
void skti_refuse(skt *s, const char *call);
static inline bool skti_enter(skt *s, const char *call)
{
    if (s && !(__atomic_fetch_add(&s->state, 1, __ATOMIC_ACQUIRE) & SKTI_CLOSED))
        return true;
    skti_refuse(s, call);
    return false;
}

/* Gives up a share that was the last: closes.  0 or close(2)'s errno; errno itself is kept. */
int skti_last_out(skt *s);

/* Ends a call, or gives up a FILE's or the handle's share; the same result. */
static inline int skti_leave(skt *s)
{
    if ((__atomic_sub_fetch(&s->state, 1, __ATOMIC_ACQ_REL) & SKTI_USERS) == 0)
        return skti_last_out(s);
    return 0;
}

/* skti_enter and skti_leave again, for calls whose cost in a task is counted: an atomic addition takes twenty
 * cycles, and is not needed in a program of one thread. */
#ifdef __GLIBC__
static inline bool skti_enter_here(skt *s, const char *call)
{
    if (!__libc_single_threaded || !s)
        return skti_enter(s, call);
    if (!(s->state++ & SKTI_CLOSED))
        return true;
    skti_refuse(s, call);
    return false;
}

static inline int skti_leave_here(skt *s)
{
    if (!__libc_single_threaded)
        return skti_leave(s);
    return (--s->state & SKTI_USERS) == 0 ? skti_last_out(s) : 0;
}
#else
#define skti_enter_here skti_enter
#define skti_leave_here skti_leave
#endif

/* One more share, for a caller who has one. */
static inline void skti_share(skt *s)
{
    __atomic_fetch_add(&s->state, 1, __ATOMIC_RELAXED);
}

static inline bool skti_short_drains(const skt *s)
{
    return __atomic_load_n(&s->short_drains, __ATOMIC_RELAXED);
}

static inline uint32_t skti_state(const skt *s)
{
    return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
}

static inline int skti_fd(const skt *s)
{
    return __atomic_load_n(&s->fd, __ATOMIC_RELAXED);
}

static inline int64_t skti_timeout(const skt *s)
{
    return __atomic_load_n(&s->timeout, __ATOMIC_RELAXED);
}

/* The timeout, for who is about to wait or to tell it: asks for the mode of a descriptor that was adopted, if nobody
 * has yet.  (Most that are adopted are read first, and tell by that they have data.) */
int64_t skti_settled_timeout(skt *s);

/* A short count tells nothing of this socket any more. */
static inline void skti_distrust_short(skt *s)
{
    __atomic_store_n(&s->short_drains, false, __ATOMIC_RELAXED);
    __atomic_store_n(&s->watch.dry, 0, __ATOMIC_RELAXED);
}

/* Others have the number or a copy of it from now on: they may do anything with it, kTLS for instance, and keep the
 * file open. */
void skti_share_file(skt *s);

/* Remembers whom s is connected to. */
void skti_remember_peer(skt *s, const struct sockaddr *sa, socklen_t len);

/* For calls without a non-blocking form: while at least one is under way, the
 * descriptor is non-blocking whatever the timeout.  0 or -1 with errno. */
int skti_borrow_nonblocking(skt *s);
void skti_return_nonblocking(skt *s);

/* A task's accept borrows it for good, at the cost of one system call instead of two each time. */
int skti_keep_nonblocking(skt *s);

static inline bool skti_stays_nonblocking(const skt *s)
{
    return __atomic_load_n(&s->stays_nonblocking, __ATOMIC_RELAXED);
}

/* fd, which s had, is handed back: in the mode that its timeout stands for. */
void skti_fit_mode(skt *s, int fd);

/* A descriptor whose other users need O_NONBLOCK: s has no timeout, and leaves the mode as it is. */
void skti_stay_nonblocking(skt *s);

/* Sets the timeout, and O_NONBLOCK to fit.  0 or -1 with errno. */
int skti_set_timeout(skt *s, int64_t ns);

#endif
