/* sys.c - the table of system calls and allocations: see sys.h. */
#include "sys.h"
#include "error.h"
#include "fibre.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sys_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    return recvmmsg(fd, msg, n, flags, NULL);
}

static int sys_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    return sendmmsg(fd, msg, n, flags);
}

static int sys_dup_cloexec(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int sys_get_fd_flags(int fd)
{
    return fcntl(fd, F_GETFD);
}

static int sys_set_fd_flags(int fd, int flags)
{
    return fcntl(fd, F_SETFD, flags);
}

static int sys_get_file_flags(int fd)
{
    return fcntl(fd, F_GETFL);
}

/* ioctl and not fcntl, as in CPython: one call and not two. */
static int sys_set_nonblocking(int fd, int on)
{
    return ioctl(fd, FIONBIO, &on);
}

static int sys_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout)
{
    return ppoll(fds, n, timeout, NULL);
}

/* By number: not every C library has it, nor every kernel (ENOSYS before Linux 5.11).  ThreadSanitizer does not know
 * that it waits, and would hold back a signal that comes just before. */
static int sys_epoll_pwait2(int epoll, struct epoll_event *events, int n, const struct timespec *timeout)
{
#ifdef SKTI_TSAN
    (void)epoll, (void)events, (void)n, (void)timeout;
    errno = ENOSYS;
    return -1;
#else
    return (int)syscall(SYS_epoll_pwait2, epoll, events, n, timeout, NULL, 0);
#endif
}

static void *sys_mmap(size_t size, int protection)
{
    void *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* sendfile(2) and splice(2) have no MSG_NOSIGNAL: the thread keeps SIGPIPE out meanwhile, and takes
 * the one that came unless one was waiting before.  It may come with a count too, when the peer has
 * gone after a part. */
struct sigpipe {
    sigset_t only, before, pending;
};

static void hold_sigpipe(struct sigpipe *p)
{
    sigemptyset(&p->only);
    sigaddset(&p->only, SIGPIPE);
    sigpending(&p->pending);
    pthread_sigmask(SIG_BLOCK, &p->only, &p->before);
}

static void release_sigpipe(struct sigpipe *p, bool may_have_come)
{
    int code = errno;
    if (may_have_come && !sigismember(&p->pending, SIGPIPE))
        while (sigtimedwait(&p->only, NULL, &(struct timespec){ 0 }) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &p->before, NULL);
    errno = code;
}

static ssize_t sys_sendfile(int out, int in, off_t *offset, size_t count)
{
    struct sigpipe p;
    hold_sigpipe(&p);
    ssize_t n = sendfile(out, in, offset, count);
    release_sigpipe(&p, n < (ssize_t)count);
    return n;
}

static ssize_t sys_splice(int in, int out, size_t len)
{
    struct sigpipe p;
    hold_sigpipe(&p);
    ssize_t n = splice(in, NULL, out, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    release_sigpipe(&p, n < (ssize_t)len);
    return n;
}

/* The thread takes no signals: they are for the program's own threads.  It begins detached: in glibc 2.36
 * pthread_detach looks at the thread once more after it has let it go, when its memory may be unmapped already. */
static int sys_start_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    pthread_attr_t detached;
    sigset_t all, before;
    int code = pthread_attr_init(&detached);
    if (code != 0)
        return code;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&thread, &detached, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return code;
}

static int sys_open(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* ---- Names: the reentrant forms, in a shape that all C libraries can have ---- */

/* The errno where nothing was found; musl says EINVAL of a protocol that it does not know. */
static int no_entry(int code)
{
    return code == 0 || code == EINVAL ? ENOENT : code;
}

static int sys_getservbyname(const char *name, const char *proto)
{
    char buf[1024];
    struct servent entry, *found = NULL;
    int code = getservbyname_r(name, proto, &entry, buf, sizeof buf, &found);
    if (code == 0 && found)
        return ntohs((uint16_t)found->s_port);
    errno = no_entry(code);
    return -1;
}

static int sys_getservbyport(int port, const char *proto, char *name, size_t len)
{
    char buf[1024];
    struct servent entry, *found = NULL;
    int code = getservbyport_r(htons((uint16_t)port), proto, &entry, buf, sizeof buf, &found);
    if (code == 0 && found && strlen(found->s_name) < len) {
        strcpy(name, found->s_name);
        return 0;
    }
    errno = found ? ENAMETOOLONG : no_entry(code);
    return -1;
}

static int sys_getprotobyname(const char *name)
{
    struct protoent *found = NULL;
    int code = 0;
#ifdef __GLIBC__
    char buf[1024];
    struct protoent entry;
    code = getprotobyname_r(name, &entry, buf, sizeof buf, &found);
#else
    found = getprotobyname(name); /* musl's table is constant */
#endif
    if (code == 0 && found)
        return found->p_proto;
    errno = no_entry(code);
    return -1;
}

/* glibc's flags were unsigned once. */
static int sys_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen, char *service,
                           socklen_t servicelen, int flags)
{
    return getnameinfo(sa, len, host, hostlen, service, servicelen, flags);
}

struct skti_sys skti_sys = {
    .socket = socket,
    .socketpair = socketpair,
    .bind = bind,
    .listen = listen,
    .accept4 = accept4,
    .connect = connect,
    .shutdown = shutdown,
    .getsockname = getsockname,
    .getpeername = getpeername,
    .getsockopt = getsockopt,
    .setsockopt = setsockopt,
    .recv = recv,
    .recvfrom = recvfrom,
    .recvmsg = recvmsg,
    .recvmmsg = sys_recvmmsg,
    .send = send,
    .sendto = sendto,
    .sendmsg = sendmsg,
    .sendmmsg = sys_sendmmsg,
    .sendfile = sys_sendfile,
    .splice = sys_splice,
    .close = close,
    .dup_cloexec = sys_dup_cloexec,
    .get_fd_flags = sys_get_fd_flags,
    .set_fd_flags = sys_set_fd_flags,
    .get_file_flags = sys_get_file_flags,
    .set_nonblocking = sys_set_nonblocking,
    .open = sys_open,
    .readlink = readlink,
    .opendir = opendir,
    .readdir = readdir,
    .closedir = closedir,
    .unlink = unlink,
    .rename = rename,
    .pread = pread,
    .eventfd = eventfd,
    .read = read,
    .write = write,
    .epoll_create1 = epoll_create1,
    .epoll_ctl = epoll_ctl,
    .epoll_pwait2 = sys_epoll_pwait2,
    .epoll_wait = epoll_wait,
    .ppoll = sys_ppoll,
    .clock_gettime = clock_gettime,
    .start_thread = sys_start_thread,
    .getaddrinfo = getaddrinfo,
    .freeaddrinfo = freeaddrinfo,
    .getnameinfo = sys_getnameinfo,
    .gethostbyname = gethostbyname2_r,
    .gethostbyaddr = gethostbyaddr_r,
    .getservbyname = sys_getservbyname,
    .getservbyport = sys_getservbyport,
    .getprotobyname = sys_getprotobyname,
    .gethostname = gethostname,
    .sethostname = sethostname,
    .if_nametoindex = if_nametoindex,
    .if_indextoname = if_indextoname,
    .if_nameindex = if_nameindex,
    .if_freenameindex = if_freenameindex,
    .fopencookie = fopencookie,
    .malloc = malloc,
    .calloc = calloc,
    .realloc = realloc,
    .free = free,
    .mmap = sys_mmap,
    .munmap = munmap,
    .mprotect = mprotect,
    .madvise = madvise,
};

char *skti_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = skti_sys.malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void *skti_malloc(const char *call, size_t size)
{
    void *p = skti_sys.malloc(size);
    if (!p)
        skti_fail(call, ENOMEM);
    return p;
}
