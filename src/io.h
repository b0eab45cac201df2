/* io.h - an operation as data, and the one way in which all are carried out.
 *
 * An operation names its system call and holds its arguments.  skti_perform
 * tries it as one non-blocking call; where that would block it waits for the
 * socket, until the deadline, and tries again.  What a signal, a timeout and a
 * closing do to a call is therefore written once. */
#ifndef SKTI_IO_H
#define SKTI_IO_H

#include "error.h"
#include "object.h"
#include "wait.h"
#include <sys/socket.h>

struct mmsghdr;

enum skti_call {
    SKTI_RECV,
    SKTI_RECVFROM,
    SKTI_RECVMSG,
    SKTI_RECVMMSG,
    SKTI_SEND,
    SKTI_SENDTO,
    SKTI_SENDMSG,
    SKTI_SENDMMSG,
    SKTI_SENDFILE,
    SKTI_RECV_PIPE,
    SKTI_SEND_PIPE,
    SKTI_ACCEPT,
};

struct skti_op {
    enum skti_call call;
    int flags;        /* MSG_..., the caller's */
    int sys_flags;    /* with what skti_perform adds */
    bool by_file;     /* a FILE's: goes on after skt_close */
    int64_t deadline; /* 0: not needed yet; kept for the caller's next try */
    bool waited;      /* the caller has waited before the first try */
    bool cut;         /* SEND, SENDFILE: the kernel waited, and yet took less than it was given */

    void *buf;            /* RECV, RECVFROM, SEND, SENDTO */
    size_t len;           /* bytes; messages for *MMSG; bytes for SENDFILE and *_PIPE */
    struct sockaddr *sa;  /* RECVFROM, SENDTO, ACCEPT */
    socklen_t salen;      /* its size, and what the kernel made of it */
    struct msghdr *msg;   /* RECVMSG, SENDMSG */
    struct mmsghdr *mmsg; /* RECVMMSG, SENDMMSG */
    int fd;               /* SENDFILE: the file; RECV_PIPE, SEND_PIPE: the pipe */
    off_t offset;         /* SENDFILE: moved on */
};

/* Whether the kernel may do the waiting in a call on s, as it does in a plain
 * recv(2): there is no timeout, and no other thread that could close s. */
static inline bool skti_kernel_waits(const skt *s)
{
    return skti_timeout(s) < 0 && skti_kernel_may_wait();
}

/* The same as a flag, for a caller who has looked at skti_here.mode. */
static inline int skti_wait_flag(const skt *s)
{
    return skti_timeout(s) < 0 && skti_alone() ? 0 : MSG_DONTWAIT;
}

/* The flags for the kernel: the caller's, those of the call that the family
 * takes, and MSG_DONTWAIT if we do the waiting. */
static inline int skti_sys_flags(const skt *s, int flags, int added)
{
    return flags | skti_taken(s, added) | (skti_kernel_waits(s) ? 0 : MSG_DONTWAIT);
}

/* n bytes of buf have gone or come: the rest is what the next try is for.  (NULL + 0, for an
 * empty message, C does not define.) */
static inline void skti_advance(struct skti_op *op, size_t n)
{
    if (n > 0)
        op->buf = (char *)op->buf + n;
    op->len -= n;
}

/* Carries out op on s, which the caller has entered.  The system call's result,
 * or -1 with errno and *blame set, and no record. */
ssize_t skti_try(skt *s, struct skti_op *op, skti_blame *blame);

/* Goes on with an op whose first try the caller has made, with skti_sys_flags,
 * and which failed with errno: skt_recv and skt_send, whose cost is counted in
 * instructions, build no op if there is nothing to wait for.  Makes the record. */
ssize_t skti_try_again(skt *s, struct skti_op *op, const char *call);

/* skti_try, with the record made for `call`; to: the address that it was about,
 * or NULL for the socket's peer; name: what that was looked up by, or NULL. */
ssize_t skti_perform(skt *s, struct skti_op *op, const char *call, const skt_addr *to, const char *name);

#endif
