/* faults.h - makes the n-th system call or allocation of the library fail.
 *
 * Stands between the library and its table of system calls (sys.h): every entry counts, and fails by
 * plan. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* The entries, in the table's order. */
enum fault_call {
    F_socket,
    F_socketpair,
    F_bind,
    F_listen,
    F_accept4,
    F_connect,
    F_shutdown,
    F_getsockname,
    F_getpeername,
    F_getsockopt,
    F_setsockopt,
    F_recv,
    F_recvfrom,
    F_recvmsg,
    F_recvmmsg,
    F_send,
    F_sendto,
    F_sendmsg,
    F_sendmmsg,
    F_sendfile,
    F_splice,
    F_close,
    F_dup_cloexec,
    F_get_fd_flags,
    F_set_fd_flags,
    F_get_file_flags,
    F_set_nonblocking,
    F_open,
    F_readlink,
    F_opendir,
    F_unlink,
    F_rename,
    F_pread,
    F_eventfd,
    F_read,
    F_write,
    F_epoll_create1,
    F_epoll_ctl,
    F_epoll_pwait2,
    F_epoll_wait,
    F_ppoll,
    F_start_thread,
    F_getaddrinfo,
    F_getnameinfo,
    F_gethostbyname,
    F_gethostbyaddr,
    F_getservbyname,
    F_getservbyport,
    F_getprotobyname,
    F_gethostname,
    F_sethostname,
    F_if_nametoindex,
    F_if_indextoname,
    F_if_nameindex,
    F_fopencookie,
    F_malloc,
    F_calloc,
    F_realloc,
    F_mmap,
    F_munmap,
    F_mprotect,
    F_madvise,
    F_CALLS,
    F_NONE = -1,
};

/* An entry's name, and the errnos (EAI_... for the resolver) that its manual page documents, ended by 0. */
const char *fault_name(int call);
const int *fault_codes(int call);

/* Puts the layer over the table, or takes it away. */
void faults_install(void);
void faults_remove(void);

/* From here on calls are counted.  The nth from 1 on fails with code, or, since
 * threads do not always take turns alike, the first of its kind from there on; with for_ever, so do all
 * of its kind that follow.  n 0: none does. */
void faults_arm(size_t n, int call, int code, bool for_ever);
void faults_disarm(void);

/* Whether the one that was to fail since the last arming has been called. */
bool fault_happened(void);

/* Which call the nth was since the last arming, F_NONE if there were fewer; and how many there were. */
int fault_call_at(size_t n);
size_t fault_count(void);

/* Transfers at most so many bytes a call; 0: no limit. */
void faults_limit(size_t bytes);

/* Lets every second call that may be interrupted fail with EINTR. */
void faults_interrupt(bool on);

/* Allocations that have not been freed. */
long fault_allocations(void);

#endif
