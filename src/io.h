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
    SKTI_ACCEPT,
};

struct skti_op {
    enum skti_call call;
    int flags;        /* MSG_..., the caller's */
    int sys_flags;    /* with what skti_perform adds */
    bool by_file;     /* a FILE's: goes on after skt_close */
    int64_t deadline; /* 0: not needed yet; kept for the caller's next try */

    void *buf;            /* RECV, RECVFROM, SEND, SENDTO */
    size_t len;           /* bytes; messages for *MMSG; bytes for SENDFILE */
    struct sockaddr *sa;  /* RECVFROM, SENDTO, ACCEPT */
    socklen_t salen;      /* its size, and what the kernel made of it */
    struct msghdr *msg;   /* RECVMSG, SENDMSG */
    struct mmsghdr *mmsg; /* RECVMMSG, SENDMMSG */
    int fd;               /* SENDFILE: the file */
    off_t offset;         /* SENDFILE: moved on */
};

/* Carries out op on s, which the caller has entered.  The system call's result,
 * or -1 with errno and *blame set, and no record. */
ssize_t skti_try(skt *s, struct skti_op *op, skti_blame *blame);

/* The same, with the record made for `call`; to: the address that it was about,
 * or NULL for the socket's peer; name: what that was looked up by, or NULL. */
ssize_t skti_perform(skt *s, struct skti_op *op, const char *call, const skt_addr *to, const char *name);

#endif
