/* pause.c - waiting for time, for other tasks, and for descriptors that are no skt. */
#include "duration.h"
#include "error.h"
#include "wait.h"
#include <errno.h>
#include <limits.h>

/* Waits for descriptors, or only for time: poll(2)'s result, or -1 with the record.  A nearer deadline of
 * skt_deadline_begin is a failure. */
static int wait_for(const char *call, struct pollfd *fds, unsigned n, int64_t ns)
{
    int64_t wanted = ns < 0 ? SKTI_FOREVER : skti_now() + ns, until = skti_within_scope(wanted);
    if (skti_in_task() && skti_checkpoint_here() < 0)
        return skti_fail(call, errno);
    int ready = skti_poll(fds, n, until);
    if (ready < 0)
        return skti_fail(call, errno);
    if (ready == 0 && until < wanted)
        return skti_fail_at(call, NULL, NULL, ETIMEDOUT, SKTI_OWN_TIMEOUT);
    return ready;
}

int skt_sleep(double seconds)
{
    int64_t ns = skti_nanoseconds("sleep", seconds);
    return ns < -1 ? -1 : wait_for("sleep", NULL, 0, ns);
}

void skt_yield(void)
{
    skti_let_others_run();
}

bool skt_in_task(void)
{
    return skti_in_task();
}

int skt_poll(struct pollfd *fds, size_t n, double timeout)
{
    int64_t ns = skti_nanoseconds("poll", timeout);
    if (ns < -1)
        return -1;
    if (!fds && n > 0)
        return skti_fail_argument("poll", EFAULT, "the descriptors are NULL");
    if (n > INT_MAX)
        return skti_fail_argument("poll", EINVAL, "the number of descriptors is negative");
    return wait_for("poll", fds, (unsigned)n, ns);
}
