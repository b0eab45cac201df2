/* io.c - tries an operation, waits, and tries again: see io.h. */
#include "io.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>

#define MILLISECOND 1000000
#define likely(x) __builtin_expect(!!(x), 1)

/* ---- One try each ---- */

static ssize_t try_recv(int fd, struct skti_op *op)
{
    return skti_sys.recv(fd, op->buf, op->len, op->sys_flags);
}

static ssize_t try_recvfrom(int fd, struct skti_op *op)
{
    socklen_t room = op->salen;
    ssize_t n = skti_sys.recvfrom(fd, op->buf, op->len, op->sys_flags, op->sa, op->sa ? &room : NULL);
    if (n >= 0)
        op->salen = room;
    return n;
}

static ssize_t try_recvmsg(int fd, struct skti_op *op)
{
    return skti_sys.recvmsg(fd, op->msg, op->sys_flags);
}

static ssize_t try_recvmmsg(int fd, struct skti_op *op)
{
    return skti_sys.recvmmsg(fd, op->mmsg, (unsigned)op->len, op->sys_flags);
}

static ssize_t try_send(int fd, struct skti_op *op)
{
    return skti_sys.send(fd, op->buf, op->len, op->sys_flags);
}

static ssize_t try_sendto(int fd, struct skti_op *op)
{
    return skti_sys.sendto(fd, op->buf, op->len, op->sys_flags, op->sa, op->salen);
}

static ssize_t try_sendmsg(int fd, struct skti_op *op)
{
    return skti_sys.sendmsg(fd, op->msg, op->sys_flags);
}

static ssize_t try_sendmmsg(int fd, struct skti_op *op)
{
    return skti_sys.sendmmsg(fd, op->mmsg, (unsigned)op->len, op->sys_flags);
}

static ssize_t try_sendfile(int fd, struct skti_op *op)
{
    return skti_sys.sendfile(fd, op->fd, &op->offset, op->len);
}

static ssize_t try_recv_pipe(int fd, struct skti_op *op)
{
    return skti_sys.splice(fd, op->fd, op->len);
}

static ssize_t try_send_pipe(int fd, struct skti_op *op)
{
    return skti_sys.splice(op->fd, fd, op->len);
}

static ssize_t try_accept(int fd, struct skti_op *op)
{
    socklen_t room = op->salen;
    int new_fd = skti_sys.accept4(fd, op->sa, op->sa ? &room : NULL, SOCK_CLOEXEC);
    if (new_fd >= 0)
        op->salen = room;
    return new_fd;
}

/* (sendmmsg never lets the kernel wait: its short count would not tell a signal from a datagram that
 * cannot be sent.) */
static const struct {
    ssize_t (*attempt)(int fd, struct skti_op *op);
    short events;  /* what to wait for */
    bool flagless; /* no MSG_DONTWAIT: the descriptor has to be non-blocking */
    bool whole;    /* where the kernel waits it takes all, unless something ends the wait */
    int flags;     /* added, if the family takes them */
    bool for_good; /* flagless: made often on one socket, so that it stays non-blocking after a task's first */
} calls[] = {
    [SKTI_RECV] = { try_recv, POLLIN, false, false, 0, false },
    [SKTI_RECVFROM] = { try_recvfrom, POLLIN, false, false, 0, false },
    [SKTI_RECVMSG] = { try_recvmsg, POLLIN, false, false, MSG_CMSG_CLOEXEC, false },
    [SKTI_RECVMMSG] = { try_recvmmsg, POLLIN, false, false, MSG_CMSG_CLOEXEC, false },
    [SKTI_SEND] = { try_send, POLLOUT, false, true, MSG_NOSIGNAL, false },
    [SKTI_SENDTO] = { try_sendto, POLLOUT, false, false, MSG_NOSIGNAL, false },
    [SKTI_SENDMSG] = { try_sendmsg, POLLOUT, false, false, MSG_NOSIGNAL, false },
    [SKTI_SENDMMSG] = { try_sendmmsg, POLLOUT, false, false, MSG_NOSIGNAL | MSG_DONTWAIT, false },
    [SKTI_SENDFILE] = { try_sendfile, POLLOUT, true, true, 0, false },
    [SKTI_ACCEPT] = { try_accept, POLLIN, true, false, 0, true },
    [SKTI_RECV_PIPE] = { try_recv_pipe, POLLIN, true, false, 0, true },
    [SKTI_SEND_PIPE] = { try_send_pipe, POLLOUT, true, false, 0, true },
};

/* ---- Trying again ---- */

/* One try, and whether the kernel's wait was cut short in it. */
static ssize_t attempt(skt *s, struct skti_op *op)
{
    ssize_t n = calls[op->call].attempt(skti_fd(s), op);
    op->cut = calls[op->call].whole && n >= 0 && (size_t)n < op->len && !(op->sys_flags & MSG_DONTWAIT);
    return n;
}

/* The kernel's wait was cut short after a part: by an error, of which the next try tells, or else by a
 * signal, after which the hook has to be asked here: the next try would wait again. */
static bool goes_on(skt *s, struct skti_op *op)
{
    struct pollfd fd = { .fd = skti_fd(s), .events = POLLOUT };
    op->cut = false;
    if (skti_sys.ppoll(&fd, 1, &(struct timespec){ 0 }) > 0 && (fd.revents & (POLLERR | POLLHUP)))
        return true;
    return skti_interrupted();
}

/* EAGAIN is the answer where the caller asked for it, where the kernel has done the
 * waiting (SO_RCVTIMEO), and for the error queue, for which no call waits.  (The kernel does not wait where a task has
 * borrowed O_NONBLOCK for good.) */
static bool may_wait(skt *s, const struct skti_op *op, int64_t timeout, bool kernel_waits)
{
    kernel_waits &= !skti_stays_nonblocking(s);
    return timeout != 0 && !kernel_waits && !(op->flags & (MSG_DONTWAIT | MSG_ERRQUEUE));
}

/* (That the error queue is empty tells nothing of the data.) */
static short events_of(const struct skti_op *op)
{
    if (calls[op->call].events == POLLOUT)
        return POLLOUT;
    return op->flags & MSG_ERRQUEUE ? 0 : op->flags & MSG_OOB ? POLLPRI : POLLIN;
}

/* Waits for the round-th time.  What poll(2) calls ready may not be: an
 * unconnected AF_UNIX datagram socket whose target's queue is full, or a listener
 * that another thread was faster at.  So the deadline is looked at here too, and
 * who sends sleeps from the third time on, 1 to 16 ms, so as not to spin. */
static int wait_for(skt *s, struct skti_op *op, unsigned round)
{
    short events = events_of(op);
    if (round > 1 && op->deadline != SKTI_FOREVER && skti_now() >= op->deadline) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (round > 2 && events == POLLOUT) {
        int64_t pause = skti_now() + ((int64_t)MILLISECOND << (round < 7 ? round - 3 : 4));
        bool last = pause >= op->deadline;
        if (skti_wait(s, op->by_file, NULL, 0, last ? op->deadline : pause) < 0 && (last || errno != ETIMEDOUT))
            return -1;
    }
    return skti_wait_socket(s, op->by_file, events, op->deadline, round > 1);
}

/* Linux says EAGAIN for ever, and not EINVAL as of others, where a non-blocking AF_UNIX listener was shut down. */
static bool was_shut_down(skt *s, const struct skti_op *op)
{
    struct pollfd fd = { .fd = skti_fd(s), .events = POLLRDHUP };
    if (op->call != SKTI_ACCEPT || s->family != AF_UNIX)
        return false;
    int ready = skti_sys.ppoll(&fd, 1, &(struct timespec){ 0 });
    errno = ready > 0 ? EINVAL : EAGAIN;
    return ready > 0;
}

/* A full pipe, or an empty one, is the caller's to see to: nobody waits for it here. */
static bool is_for_pipe(const struct skti_op *op)
{
    struct pollfd fd = { .fd = op->fd, .events = op->call == SKTI_RECV_PIPE ? POLLOUT : POLLIN };
    if (op->call != SKTI_RECV_PIPE && op->call != SKTI_SEND_PIPE)
        return false;
    bool why = skti_sys.ppoll(&fd, 1, &(struct timespec){ 0 }) == 0;
    errno = op->fd < 0 ? EBADF : EAGAIN; /* poll(2) passes over what is below 0 */
    return why;
}

/* A try has failed, with errno. */
static ssize_t try_again(skt *s, struct skti_op *op, bool kernel_waits, skti_blame *blame)
{
    int64_t timeout = skti_settled_timeout(s);
    if (op->deadline == 0)
        op->deadline = skti_deadline(timeout);
    for (unsigned round = op->waited ? 2 : 1;; round++) {
        if (errno == EINTR) {
            if (!skti_interrupted())
                return -1;
        } else if (errno != EAGAIN || was_shut_down(s, op) || is_for_pipe(op)) {
            return -1;
        } else {
            skti_found_dry(s, events_of(op));
            if (!may_wait(s, op, timeout, kernel_waits))
                return -1;
            if (wait_for(s, op, round) < 0) {
                *blame = errno == ETIMEDOUT ? SKTI_OWN_TIMEOUT : SKTI_SYSTEM;
                return -1;
            }
        }
        ssize_t n = attempt(s, op);
        if (n >= 0)
            return n;
    }
}

static ssize_t try_borrowed(skt *s, struct skti_op *op, skti_blame *blame)
{
    if (skti_borrow_nonblocking(s) < 0)
        return -1;
    op->sys_flags = MSG_DONTWAIT; /* what the mode stands for */
    ssize_t n = attempt(s, op);
    if (n < 0)
        n = try_again(s, op, false, blame);
    skti_return_nonblocking(s);
    return n;
}

/* A stream's recv that got less than it had room for, or send that went in part: nothing is left. */
static void note_short(skt *s, const struct skti_op *op, ssize_t n)
{
    if (n > 0 && (size_t)n < op->len && !(op->flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) &&
        (op->call == SKTI_RECV || op->call == SKTI_RECVFROM || op->call == SKTI_SEND))
        skti_found_short(s, calls[op->call].events);
}

/* A task parks without a try if that would find nothing. */
static ssize_t park_or_try(skt *s, struct skti_op *op, skti_blame *blame)
{
    ssize_t n = -1;
    op->sys_flags = skti_sys_flags(s, op->flags, calls[op->call].flags);
    if (skti_known_dry(s, events_of(op)) && may_wait(s, op, skti_timeout(s), false))
        errno = EAGAIN;
    else
        n = attempt(s, op);
    if (n < 0)
        n = try_again(s, op, false, blame);
    if (n >= 0)
        note_short(s, op, n);
    return n;
}

/* A task's turn ends after many calls. */
static ssize_t try_in_task(skt *s, struct skti_op *op, skti_blame *blame)
{
    bool flagless = calls[op->call].flagless, for_good = calls[op->call].for_good;
    if (skti_checkpoint_here() < 0 || (flagless && (for_good ? skti_keep_nonblocking : skti_borrow_nonblocking)(s) < 0))
        return -1;
    ssize_t n = park_or_try(s, op, blame);
    if (flagless && !for_good)
        skti_return_nonblocking(s);
    return n;
}

ssize_t skti_try_again(skt *s, struct skti_op *op, const char *call)
{
    skti_blame blame = SKTI_SYSTEM;
    op->sys_flags = skti_sys_flags(s, op->flags, calls[op->call].flags);
    ssize_t n = try_again(s, op, !(op->sys_flags & MSG_DONTWAIT), &blame);
    if (n < 0)
        return skti_fail_on(s, call, errno, blame);
    note_short(s, op, n);
    return n;
}

ssize_t skti_try(skt *s, struct skti_op *op, skti_blame *blame)
{
    *blame = SKTI_SYSTEM;
    if (skti_in_task())
        return try_in_task(s, op, blame);
    if (op->cut && !goes_on(s, op)) {
        errno = EINTR;
        return -1;
    }
    if (calls[op->call].flagless && !skti_kernel_waits(s))
        return try_borrowed(s, op, blame);
    op->sys_flags = skti_sys_flags(s, op->flags, calls[op->call].flags);
    ssize_t n = attempt(s, op);
    if (likely(n >= 0))
        return n;
    return try_again(s, op, !(op->sys_flags & MSG_DONTWAIT), blame);
}

ssize_t skti_perform(skt *s, struct skti_op *op, const char *call, const skt_addr *to, const char *name)
{
    skti_blame blame;
    ssize_t n = skti_try(s, op, &blame);
    if (likely(n >= 0))
        return n;
    return to ? skti_fail_at(call, to, name, errno, blame) : skti_fail_on(s, call, errno, blame);
}
