/* trace.c - a program's look at the library's system calls on sockets.
 *
 * While there is a hook, functions that tell of the call stand in the table of system calls (sys.h) before those
 * that make it.  Without one the table is as it was: nobody pays for a hook that is not set. */
#include "address.h"
#include "clock.h"
#include "sys.h"
#include <errno.h>
#include <skt.h>
#include <string.h>
#include <sys/stat.h>

static struct skti_sys under; /* the table as it was before */
static void (*told)(const skt_call *call, void *arg);
static void *told_arg;

/* ---- Telling ---- */

struct span {
    const char *name;
    int fd;
    int error; /* that the call has told of, and not failed with */
    size_t size;
    int64_t began;
};

static struct span begin(const char *name, int fd, size_t size)
{
    return (struct span){ name, fd, 0, size, skti_now() };
}

/* Apart, so that the address is not in the frames of the calls themselves. */
static __attribute__((noinline)) void tell(const struct span *span, long long result, int error,
                                           const struct sockaddr *sa, socklen_t salen)
{
    skt_addr addr;
    skt_call call = { .name = span->name, .fd = span->fd, .size = span->size, .result = result, .error = error };
    int64_t took = skti_now() - span->began;
    call.began = (double)span->began / 1e9;
    call.seconds = (double)took / 1e9;
    if (sa && salen > 0) {
        addr = skti_ready_address(sa, salen < sizeof addr.as ? salen : sizeof addr.as, -1);
        call.addr = &addr;
    }
    if (told) /* it may have been taken away meanwhile */
        told(&call, told_arg);
}

/* Returns what the call did, with its errno. */
static long long end(const struct span *span, long long result, const struct sockaddr *sa, socklen_t salen)
{
    int code = errno;
    tell(span, result, result < 0 ? code : span->error, sa, salen);
    errno = code;
    return result;
}

/* An address that the kernel has written, if it did. */
static long long end_with(const struct span *span, long long result, const struct sockaddr *sa, const socklen_t *salen)
{
    return end(span, result, result >= 0 ? sa : NULL, sa && salen ? *salen : 0);
}

/* ---- The calls, in the table's order ---- */

static int traced_socket(int family, int type, int proto)
{
    struct span span = begin("socket", -1, 0);
    return (int)end(&span, under.socket(family, type, proto), NULL, 0);
}

static int traced_socketpair(int family, int type, int proto, int fd[2])
{
    struct span span = begin("socketpair", -1, 0);
    return (int)end(&span, under.socketpair(family, type, proto, fd), NULL, 0);
}

static int traced_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct span span = begin("bind", fd, 0);
    return (int)end(&span, under.bind(fd, sa, len), sa, len);
}

static int traced_listen(int fd, int backlog)
{
    struct span span = begin("listen", fd, 0);
    return (int)end(&span, under.listen(fd, backlog), NULL, 0);
}

static int traced_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    struct span span = begin("accept", fd, 0);
    return (int)end_with(&span, under.accept4(fd, sa, len, flags), sa, len);
}

static int traced_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct span span = begin("connect", fd, 0);
    return (int)end(&span, under.connect(fd, sa, len), sa, len);
}

static int traced_shutdown(int fd, int how)
{
    struct span span = begin("shutdown", fd, (size_t)how);
    return (int)end(&span, under.shutdown(fd, how), NULL, 0);
}

static int traced_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    struct span span = begin("getsockopt", fd, len ? *len : 0);
    int result = under.getsockopt(fd, level, name, value, len);
    if (result == 0 && level == SOL_SOCKET && name == SO_ERROR && len && *len == sizeof(int))
        span.error = *(int *)value;
    return (int)end(&span, result, NULL, 0);
}

static int traced_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct span span = begin("setsockopt", fd, len);
    return (int)end(&span, under.setsockopt(fd, level, name, value, len), NULL, 0);
}

static ssize_t traced_recv(int fd, void *buf, size_t len, int flags)
{
    struct span span = begin("recv", fd, len);
    return (ssize_t)end(&span, under.recv(fd, buf, len, flags), NULL, 0);
}

static ssize_t traced_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *sa, socklen_t *salen)
{
    struct span span = begin("recvfrom", fd, len);
    return (ssize_t)end_with(&span, under.recvfrom(fd, buf, len, flags, sa, salen), sa, salen);
}

static size_t bytes_of(const struct msghdr *msg)
{
    size_t sum = 0;
    for (size_t i = 0; i < (size_t)msg->msg_iovlen; i++)
        sum += msg->msg_iov[i].iov_len;
    return sum;
}

static ssize_t traced_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct span span = begin("recvmsg", fd, bytes_of(msg));
    return (ssize_t)end_with(&span, under.recvmsg(fd, msg, flags), msg->msg_name, &msg->msg_namelen);
}

static int traced_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    struct span span = begin("recvmmsg", fd, n);
    return (int)end_with(&span, under.recvmmsg(fd, msg, n, flags), msg->msg_hdr.msg_name, &msg->msg_hdr.msg_namelen);
}

static ssize_t traced_send(int fd, const void *buf, size_t len, int flags)
{
    struct span span = begin("send", fd, len);
    return (ssize_t)end(&span, under.send(fd, buf, len, flags), NULL, 0);
}

static ssize_t traced_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *sa, socklen_t salen)
{
    struct span span = begin("sendto", fd, len);
    return (ssize_t)end(&span, under.sendto(fd, buf, len, flags, sa, salen), sa, salen);
}

static ssize_t traced_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct span span = begin("sendmsg", fd, bytes_of(msg));
    return (ssize_t)end(&span, under.sendmsg(fd, msg, flags), msg->msg_name, msg->msg_namelen);
}

static int traced_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    struct span span = begin("sendmmsg", fd, n);
    return (int)end(&span, under.sendmmsg(fd, msg, n, flags), msg->msg_hdr.msg_name, msg->msg_hdr.msg_namelen);
}

static ssize_t traced_sendfile(int out, int in, off_t *offset, size_t count)
{
    struct span span = begin("sendfile", out, count);
    return (ssize_t)end(&span, under.sendfile(out, in, offset, count), NULL, 0);
}

/* One of the two is the socket, the other one a pipe. */
static ssize_t traced_splice(int in, int out, size_t len)
{
    struct stat file;
    bool from_socket = fstat(in, &file) == 0 && S_ISSOCK(file.st_mode);
    struct span span = begin(from_socket ? "recv_pipe" : "send_pipe", from_socket ? in : out, len);
    return (ssize_t)end(&span, under.splice(in, out, len), NULL, 0);
}

static int traced_close(int fd)
{
    struct span span = begin("close", fd, 0);
    return (int)end(&span, under.close(fd), NULL, 0);
}

/* ---- Setting ---- */

static void stand_before(void)
{
    under = skti_sys;
#define PUT(name) skti_sys.name = traced_##name
    PUT(socket);
    PUT(socketpair);
    PUT(bind);
    PUT(listen);
    PUT(accept4);
    PUT(connect);
    PUT(shutdown);
    PUT(getsockopt);
    PUT(setsockopt);
    PUT(recv);
    PUT(recvfrom);
    PUT(recvmsg);
    PUT(recvmmsg);
    PUT(send);
    PUT(sendto);
    PUT(sendmsg);
    PUT(sendmmsg);
    PUT(sendfile);
    PUT(splice);
    PUT(close);
#undef PUT
}

void skt_on_call(void (*hook)(const skt_call *call, void *arg), void *arg)
{
    bool stands = told != NULL;
    if (!hook && stands)
        skti_sys = under;
    told = hook;
    told_arg = arg;
    if (hook && !stands)
        stand_before();
}
