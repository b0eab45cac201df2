/* option.c - socket options, and the timeout. */
#include "duration.h"
#include "error.h"
#include "object.h"
#include "sys.h"
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>

int skt_setsockopt(skt *s, int level, int name, const void *value, socklen_t len)
{
    if (!skti_enter(s, "setsockopt"))
        return -1;
    int result = skti_sys.setsockopt(skti_fd(s), level, name, value, len);
    if (result < 0) {
        skti_fail("setsockopt", errno);
        skti_record_detail("level %d, option %d", level, name);
    } else if ((level == IPPROTO_TCP && name == TCP_ULP) || (level == SOL_SOCKET && name == SO_RCVLOWAT)) {
        skti_distrust_short(s); /* kTLS gives one record at a time; poll(2) waits for more than recv(2) does */
    }
    skti_leave(s);
    return result;
}

int skt_getsockopt(skt *s, int level, int name, void *value, socklen_t *len)
{
    int result;
    if (!skti_enter(s, "getsockopt"))
        return -1;
    if (!len || (!value && *len > 0)) {
        result = skti_fail_argument("getsockopt", EFAULT, "%s is NULL", len ? "value" : "len");
    } else if ((result = skti_sys.getsockopt(skti_fd(s), level, name, value, len)) < 0) {
        skti_fail("getsockopt", errno);
        skti_record_detail("level %d, option %d", level, name);
    }
    skti_leave(s);
    return result;
}

/* The options of AF_VSOCK's own level are 64-bit numbers. */
static bool is_wide(const skt *s, int level)
{
    return s->family == AF_VSOCK && level == AF_VSOCK;
}

int skt_setsockopt_int(skt *s, int level, int name, int value)
{
    uint64_t wide = (uint64_t)value;
    if (s && is_wide(s, level))
        return skt_setsockopt(s, level, name, &wide, sizeof wide);
    return skt_setsockopt(s, level, name, &value, sizeof value);
}

/* An option may answer with fewer bytes than an int has: the rest is 0. */
int skt_getsockopt_int(skt *s, int level, int name, int *value)
{
    uint64_t wide = 0;
    int narrow = 0, result;
    socklen_t len;
    if (!skti_enter(s, "getsockopt"))
        return -1;
    bool is64 = is_wide(s, level);
    len = is64 ? sizeof wide : sizeof narrow;
    if (!value)
        result = skti_fail_argument("getsockopt", EFAULT, "value is NULL");
    else if ((result = skt_getsockopt(s, level, name, is64 ? (void *)&wide : (void *)&narrow, &len)) == 0)
        *value = is64 ? (int)wide : narrow;
    skti_leave(s);
    return result;
}

/* ---- The timeout ---- */

static int set_timeout(skt *s, const char *call, double seconds)
{
    int result = -1;
    if (!skti_enter(s, call))
        return -1;
    int64_t ns = skti_nanoseconds(call, seconds);
    if (ns >= -1 && (result = skti_set_timeout(s, ns)) < 0)
        skti_fail(call, errno);
    skti_leave(s);
    return result;
}

int skt_settimeout(skt *s, double seconds)
{
    return set_timeout(s, "settimeout", seconds);
}

int skt_setblocking(skt *s, bool blocking)
{
    return set_timeout(s, "setblocking", blocking ? SKT_NO_TIMEOUT : 0);
}

double skt_gettimeout(skt *s)
{
    if (!skti_enter(s, "gettimeout"))
        return NAN;
    double seconds = skti_seconds(skti_settled_timeout(s));
    skti_leave(s);
    return seconds;
}

bool skt_getblocking(skt *s)
{
    if (!skti_enter(s, "getblocking"))
        return false;
    bool blocking = skti_settled_timeout(s) != 0;
    skti_leave(s);
    return blocking;
}
