/* duration.c - seconds and nanoseconds, and the default timeout. */
#include "duration.h"
#include "error.h"
#include <errno.h>
#include <skt.h>

static int64_t default_timeout = -1;

int64_t skti_nanoseconds(const char *call, double seconds)
{
    if (seconds == SKT_NO_TIMEOUT)
        return -1;
    if (!(seconds >= 0 && seconds <= 9e9)) {
        skti_fail_argument(call, EINVAL, "%g is no timeout: 0 to 9e9 seconds, or SKT_NO_TIMEOUT", seconds);
        return -2;
    }
    int64_t ns = (int64_t)(seconds * 1e9);
    return (double)ns < seconds * 1e9 ? ns + 1 : ns;
}

double skti_seconds(int64_t ns)
{
    return ns < 0 ? SKT_NO_TIMEOUT : (double)ns / 1e9;
}

int64_t skti_default_timeout(void)
{
    return __atomic_load_n(&default_timeout, __ATOMIC_RELAXED);
}

int skt_setdefaulttimeout(double seconds)
{
    int64_t ns = skti_nanoseconds("setdefaulttimeout", seconds);
    if (ns < -1)
        return -1;
    __atomic_store_n(&default_timeout, ns, __ATOMIC_RELAXED);
    return 0;
}

double skt_getdefaulttimeout(void)
{
    return skti_seconds(skti_default_timeout());
}
