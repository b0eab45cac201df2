/* descriptors.c - room for many connections: 1024 descriptors is what a shell gives, for the sake of select(2), and
 * not what the system allows. */
#include "cmd.h"
#include <sys/resource.h>

enum { MOST = 1 << 20 };

int cmd_raise_descriptor_limit(void)
{
    struct rlimit limit = { 0 };
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < MOST ? limit.rlim_max : MOST;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < MOST ? (int)limit.rlim_cur : MOST;
}
