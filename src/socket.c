/* socket.c - making sockets, ending them, and what they say of themselves. */
#include "socket.h"
#include "address.h"
#include "duration.h"
#include "error.h"
#include "object.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* ---- Making ---- */

skt *skti_adopt(const char *call, int fd, int family, int type, int proto)
{
    skt *s = skti_new(call, fd, family, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), proto);
    if (!s) {
        skti_sys.close(fd);
        errno = ENOMEM;
        return NULL;
    }
    int64_t timeout = type & SOCK_NONBLOCK ? 0 : skti_default_timeout();
    if (timeout >= 0 && skti_set_timeout(s, timeout) < 0) {
        int code = errno;
        skti_drop(s);
        skti_fail(call, code);
        return NULL;
    }
    return s;
}

static int fail_to_make(const char *call, int family, int type, int proto, int code)
{
    const char *name = skti_family_name(family);
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    skti_fail(call, code);
    if (name)
        skti_record_detail("%s, type %d, protocol %d", name, kind, proto);
    else
        skti_record_detail("family %d, type %d, protocol %d", family, kind, proto);
    return -1;
}

skt *skt_socket(int family, int type, int proto)
{
    int fd = skti_sys.socket(family, type | SOCK_CLOEXEC, proto);
    if (fd < 0) {
        fail_to_make("socket", family, type, proto, errno);
        return NULL;
    }
    return skti_adopt("socket", fd, family, type, proto);
}

int skt_socketpair(int family, int type, int proto, skt *pair[2])
{
    int fd[2];
    if (!pair)
        return skti_fail_argument("socketpair", EFAULT, "the array for the two sockets is NULL");
    pair[0] = pair[1] = NULL;
    family = family ? family : AF_UNIX;
    if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0)
        type |= SOCK_STREAM;
    if (skti_sys.socketpair(family, type | SOCK_CLOEXEC, proto, fd) < 0)
        return fail_to_make("socketpair", family, type, proto, errno);
    skt *first = skti_adopt("socketpair", fd[0], family, type, proto);
    if (!first) {
        skti_sys.close(fd[1]);
        errno = skt_error_record()->code;
        return -1;
    }
    skt *second = skti_adopt("socketpair", fd[1], family, type, proto);
    if (!second) {
        skti_drop(first);
        return -1;
    }
    pair[0] = first;
    pair[1] = second;
    return 0;
}

/* Who fd is connected to, len 0 where that is nobody.  -1: fd is no socket. */
static int ask_peer(int fd, struct sockaddr_storage *peer, socklen_t *len)
{
    *len = sizeof *peer;
    if (skti_sys.getpeername(fd, (struct sockaddr *)peer, len) == 0)
        return 0;
    *len = 0;
    return errno == EBADF || errno == ENOTSOCK ? -1 : 0;
}

static int ask(int fd, int name, int *value)
{
    socklen_t len = sizeof *value;
    return skti_sys.getsockopt(fd, SOL_SOCKET, name, value, &len);
}

/* The timeout of what is adopted: 0 if it is non-blocking, else the default.  Without a default nobody asks
 * before it matters. */
static int adopt_timeout(skt *s)
{
    if (skti_default_timeout() < 0) {
        s->mode_is_unknown = true;
        return 0;
    }
    int flags = skti_sys.get_file_flags(skti_fd(s));
    if (flags < 0)
        return -1;
    return skti_set_timeout(s, flags & O_NONBLOCK ? 0 : skti_default_timeout());
}

/* Like skti_adopt, but on failure fd stays the caller's: it is taken out of the struct again. */
static skt *adopt_foreign(int fd, int family, int type, int proto)
{
    skt *s = skti_new("fromfd", fd, family, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), proto);
    if (!s)
        return NULL;
    if (adopt_timeout(s) < 0) {
        int code = errno;
        __atomic_store_n(&s->fd, -1, __ATOMIC_RELAXED);
        skti_drop(s);
        skti_fail("fromfd", code);
        return NULL;
    }
    skti_share_file(s); /* and what was done to it before, nobody knows */
    return s;
}

/* Finds out what the caller does not know (-1) of fd. */
static int find_out(int fd, int *family, int *type, int *proto)
{
    bool known = (*family != -1 || ask(fd, SO_DOMAIN, family) == 0) && (*type != -1 || ask(fd, SO_TYPE, type) == 0) &&
                 (*proto != -1 || ask(fd, SO_PROTOCOL, proto) == 0);
    return known ? 0 : -1;
}

skt *skt_fromfd_as(int fd, int family, int type, int proto)
{
    if (fd < 0) {
        skti_fail_argument("fromfd", EBADF, "negative file descriptor: %d", fd);
        return NULL;
    }
    struct sockaddr_storage peer;
    socklen_t len;
    if (ask_peer(fd, &peer, &len) < 0 || find_out(fd, &family, &type, &proto) < 0) {
        skti_fail("fromfd", errno);
        skti_record_detail("descriptor %d", fd);
        return NULL;
    }
    skt *s = adopt_foreign(fd, family, type, proto);
    if (s && len > 0)
        skti_remember_peer(s, (struct sockaddr *)&peer, len);
    return s;
}

skt *skt_fromfd(int fd)
{
    return skt_fromfd_as(fd, -1, -1, -1);
}

/* Where a task has borrowed O_NONBLOCK for good, it is for both from now on. */
static void share_mode(skt *s, skt *copy)
{
    if (!skti_stays_nonblocking(s))
        return;
    pthread_mutex_lock(&s->lock);
    s->mode_is_shared = true;
    pthread_mutex_unlock(&s->lock);
    if (skti_timeout(copy) < 0)
        skti_stay_nonblocking(copy);
}

skt *skt_dup(skt *s)
{
    if (!skti_enter(s, "dup"))
        return NULL;
    skt *copy = NULL;
    int fd = skti_sys.dup_cloexec(skti_fd(s));
    if (fd < 0) {
        skti_fail("dup", errno);
    } else if ((copy = skti_new("dup", fd, s->family, s->type, s->proto))) {
        /* The mode belongs to what both descriptors stand for: it is right already. */
        __atomic_store_n(&copy->timeout, skti_settled_timeout(s), __ATOMIC_RELAXED);
        share_mode(s, copy);
        skti_share_file(s); /* what is done to one is done to both */
        skti_share_file(copy);
        if (s->peer_len)
            skti_remember_peer(copy, (struct sockaddr *)&s->peer, s->peer_len);
    } else {
        skti_sys.close(fd);
        errno = ENOMEM;
    }
    skti_leave(s);
    return copy;
}

/* ---- Ending ---- */

/* No further call may begin: false if that was so already.  Nobody has to be woken where there are no users but the
 * handle and this call. */
static bool retire(skt *s, const char *call)
{
    if (!skti_enter_here(s, call))
        return false;
    uint32_t before;
    if (skti_alone()) {
        before = s->state;
        s->state |= SKTI_CLOSED;
    } else {
        before = __atomic_fetch_or(&s->state, SKTI_CLOSED, __ATOMIC_ACQ_REL);
    }
    if (before & SKTI_CLOSED)
        skti_fail(call, EBADF);
    else if ((before & SKTI_USERS) > 2)
        skti_wake_waiters(s);
    skti_leave_here(s);
    return !(before & SKTI_CLOSED);
}

int skt_close(skt *s)
{
    if (!s)
        return 0;
    if (!retire(s, "close"))
        return -1;
    int code = skti_leave_here(s);
    return code == 0 || code == ECONNRESET ? 0 : skti_fail("close", code);
}

/* Who is inside still uses the number: it is only given away when all have left.
 * They leave soon, since none waits any more. */
static void wait_until_left(skt *s)
{
    while ((skti_state(s) & SKTI_USERS) > 1) {
        pthread_mutex_lock(&s->lock);
        unsigned shares = 1 + s->files;
        pthread_mutex_unlock(&s->lock);
        if ((skti_state(s) & SKTI_USERS) <= shares)
            return;
        skti_let_others_run();
    }
}

int skt_detach(skt *s)
{
    if (!s || !retire(s, "detach"))
        return -1;
    int fd = skti_fd(s);
    __atomic_store_n(&s->fd, -1, __ATOMIC_RELEASE); /* nobody else writes it now */
    if ((skti_state(s) & SKTI_USERS) > 1)
        skti_wake_waiters(s);
    wait_until_left(s);
    skti_unwatch(s, fd);
    skti_fit_mode(s, fd);
    skti_leave_here(s);
    return fd;
}

/* ---- What it says of itself ---- */

int skt_fileno(skt *s)
{
    if (!skti_enter_here(s, "fileno"))
        return -1;
    int fd = skti_fd(s);
    skti_share_file(s);
    skti_leave_here(s);
    return fd;
}

static int attribute(skt *s, const char *call, size_t offset)
{
    if (!skti_enter_here(s, call))
        return -1;
    int value = *(const int *)((const char *)s + offset);
    skti_leave_here(s);
    return value;
}

int skt_family(skt *s)
{
    return attribute(s, "family", offsetof(skt, family));
}

int skt_type(skt *s)
{
    return attribute(s, "type", offsetof(skt, type));
}

int skt_proto(skt *s)
{
    return attribute(s, "proto", offsetof(skt, proto));
}

int skt_get_inheritable(skt *s)
{
    if (!skti_enter(s, "get_inheritable"))
        return -1;
    int flags = skti_sys.get_fd_flags(skti_fd(s));
    int result = flags < 0 ? skti_fail("get_inheritable", errno) : !(flags & FD_CLOEXEC);
    skti_leave(s);
    return result;
}

int skt_set_inheritable(skt *s, bool inheritable)
{
    if (!skti_enter(s, "set_inheritable"))
        return -1;
    int flags = skti_sys.get_fd_flags(skti_fd(s));
    int wanted = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
    int result = 0;
    skti_share_file(s);
    if (flags < 0 || (wanted != flags && skti_sys.set_fd_flags(skti_fd(s), wanted) < 0))
        result = skti_fail("set_inheritable", errno);
    skti_leave(s);
    return result;
}

static int get_name(skt *s, const char *call, skt_addr *addr, int (*get)(int fd, struct sockaddr *sa, socklen_t *len))
{
    int result;
    socklen_t len = sizeof addr->as;
    if (!skti_enter(s, call))
        return -1;
    if (!addr)
        result = skti_fail_argument(call, EFAULT, "the place for the address is NULL");
    else if (get(skti_fd(s), &addr->as.any, &len) < 0)
        result = skti_fail_on(s, call, errno, SKTI_SYSTEM);
    else {
        skti_addr_received(addr, len, s->proto);
        result = 0;
    }
    skti_leave(s);
    return result;
}

int skt_getsockname(skt *s, skt_addr *addr)
{
    return get_name(s, "getsockname", addr, skti_sys.getsockname);
}

int skt_getpeername(skt *s, skt_addr *addr)
{
    return get_name(s, "getpeername", addr, skti_sys.getpeername);
}

/* ", laddr=127.0.0.1:80", or nothing where there is no such address. */
static void address_part(skt *s, const char *label, char *part, size_t len,
                         int (*get)(int fd, struct sockaddr *sa, socklen_t *salen))
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    socklen_t salen = sizeof addr.as;
    *part = '\0';
    if (get(skti_fd(s), &addr.as.any, &salen) < 0)
        return;
    skti_addr_received(&addr, salen, s->proto);
    snprintf(part, len, ", %s=%s", label, skt_addr_text(&addr, text, sizeof text));
}

static const char *type_name(int type, char *buf, size_t len)
{
    static const char *const names[] = {
        [SOCK_STREAM] = "SOCK_STREAM", [SOCK_DGRAM] = "SOCK_DGRAM",         [SOCK_RAW] = "SOCK_RAW",
        [SOCK_RDM] = "SOCK_RDM",       [SOCK_SEQPACKET] = "SOCK_SEQPACKET",
    };
    if (type >= 0 && (size_t)type < sizeof names / sizeof *names && names[type])
        return names[type];
    snprintf(buf, len, "%d", type);
    return buf;
}

char *skt_repr(skt *s, char *buf, size_t len)
{
    char local[SKT_ADDR_TEXT_MAX + 8], remote[SKT_ADDR_TEXT_MAX + 8], family[16], type[16];
    int keep = errno;
    if (!buf || len == 0)
        return NULL;
    if (len > INT_MAX)
        len = INT_MAX; /* more is an error to some snprintf */
    if (!s || (skti_state(s) & SKTI_CLOSED) || !skti_enter(s, "repr")) {
        snprintf(buf, len, s ? "<skt [closed]>" : "<skt NULL>");
        return buf;
    }
    address_part(s, "laddr", local, sizeof local, skti_sys.getsockname);
    address_part(s, "raddr", remote, sizeof remote, skti_sys.getpeername);
    snprintf(family, sizeof family, "%d", s->family);
    snprintf(buf, len, "<skt fd=%d, family=%s, type=%s, proto=%d%s%s>", skti_fd(s),
             skti_family_name(s->family) ? skti_family_name(s->family) : family, type_name(s->type, type, sizeof type),
             s->proto, local, remote);
    skti_leave(s);
    errno = keep;
    return buf;
}
