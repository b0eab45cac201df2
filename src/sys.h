/* sys.h - every system call and every allocation of the library, in one table.
 *
 * Nothing in src/ calls the system by another way.  So a test can put a
 * function of its own in any place and make the n-th call fail, be late or be
 * short, in the very library that is shipped; tracing and counting have the same place
 * to stand.  The price is one indirect call. */
#ifndef SKTI_SYS_H
#define SKTI_SYS_H

#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

struct epoll_event;
struct mmsghdr;
struct if_nameindex;

struct skti_sys {
    /* Sockets */
    int (*socket)(int family, int type, int proto);
    int (*socketpair)(int family, int type, int proto, int fd[2]);
    int (*bind)(int fd, const struct sockaddr *sa, socklen_t len);
    int (*listen)(int fd, int backlog);
    int (*accept4)(int fd, struct sockaddr *sa, socklen_t *len, int flags);
    int (*connect)(int fd, const struct sockaddr *sa, socklen_t len);
    int (*shutdown)(int fd, int how);
    int (*getsockname)(int fd, struct sockaddr *sa, socklen_t *len);
    int (*getpeername)(int fd, struct sockaddr *sa, socklen_t *len);
    int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
    /* Data */
    ssize_t (*recv)(int fd, void *buf, size_t len, int flags);
    ssize_t (*recvfrom)(int fd, void *buf, size_t len, int flags, struct sockaddr *sa, socklen_t *salen);
    ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
    int (*recvmmsg)(int fd, struct mmsghdr *msg, unsigned n, int flags);
    ssize_t (*send)(int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendto)(int fd, const void *buf, size_t len, int flags, const struct sockaddr *sa, socklen_t salen);
    ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
    int (*sendmmsg)(int fd, struct mmsghdr *msg, unsigned n, int flags);
    ssize_t (*sendfile)(int out, int in, off_t *offset, size_t count);
    ssize_t (*splice)(int in, int out, size_t len); /* never waits for a pipe */
    /* Descriptors */
    int (*close)(int fd);
    int (*dup_cloexec)(int fd);
    int (*get_fd_flags)(int fd);            /* F_GETFD */
    int (*set_fd_flags)(int fd, int flags); /* F_SETFD */
    int (*get_file_flags)(int fd);          /* F_GETFL */
    int (*set_nonblocking)(int fd, int on); /* FIONBIO */
    int (*open)(const char *path);          /* to read */
    ssize_t (*readlink)(const char *path, char *buf, size_t len);
    DIR *(*opendir)(const char *path);
    struct dirent *(*readdir)(DIR *dir);
    int (*closedir)(DIR *dir);
    int (*unlink)(const char *path);
    int (*rename)(const char *from, const char *to);
    ssize_t (*pread)(int fd, void *buf, size_t len, off_t offset);
    int (*eventfd)(unsigned value, int flags);
    ssize_t (*read)(int fd, void *buf, size_t len);
    ssize_t (*write)(int fd, const void *buf, size_t len);
    /* Waiting */
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int epoll, int operation, int fd, struct epoll_event *event);
    int (*epoll_pwait2)(int epoll, struct epoll_event *events, int n, const struct timespec *timeout);
    int (*epoll_wait)(int epoll, struct epoll_event *events, int n, int milliseconds);
    int (*ppoll)(struct pollfd *fds, nfds_t n, const struct timespec *timeout);
    int (*clock_gettime)(clockid_t clock, struct timespec *now);
    int (*start_thread)(void *(*run)(void *), void *arg); /* detached, all signals blocked; 0 or an errno */
    /* Names */
    int (*getaddrinfo)(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list);
    void (*freeaddrinfo)(struct addrinfo *list);
    int (*getnameinfo)(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen, char *service,
                       socklen_t servicelen, int flags);
    int (*gethostbyname)(const char *name, int family, struct hostent *host, char *buf, size_t len,
                         struct hostent **found, int *h);
    int (*gethostbyaddr)(const void *addr, socklen_t addrlen, int family, struct hostent *host, char *buf, size_t len,
                         struct hostent **found, int *h);
    int (*getservbyname)(const char *name, const char *proto);                /* port, or -1 */
    int (*getservbyport)(int port, const char *proto, char *buf, size_t len); /* 0 or -1 */
    int (*getprotobyname)(const char *name);                                  /* number, or -1 */
    int (*gethostname)(char *buf, size_t len);
    int (*sethostname)(const char *name, size_t len);
    unsigned (*if_nametoindex)(const char *name);
    char *(*if_indextoname)(unsigned index, char *name);
    struct if_nameindex *(*if_nameindex)(void);
    void (*if_freenameindex)(struct if_nameindex *list);
    /* Memory */
    FILE *(*fopencookie)(void *cookie, const char *mode, cookie_io_functions_t io);
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t n, size_t size);
    void *(*realloc)(void *p, size_t size);
    void (*free)(void *p);
    void *(*mmap)(size_t size, int protection); /* private, of nobody's file; NULL with errno */
    int (*munmap)(void *p, size_t size);
    int (*mprotect)(void *p, size_t size, int protection);
    int (*madvise)(void *p, size_t size, int advice);
};

extern struct skti_sys skti_sys;

/* What a FILE's write is to say of n bytes out of len.  glibc takes a short count for a failure, and cannot count
 * with -1; musl knows a failure only by -1. */
#ifdef __GLIBC__
#define SKTI_WROTE(n, len) (n)
#else
#define SKTI_WROTE(n, len) ((n) < (len) ? (ssize_t)-1 : (ssize_t)(n))
#endif

/* strdup by the table's malloc. */
char *skti_strdup(const char *text);

/* malloc for size bytes; a failure is put into the error record for call. */
void *skti_malloc(const char *call, size_t size);

#endif
