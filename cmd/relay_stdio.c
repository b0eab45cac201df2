/* relay_stdio.c - standard input and output as a socket, so that a link needs to know nothing else: the data go
 * through a pair of AF_UNIX sockets, and two tasks carry them on. */
#include "relay.h"
#include <errno.h>
#include <limits.h>
#include <unistd.h>

static struct {
    skt *sock; /* our end of the pair */
    bool written;
} stdio;

static void wait_for(int fd, short events)
{
    struct pollfd one = { .fd = fd, .events = events };
    skt_poll(&one, 1, SKT_NO_TIMEOUT);
}

static void carry_input(void *arg)
{
    char *buf = relay_take_buffer(false);
    ssize_t n = 1;
    (void)arg;
    while (buf && n > 0) {
        wait_for(STDIN_FILENO, POLLIN);
        n = read(STDIN_FILENO, buf, RELAY_BUFFER);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            n = 1;
        else if (n < 0)
            cmd_say("standard input: %m");
        else if (skt_sendall(stdio.sock, buf, (size_t)n, 0) < 0)
            n = 0;
    }
    skt_shutdown(stdio.sock, SHUT_WR);
    relay_give_buffer(buf, false);
}

static int write_all(const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, buf, len < PIPE_BUF ? len : PIPE_BUF); /* as much as fits where poll says so */
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        buf += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
        if (len > 0)
            wait_for(STDOUT_FILENO, POLLOUT);
    }
    return 0;
}

static void carry_output(void *arg)
{
    char *buf = relay_take_buffer(false);
    ssize_t n = 0;
    (void)arg;
    while (buf && (n = skt_recv(stdio.sock, buf, RELAY_BUFFER, 0)) > 0) {
        wait_for(STDOUT_FILENO, POLLOUT);
        if (write_all(buf, (size_t)n) < 0) {
            cmd_say("standard output: %m");
            skt_shutdown(stdio.sock, SHUT_RDWR);
            n = -1;
            break;
        }
    }
    relay_give_buffer(buf, false);
    stdio.written = n == 0;
    skt_close(stdio.sock);
    stdio.sock = NULL;
}

skt *relay_stdio(void)
{
    skt *pair[2];
    if (skt_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return NULL;
    stdio.sock = pair[0];
    if (skt_go(carry_output, NULL) == 0 && skt_go(carry_input, NULL) == 0)
        return pair[1];
    skt_close(pair[1]);
    return NULL;
}

bool relay_end_stdio(void)
{
    while (stdio.sock)
        skt_sleep(0.001);
    return stdio.written;
}
