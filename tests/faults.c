/* faults.c - makes the n-th system call or allocation fail: see faults.h. */
#include "faults.h"
#include "check.h"
#include "sys.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MOST 4096

static struct skti_sys real;

static struct {
    pthread_mutex_t lock;
    bool armed, for_ever, interrupt, hit;
    size_t n, count, limit;
    int call, code;
    unsigned turn;
    long allocations;
    short calls[MOST];
} plan = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- The table of what can go wrong ---- */

#define CODES(...)                                                                                                     \
    (const int[])                                                                                                      \
    {                                                                                                                  \
        __VA_ARGS__, 0                                                                                                 \
    }

static const struct {
    const char *name;
    const int *codes;
    bool interruptible;
} table[F_CALLS] = {
    [F_socket] = { "socket", CODES(EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT), false },
    [F_socketpair] = { "socketpair", CODES(EMFILE, ENFILE, EOPNOTSUPP), false },
    [F_bind] = { "bind", CODES(EADDRINUSE, EACCES, EADDRNOTAVAIL, EINVAL), false },
    [F_listen] = { "listen", CODES(EADDRINUSE, EOPNOTSUPP), false },
    [F_accept4] = { "accept4", CODES(EINTR, EAGAIN, ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO),
                    true },
    [F_connect] = { "connect", CODES(EINTR, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, EACCES, ETIMEDOUT), true },
    [F_shutdown] = { "shutdown", CODES(ENOTCONN), false },
    [F_getsockname] = { "getsockname", CODES(ENOBUFS), false },
    [F_getpeername] = { "getpeername", CODES(ENOTCONN, ENOBUFS), false },
    [F_getsockopt] = { "getsockopt", CODES(ENOPROTOOPT), false },
    [F_setsockopt] = { "setsockopt", CODES(ENOPROTOOPT, EINVAL), false },
    [F_recv] = { "recv", CODES(EINTR, EAGAIN, ECONNREFUSED, ECONNRESET, ENOMEM, ENOTCONN), true },
    [F_recvfrom] = { "recvfrom", CODES(EINTR, EAGAIN, ECONNREFUSED, ENOMEM), true },
    [F_recvmsg] = { "recvmsg", CODES(EINTR, EAGAIN, ECONNREFUSED, ENOMEM), true },
    [F_recvmmsg] = { "recvmmsg", CODES(EINTR, EAGAIN, ECONNREFUSED, ENOSYS), true },
    [F_send] = { "send", CODES(EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EMSGSIZE), true },
    [F_sendto] = { "sendto", CODES(EINTR, EAGAIN, ENOBUFS, EMSGSIZE, EDESTADDRREQ), true },
    [F_sendmsg] = { "sendmsg", CODES(EINTR, EAGAIN, EPIPE, ENOBUFS, EMSGSIZE), true },
    [F_sendmmsg] = { "sendmmsg", CODES(EINTR, EAGAIN, ENOBUFS, EIO, EINVAL, ENOSYS), true },
    [F_sendfile] = { "sendfile", CODES(EINTR, EAGAIN, EINVAL, EIO, ENOMEM, EPIPE), true },
    [F_splice] = { "splice", CODES(EINTR, EAGAIN, EINVAL, ENOMEM, EPIPE), true },
    [F_close] = { "close", CODES(EINTR, EIO), false },
    [F_dup_cloexec] = { "dup", CODES(EMFILE), false },
    [F_get_fd_flags] = { "F_GETFD", CODES(EBADF), false },
    [F_set_fd_flags] = { "F_SETFD", CODES(EBADF), false },
    [F_get_file_flags] = { "F_GETFL", CODES(EBADF), false },
    [F_set_nonblocking] = { "FIONBIO", CODES(ENOTTY), false },
    [F_open] = { "open", CODES(EMFILE, ENOENT, EACCES), false },
    [F_readlink] = { "readlink", CODES(ENOENT, EACCES), false },
    [F_opendir] = { "opendir", CODES(EMFILE, ENOENT, ENOMEM), false },
    [F_unlink] = { "unlink", CODES(ENOENT, EACCES), false },
    [F_rename] = { "rename", CODES(EACCES, ENOENT), false },
    [F_pread] = { "pread", CODES(EINTR, EIO), true },
    [F_eventfd] = { "eventfd", CODES(EMFILE, ENFILE, ENOMEM), false },
    [F_read] = { "read", CODES(EINTR, EIO), true },
    [F_write] = { "write", CODES(EINTR), true },
    [F_epoll_create1] = { "epoll_create1", CODES(EMFILE, ENFILE, ENOMEM), false },
    [F_epoll_ctl] = { "epoll_ctl", CODES(ENOMEM, ENOSPC), false },
    [F_epoll_pwait2] = { "epoll_pwait2", CODES(EINTR), true },
    [F_epoll_wait] = { "epoll_wait", CODES(EINTR), true },
    [F_ppoll] = { "ppoll", CODES(EINTR, ENOMEM), true },
    [F_start_thread] = { "pthread_create", CODES(EAGAIN), false },
    [F_getaddrinfo] = { "getaddrinfo", CODES(EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_SYSTEM), false },
    [F_getnameinfo] = { "getnameinfo", CODES(EAI_NONAME, EAI_AGAIN, EAI_OVERFLOW, EAI_SYSTEM), false },
    [F_gethostbyname] = { "gethostbyname", CODES(HOST_NOT_FOUND, TRY_AGAIN, NO_DATA), false },
    [F_gethostbyaddr] = { "gethostbyaddr", CODES(HOST_NOT_FOUND, TRY_AGAIN), false },
    [F_getservbyname] = { "getservbyname", CODES(ENOENT), false },
    [F_getservbyport] = { "getservbyport", CODES(ENOENT), false },
    [F_getprotobyname] = { "getprotobyname", CODES(ENOENT), false },
    [F_gethostname] = { "gethostname", CODES(EFAULT), false },
    [F_sethostname] = { "sethostname", CODES(EPERM), false },
    [F_if_nametoindex] = { "if_nametoindex", CODES(ENODEV), false },
    [F_if_indextoname] = { "if_indextoname", CODES(ENXIO), false },
    [F_if_nameindex] = { "if_nameindex", CODES(ENOBUFS), false },
    [F_fopencookie] = { "fopencookie", CODES(ENOMEM), false },
    [F_malloc] = { "malloc", CODES(ENOMEM), false },
    [F_calloc] = { "calloc", CODES(ENOMEM), false },
    [F_realloc] = { "realloc", CODES(ENOMEM), false },
    [F_mmap] = { "mmap", CODES(ENOMEM), false },
    [F_munmap] = { "munmap", CODES(ENOMEM), false },
    [F_mprotect] = { "mprotect", CODES(ENOMEM, EACCES), false },
    [F_madvise] = { "madvise", CODES(EINVAL, ENOMEM), false },
};

const char *fault_name(int call)
{
    return table[call].name;
}

const int *fault_codes(int call)
{
    return table[call].codes;
}

/* ---- The plan ---- */

/* Counts a call; whether it is to fail, with errno set. */
static bool fails(int call)
{
    int code = 0;
    pthread_mutex_lock(&plan.lock);
    if (plan.armed) {
        if (plan.count < MOST)
            plan.calls[plan.count] = (short)call;
        plan.count++;
        if (plan.n && plan.count >= plan.n && plan.call == call && (!plan.hit || plan.for_ever)) {
            code = plan.code;
            plan.hit = true;
        }
        if (code == 0 && plan.interrupt && table[call].interruptible && ++plan.turn % 2)
            code = EINTR;
    }
    pthread_mutex_unlock(&plan.lock);
    if (code)
        errno = code;
    return code != 0;
}

static size_t limited(size_t len)
{
    return plan.armed && plan.limit && len > plan.limit ? plan.limit : len;
}

void faults_arm(size_t n, int call, int code, bool for_ever)
{
    pthread_mutex_lock(&plan.lock);
    plan.armed = true;
    plan.n = n;
    plan.call = call;
    plan.code = code;
    plan.hit = false;
    plan.for_ever = for_ever;
    plan.count = 0;
    plan.turn = 0;
    pthread_mutex_unlock(&plan.lock);
}

void faults_disarm(void)
{
    pthread_mutex_lock(&plan.lock);
    plan.armed = false;
    pthread_mutex_unlock(&plan.lock);
}

int fault_call_at(size_t n)
{
    return n >= 1 && n <= plan.count && n <= MOST ? plan.calls[n - 1] : F_NONE;
}

size_t fault_count(void)
{
    return plan.count;
}

bool fault_happened(void)
{
    return plan.hit;
}

void faults_limit(size_t bytes)
{
    plan.limit = bytes;
}

void faults_interrupt(bool on)
{
    plan.interrupt = on;
}

long fault_allocations(void)
{
    return __atomic_load_n(&plan.allocations, __ATOMIC_RELAXED);
}

/* ---- The entries ---- */

#define ENTRY(type, name, parameters, arguments, failure)                                                              \
    static type f_##name parameters                                                                                    \
    {                                                                                                                  \
        return fails(F_##name) ? (failure) : real.name arguments;                                                      \
    }

ENTRY(int, socket, (int family, int type, int proto), (family, type, proto), -1)
ENTRY(int, socketpair, (int family, int type, int proto, int fd[2]), (family, type, proto, fd), -1)
ENTRY(int, bind, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len), -1)
ENTRY(int, listen, (int fd, int backlog), (fd, backlog), -1)
ENTRY(int, accept4, (int fd, struct sockaddr *sa, socklen_t *len, int flags), (fd, sa, len, flags), -1)
ENTRY(int, connect, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len), -1)
ENTRY(int, shutdown, (int fd, int how), (fd, how), -1)
ENTRY(int, getsockname, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len), -1)
ENTRY(int, getpeername, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len), -1)
ENTRY(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len), (fd, level, name, value, len), -1)
ENTRY(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len),
      -1)
ENTRY(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, limited(len), flags), -1)
ENTRY(ssize_t, recvfrom, (int fd, void *buf, size_t len, int flags, struct sockaddr *sa, socklen_t *salen),
      (fd, buf, limited(len), flags, sa, salen), -1)
ENTRY(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags), -1)
ENTRY(int, recvmmsg, (int fd, struct mmsghdr *msg, unsigned n, int flags), (fd, msg, n, flags), -1)
ENTRY(ssize_t, send, (int fd, const void *buf, size_t len, int flags), (fd, buf, limited(len), flags), -1)
ENTRY(ssize_t, sendto, (int fd, const void *buf, size_t len, int flags, const struct sockaddr *sa, socklen_t salen),
      (fd, buf, len, flags, sa, salen), -1)
ENTRY(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags), -1)
ENTRY(int, sendmmsg, (int fd, struct mmsghdr *msg, unsigned n, int flags), (fd, msg, n, flags), -1)
ENTRY(ssize_t, sendfile, (int out, int in, off_t *offset, size_t count), (out, in, offset, limited(count)), -1)
ENTRY(ssize_t, splice, (int in, int out, size_t len), (in, out, limited(len)), -1)
ENTRY(int, dup_cloexec, (int fd), (fd), -1)
ENTRY(int, get_fd_flags, (int fd), (fd), -1)
ENTRY(int, set_fd_flags, (int fd, int flags), (fd, flags), -1)
ENTRY(int, get_file_flags, (int fd), (fd), -1)
ENTRY(int, set_nonblocking, (int fd, int on), (fd, on), -1)
ENTRY(int, open, (const char *path), (path), -1)
ENTRY(ssize_t, readlink, (const char *path, char *buf, size_t len), (path, buf, len), -1)
ENTRY(DIR *, opendir, (const char *path), (path), NULL)
ENTRY(int, unlink, (const char *path), (path), -1)
ENTRY(int, rename, (const char *from, const char *to), (from, to), -1)
ENTRY(ssize_t, pread, (int fd, void *buf, size_t len, off_t offset), (fd, buf, limited(len), offset), -1)
ENTRY(int, eventfd, (unsigned value, int flags), (value, flags), -1)
ENTRY(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len), -1)
ENTRY(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len), -1)
ENTRY(int, epoll_create1, (int flags), (flags), -1)
ENTRY(int, epoll_pwait2, (int epoll, struct epoll_event *events, int n, const struct timespec *timeout),
      (epoll, events, n, timeout), -1)
ENTRY(int, epoll_wait, (int epoll, struct epoll_event *events, int n, int milliseconds),
      (epoll, events, n, milliseconds), -1)
ENTRY(int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *timeout), (fds, n, timeout), -1)
ENTRY(int, start_thread, (void *(*run)(void *), void *arg), (run, arg), errno)
ENTRY(int, getservbyname, (const char *name, const char *proto), (name, proto), -1)
ENTRY(int, getservbyport, (int port, const char *proto, char *buf, size_t len), (port, proto, buf, len), -1)
ENTRY(int, getprotobyname, (const char *name), (name), -1)
ENTRY(int, gethostname, (char *buf, size_t len), (buf, len), -1)
ENTRY(int, sethostname, (const char *name, size_t len), (name, len), -1)
ENTRY(unsigned, if_nametoindex, (const char *name), (name), 0)
ENTRY(char *, if_indextoname, (unsigned index, char *name), (index, name), NULL)
ENTRY(struct if_nameindex *, if_nameindex, (void), (), NULL)
ENTRY(void *, mmap, (size_t size, int protection), (size, protection), NULL)
ENTRY(int, mprotect, (void *p, size_t size, int protection), (p, size, protection), -1)
ENTRY(int, madvise, (void *p, size_t size, int advice), (p, size, advice), -1)
ENTRY(FILE *, fopencookie, (void *cookie, const char *mode, cookie_io_functions_t io), (cookie, mode, io), NULL)

/* Linux has closed the descriptor even if close(2) says EINTR or EIO. */
static int f_close(int fd)
{
    bool failing = fails(F_close);
    int code = errno, result = real.close(fd);
    if (!failing)
        return result;
    errno = code;
    return -1;
}

/* To take a descriptor out needs nothing that could be missing. */
static int f_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    if (operation != EPOLL_CTL_DEL && fails(F_epoll_ctl))
        return -1;
    return real.epoll_ctl(epoll, operation, fd, event);
}

/* What could not be unmapped would be lost in the test too. */
static int f_munmap(void *p, size_t size)
{
    bool failing = fails(F_munmap);
    int code = errno, result = real.munmap(p, size);
    errno = failing ? code : errno;
    return failing ? -1 : result;
}

/* The resolver's results are its own; EAI_SYSTEM comes with an errno. */
static int f_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    if (!fails(F_getaddrinfo))
        return real.getaddrinfo(host, service, hints, list);
    int eai = errno;
    errno = ENFILE;
    return eai;
}

static int f_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen, char *service,
                         socklen_t servicelen, int flags)
{
    if (!fails(F_getnameinfo))
        return real.getnameinfo(sa, len, host, hostlen, service, servicelen, flags);
    int eai = errno;
    errno = ENFILE;
    return eai;
}

static int no_host(struct hostent **found, int *h)
{
    *found = NULL;
    *h = errno;
    return 0;
}

static int f_gethostbyname(const char *name, int family, struct hostent *host, char *buf, size_t len,
                           struct hostent **found, int *h)
{
    return fails(F_gethostbyname) ? no_host(found, h) : real.gethostbyname(name, family, host, buf, len, found, h);
}

static int f_gethostbyaddr(const void *addr, socklen_t addrlen, int family, struct hostent *host, char *buf, size_t len,
                           struct hostent **found, int *h)
{
    return fails(F_gethostbyaddr) ? no_host(found, h)
                                  : real.gethostbyaddr(addr, addrlen, family, host, buf, len, found, h);
}

static void *counted(void *p)
{
    if (p)
        __atomic_fetch_add(&plan.allocations, 1, __ATOMIC_RELAXED);
    return p;
}

static void *f_malloc(size_t size)
{
    return fails(F_malloc) ? NULL : counted(real.malloc(size));
}

static void *f_calloc(size_t n, size_t size)
{
    return fails(F_calloc) ? NULL : counted(real.calloc(n, size));
}

static void *f_realloc(void *p, size_t size)
{
    if (fails(F_realloc))
        return NULL;
    void *moved = real.realloc(p, size);
    return p ? moved : counted(moved);
}

static void f_free(void *p)
{
    if (p)
        __atomic_fetch_sub(&plan.allocations, 1, __ATOMIC_RELAXED);
    real.free(p);
}

void faults_install(void)
{
    real = skti_sys;
#define PUT(name) skti_sys.name = f_##name
    PUT(socket), PUT(socketpair), PUT(bind), PUT(listen), PUT(accept4), PUT(connect), PUT(shutdown), PUT(getsockname);
    PUT(getpeername), PUT(getsockopt), PUT(setsockopt), PUT(recv), PUT(recvfrom), PUT(recvmsg), PUT(recvmmsg);
    PUT(send), PUT(sendto), PUT(sendmsg), PUT(sendmmsg), PUT(sendfile), PUT(splice), PUT(close), PUT(dup_cloexec);
    PUT(get_fd_flags), PUT(set_fd_flags), PUT(get_file_flags), PUT(set_nonblocking), PUT(open), PUT(readlink);
    PUT(opendir), PUT(unlink), PUT(rename), PUT(pread), PUT(eventfd), PUT(read), PUT(write), PUT(epoll_create1);
    PUT(epoll_ctl), PUT(epoll_pwait2), PUT(epoll_wait), PUT(mmap), PUT(munmap), PUT(mprotect), PUT(madvise), PUT(ppoll),
        PUT(start_thread), PUT(getaddrinfo);
    PUT(getnameinfo), PUT(gethostbyname), PUT(gethostbyaddr), PUT(getservbyname), PUT(getservbyport);
    PUT(getprotobyname), PUT(gethostname), PUT(sethostname), PUT(if_nametoindex), PUT(if_indextoname);
    PUT(if_nameindex), PUT(fopencookie), PUT(malloc), PUT(calloc), PUT(realloc), PUT(free);
#undef PUT
}

void faults_remove(void)
{
    skti_sys = real;
}
