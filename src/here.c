/* here.c - what belongs to the running task or thread: see here.h; and deadlines over several calls. */
#include "here.h"
#include "clock.h"
#include "duration.h"
#include "error.h"
#include <errno.h>

_Thread_local struct skti_here skti_here;
static _Thread_local struct skti_scope threads_own = { .deadline = SKTI_FOREVER };

struct skti_scope *skti_thread_scope(void)
{
    return &threads_own;
}

struct skti_scope *skti_scope(void)
{
    return skti_here.scope ? skti_here.scope : &threads_own;
}

static void set_deadline(int64_t deadline)
{
    skti_scope()->deadline = deadline;
    if (deadline == SKTI_FOREVER)
        skti_here.mode &= ~(unsigned)SKTI_HAS_DEADLINE;
    else
        skti_here.mode |= SKTI_HAS_DEADLINE;
}

skt_deadline skt_deadline_begin(double seconds)
{
    skt_deadline d = { .before = skti_scope()->deadline, .at = SKTI_FOREVER };
    int keep = errno;
    int64_t ns = skti_nanoseconds("deadline_begin", seconds);
    if (ns < -1)
        ns = 0; /* what is no time at all is over: the record says so, and the next call that waits fails */
    if (ns >= 0)
        d.at = skti_now() + ns;
    set_deadline(d.at < d.before ? d.at : d.before);
    errno = keep;
    return d;
}

bool skt_deadline_end(skt_deadline d)
{
    set_deadline(d.before);
    return d.at != SKTI_FOREVER && skti_now() >= d.at;
}
