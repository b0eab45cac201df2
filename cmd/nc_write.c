/* nc_write.c - writes to standard output what it takes now.
 *
 * A pipe that poll(2) calls writable has room for PIPE_BUF bytes at least, and write(2) waits until all of a larger
 * piece is in.  Its descriptor is shared with other processes, so O_NONBLOCK is not ours to set; RWF_NOWAIT, where the
 * kernel has it for pipes (Linux 6.4), asks the same of one call. */
#include "nc.h"
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_pipe(void)
{
    static int known = -1;
    struct stat output;
    if (known < 0)
        known = fstat(STDOUT_FILENO, &output) == 0 && S_ISFIFO(output.st_mode);
    return known;
}

ssize_t nc_write(const void *buf, size_t len)
{
    if (!is_pipe())
        return write(STDOUT_FILENO, buf, len);
#ifdef RWF_NOWAIT
    static bool unknown;
    struct iovec all = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
    ssize_t n = unknown ? -1 : pwritev2(STDOUT_FILENO, &all, 1, -1, RWF_NOWAIT);
    if (!unknown && (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)))
        return n;
    unknown = true;
#endif
    return write(STDOUT_FILENO, buf, len < PIPE_BUF ? len : PIPE_BUF);
}
