/* object.c - the life of an skt: its struct from the pool, its shares, its mode. */
#include "object.h"
#include "error.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CHUNK 64 /* structs allocated at a time */

/* A chunk is never freed; the list of them is for leak checkers, to which pointers into
 * the middle of a block are doubtful. */
struct chunk {
    struct chunk *next;
    char room[CHUNK * sizeof(skt) + _Alignof(skt)]; /* calloc aligns to less than an skt wants */
};

/* Structs that are not in use, the one that has been free for longest first. */
static struct {
    pthread_mutex_t lock;
    skt *first, **last;
    size_t in_use;
    struct chunk *chunks;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .last = &pool.first };

static bool forked; /* once, at least (atomic) */

static void lock_pool(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void unlock_pool(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* A child of fork finds the pool whole, whatever other threads were doing; and the two share all open files. */
static void prepare_fork(void)
{
    lock_pool();
    __atomic_store_n(&forked, true, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void watch_fork(void)
{
    pthread_atfork(prepare_fork, unlock_pool, unlock_pool);
}

/* What one thread does needs no lock; no other begins meanwhile. */
static bool lock_if_shared(void)
{
    bool shared = !skti_alone();
    if (shared)
        lock_pool();
    return shared;
}

static void append(skt *s)
{
    s->next = NULL;
    *pool.last = s;
    pool.last = &s->next;
}

static bool grow(void)
{
    struct chunk *chunk = skti_sys.calloc(1, sizeof *chunk);
    if (!chunk)
        return false;
    chunk->next = pool.chunks;
    pool.chunks = chunk;
    skt *sockets = (skt *)(((uintptr_t)chunk->room + _Alignof(skt) - 1) & ~(uintptr_t)(_Alignof(skt) - 1));
    for (skt *s = sockets; s < sockets + CHUNK; s++) {
        s->state = SKTI_CLOSED | SKTI_FREE;
        pthread_mutex_init(&s->lock, NULL);
        append(s);
    }
    return true;
}

static skt *take(void)
{
    skt *s = NULL;
    bool shared = lock_if_shared();
    if (pool.first || grow()) {
        s = pool.first;
        pool.first = s->next;
        if (!pool.first)
            pool.last = &pool.first;
        pool.in_use++;
    }
    if (shared)
        unlock_pool();
    return s;
}

static void give_back(skt *s)
{
    s->watch = (struct skti_watch){ 0 };
    bool shared = lock_if_shared();
    append(s);
    bool idle = --pool.in_use == 0;
    if (shared)
        unlock_pool();
    if (idle)
        skti_wait_idle();
}

static bool is_ip(int family, int type, int proto, int wanted_type, int wanted_proto)
{
    return (family == AF_INET || family == AF_INET6) && type == wanted_type && (proto == 0 || proto == wanted_proto);
}

skt *skti_new(const char *call, int fd, int family, int type, int proto)
{
    skt *s = take();
    if (!s) {
        skti_fail(call, ENOMEM);
        return NULL;
    }
    s->family = family;
    s->type = type;
    s->proto = proto;
    s->owner = NULL;
    /* Not every family takes flags that mean nothing to it: AF_RDS refuses MSG_NOSIGNAL (and never raises
     * SIGPIPE); AF_PACKET, CAN_J1939 and CAN_ISOTP refuse MSG_CMSG_CLOEXEC (descriptors travel over AF_UNIX only). */
    s->nosignal = family == AF_RDS ? 0 : MSG_NOSIGNAL;
    s->refuses_cloexec = family != AF_UNIX;
    s->no_gso = s->stays_nonblocking = s->mode_is_shared = s->mode_is_unknown = s->file_is_shared = false;
    s->short_drains = is_ip(family, type, proto, SOCK_STREAM, IPPROTO_TCP);
    s->edges = s->short_drains || is_ip(family, type, proto, SOCK_DGRAM, IPPROTO_UDP) ||
               (family == AF_UNIX && type == SOCK_STREAM);
    s->peer_len = 0;
    s->borrowers = s->files = 0;
    s->backlog = 0;
    s->handover = NULL;
    s->waiters = NULL;
    __atomic_store_n(&s->fd, fd, __ATOMIC_RELAXED);
    __atomic_store_n(&s->timeout, -1, __ATOMIC_RELAXED);
    if (skti_alone())
        s->state = 1;
    else /* not a store: a call on the handle's earlier life may be looking in just now */
        __atomic_fetch_sub(&s->state, (SKTI_CLOSED | SKTI_FREE) - 1, __ATOMIC_RELEASE);
    return s;
}

void skti_drop(skt *s)
{
    __atomic_fetch_or(&s->state, SKTI_CLOSED, __ATOMIC_ACQ_REL);
    skti_leave(s);
}

__attribute__((cold)) void skti_refuse(skt *s, const char *call)
{
    if (!s)
        return;
    skti_leave(s);
    skti_fail(call, EBADF);
    skti_record_detail("the socket is closed");
}

/* epoll(7) forgets a descriptor by itself when the last that stands for the same file is closed. */
static void unwatch(skt *s)
{
    if (__atomic_load_n(&s->file_is_shared, __ATOMIC_RELAXED) || __atomic_load_n(&forked, __ATOMIC_RELAXED))
        skti_unwatch(s, skti_fd(s));
}

int skti_last_out(skt *s)
{
    /* Somebody may look in and leave again at this moment, and come here too. */
    uint32_t expected = SKTI_CLOSED;
    if (!__atomic_compare_exchange_n(&s->state, &expected, SKTI_CLOSED | SKTI_FREE, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return 0;
    int keep = errno, code = 0;
    skti_handover_free(s->handover);
    unwatch(s);
    if (skti_fd(s) >= 0 && skti_sys.close(skti_fd(s)) < 0)
        code = errno;
    if (!skti_let_engine_finish(s, give_back))
        give_back(s);
    errno = keep;
    return code;
}

void skti_share_file(skt *s)
{
    skti_distrust_short(s);
    __atomic_store_n(&s->file_is_shared, true, __ATOMIC_RELAXED);
}

void skti_remember_peer(skt *s, const struct sockaddr *sa, socklen_t len)
{
    if ((sa->sa_family != AF_INET && sa->sa_family != AF_INET6) || len > sizeof s->peer)
        return;
    pthread_mutex_lock(&s->lock);
    memcpy(&s->peer, sa, len);
    s->peer_len = (uint8_t)len;
    pthread_mutex_unlock(&s->lock);
}

/* With the lock held: nobody sets the timeout meanwhile. */
static int64_t settle(skt *s)
{
    if (__atomic_load_n(&s->mode_is_unknown, __ATOMIC_RELAXED)) {
        int keep = errno, flags = skti_sys.get_file_flags(skti_fd(s));
        errno = keep;
        if (flags >= 0 && (flags & O_NONBLOCK))
            __atomic_store_n(&s->timeout, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&s->mode_is_unknown, false, __ATOMIC_RELEASE); /* who sees it sees the timeout too */
    }
    return skti_timeout(s);
}

int64_t skti_settled_timeout(skt *s)
{
    if (!__atomic_load_n(&s->mode_is_unknown, __ATOMIC_ACQUIRE))
        return skti_timeout(s);
    pthread_mutex_lock(&s->lock);
    int64_t timeout = settle(s);
    pthread_mutex_unlock(&s->lock);
    return timeout;
}

/* With the lock held. */
static int borrow(skt *s)
{
    if (s->borrowers == 0 && settle(s) < 0 && skti_sys.set_nonblocking(skti_fd(s), true) < 0)
        return -1;
    s->borrowers++;
    return 0;
}

int skti_borrow_nonblocking(skt *s)
{
    pthread_mutex_lock(&s->lock);
    int result = borrow(s);
    pthread_mutex_unlock(&s->lock);
    return result;
}

void skti_return_nonblocking(skt *s)
{
    int keep = errno;
    pthread_mutex_lock(&s->lock);
    if (--s->borrowers == 0 && skti_timeout(s) < 0 && skti_sys.set_nonblocking(skti_fd(s), false) < 0)
        __atomic_store_n(&s->stays_nonblocking, true, __ATOMIC_RELAXED); /* skt_detach, which has the number, is to */
    pthread_mutex_unlock(&s->lock);
    errno = keep;
}

int skti_keep_nonblocking(skt *s)
{
    int result = 0;
    if (skti_stays_nonblocking(s))
        return 0;
    pthread_mutex_lock(&s->lock);
    if (!s->stays_nonblocking && (result = borrow(s)) == 0)
        __atomic_store_n(&s->stays_nonblocking, true, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->lock);
    return result;
}

void skti_fit_mode(skt *s, int fd)
{
    if (!skti_stays_nonblocking(s))
        return;
    pthread_mutex_lock(&s->lock);
    if (!s->mode_is_shared && skti_timeout(s) < 0)
        skti_sys.set_nonblocking(fd, false);
    pthread_mutex_unlock(&s->lock);
}

void skti_stay_nonblocking(skt *s)
{
    pthread_mutex_lock(&s->lock);
    s->borrowers++;
    s->mode_is_shared = true;
    __atomic_store_n(&s->stays_nonblocking, true, __ATOMIC_RELAXED);
    __atomic_store_n(&s->timeout, -1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->lock);
}

int skti_set_timeout(skt *s, int64_t ns)
{
    int result = 0;
    pthread_mutex_lock(&s->lock);
    if (s->borrowers == 0) /* whatever it was: others may have changed it, by another descriptor */
        result = skti_sys.set_nonblocking(skti_fd(s), ns >= 0);
    if (result == 0) {
        __atomic_store_n(&s->timeout, ns, __ATOMIC_RELAXED);
        __atomic_store_n(&s->mode_is_unknown, false, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}
