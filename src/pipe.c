/* pipe.c - a stream's bytes into a pipe and out of one, within the kernel: splice(2).
 *
 * Two calls and not one from socket to socket: between them the bytes are in the pipe, and who owns it can do
 * other things meanwhile, count them, keep to a rate, or give up one side, without losing any. */
#include "error.h"
#include "io.h"
#include <errno.h>
#include <limits.h>

static bool usable(skt *s, const char *call, size_t len)
{
    if (s->type != SOCK_STREAM)
        skti_fail_argument(call, EINVAL, "only stream sockets move data through pipes");
    else if (len > SSIZE_MAX)
        skti_fail_argument(call, EINVAL, "the length is negative or above SSIZE_MAX: %zd", (ssize_t)len);
    else
        return true;
    return false;
}

static ssize_t move(skt *s, enum skti_call what, const char *call, int pipe, size_t len)
{
    struct skti_op op = { .call = what, .fd = pipe, .len = len };
    ssize_t n = -1;
    if (!skti_enter(s, call))
        return -1;
    if (usable(s, call, len))
        n = len == 0 ? 0 : skti_perform(s, &op, call, NULL, NULL);
    skti_leave(s);
    return n;
}

ssize_t skt_recv_pipe(skt *s, int pipe, size_t len)
{
    return move(s, SKTI_RECV_PIPE, "recv_pipe", pipe, len);
}

ssize_t skt_send_pipe(skt *s, int pipe, size_t len)
{
    return move(s, SKTI_SEND_PIPE, "send_pipe", pipe, len);
}
