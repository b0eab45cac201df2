/* connect.c - one socket to one address. */
#include "connect.h"
#include "error.h"
#include "io.h"
#include "object.h"
#include "resolve.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>

#define MILLISECOND 1000000

int skti_connect_result(int fd)
{
    int code = 0;
    socklen_t len = sizeof code;
    if (skti_sys.getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
        return errno;
    return code == EISCONN ? 0 : code;
}

/* An attempt that the call has made, with what is known of it. */
struct attempt {
    skt *s;
    const skt_addr *to;
    int64_t timeout, deadline;
    bool kernel_waits;
    bool interrupted; /* connect(2) was called before, and a signal ended it */
    unsigned full;    /* times that the listener's queue was full */
};

/* What attempt_once says beside 0 and an errno. */
enum { ONCE_MORE = -1, OWN_TIMEOUT = -2 };

static int wait_for_end(struct attempt *a)
{
    skti_found_dry(a->s, POLLOUT);
    if (skti_wait_socket(a->s, false, POLLOUT, a->deadline, false) < 0)
        return errno == ETIMEDOUT ? OWN_TIMEOUT : errno;
    return skti_connect_result(skti_fd(a->s));
}

/* An AF_UNIX listener's queue is full: the kernel has no event for its having
 * room again, so look again after 1 to 16 ms. */
static int wait_for_room(struct attempt *a)
{
    int64_t until = skti_now() + ((int64_t)MILLISECOND << (a->full < 4 ? a->full : 4));
    a->full++;
    if (skti_wait(a->s, false, NULL, 0, until < a->deadline ? until : a->deadline) < 0 && errno != ETIMEDOUT)
        return errno;
    return skti_now() >= a->deadline ? OWN_TIMEOUT : ONCE_MORE;
}

/* One connect(2), and what follows from its answer.  After a signal it is
 * asked again and says how far it is. */
static int attempt_once(struct attempt *a)
{
    if (skti_sys.connect(skti_fd(a->s), &a->to->as.any, a->to->len) == 0)
        return 0;
    bool waits = a->timeout != 0 && !a->kernel_waits;
    switch (errno) {
    case EINTR:
        a->interrupted = true;
        return skti_interrupted() ? ONCE_MORE : EINTR;
    case EISCONN:
        return a->interrupted ? 0 : EISCONN;
    case EALREADY:
        return a->interrupted && waits ? wait_for_end(a) : EALREADY;
    case EINPROGRESS:
        return waits ? wait_for_end(a) : EINPROGRESS;
    case EAGAIN:
        return waits && a->s->family == AF_UNIX ? wait_for_room(a) : EAGAIN;
    default:
        return errno;
    }
}

static int attempt_until_answered(struct attempt *a)
{
    int code;
    do
        code = attempt_once(a);
    while (code == ONCE_MORE);
    return code;
}

static int connect_to(skt *s, const skt_addr *to, int64_t deadline)
{
    struct attempt a = { .s = s, .to = to, .timeout = skti_settled_timeout(s), .deadline = deadline };
    if (a.deadline == 0)
        a.deadline = skti_deadline(a.timeout);
    a.kernel_waits = skti_kernel_waits(s) && !skti_stays_nonblocking(s);
    if (a.kernel_waits)
        return attempt_until_answered(&a);
    if (skti_borrow_nonblocking(s) < 0)
        return errno;
    int code = attempt_until_answered(&a);
    skti_return_nonblocking(s);
    return code;
}

static int connect_entered(skt *s, const skt_addr *addr)
{
    skt_addr room;
    int64_t deadline = 0;
    const skt_addr *to = skti_resolve(s, "connect", addr, &room, &deadline);
    if (!to)
        return -1;
    int code = connect_to(s, to, deadline);
    if (code == OWN_TIMEOUT)
        return skti_fail_at("connect", to, skti_name_of(addr), ETIMEDOUT, SKTI_OWN_TIMEOUT);
    if (code != 0)
        return skti_fail_at("connect", to, skti_name_of(addr), code, SKTI_SYSTEM);
    skti_remember_peer(s, &to->as.any, to->len);
    skti_expect_nothing(s, POLLIN); /* the other end has hardly had the time to say something */
    return 0;
}

int skt_connect(skt *s, skt_addr addr)
{
    if (!skti_enter(s, "connect"))
        return -1;
    bool cancelled = skti_in_task() && skti_checkpoint_here() < 0;
    int result = cancelled ? skti_fail_on(s, "connect", errno, SKTI_SYSTEM) : connect_entered(s, &addr);
    skti_leave(s);
    return result;
}

int skt_connect_ex(skt *s, skt_addr addr)
{
    if (!s)
        return errno ? errno : EBADF;
    int keep = errno;
    int code = skt_connect(s, addr) == 0 ? 0 : skt_timed_out() ? EAGAIN : errno;
    errno = keep;
    return code;
}
