/* raw.c - the yardstick: an echo server as one writes it by hand, straight on epoll.
 *
 * Nothing can be faster with the same system calls: sockets are registered
 * once, edge-triggered, and a recv that does not fill the buffer has drained
 * the socket, so that a request costs one recv and one send.
 *
 * Usage: echo-raw [PORT [SPIN-SECONDS]]; prints the port. */
#include "../common.h"
#include <errno.h>
#include <sys/epoll.h>

#define READABLE (EPOLLIN | EPOLLRDHUP | EPOLLET)
#define WRITABLE (EPOLLOUT | EPOLLET)
#define EVENTS 256

struct connection {
    int fd;
    size_t left; /* bytes of rest that could not be sent yet */
    char rest[]; /* allocated with the connection only once a peer does not read */
};

static int loop;

static void watch(int operation, struct connection *c, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = c };
    if (epoll_ctl(loop, operation, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void end(struct connection *c)
{
    close(c->fd);
    free(c);
}

/* The peer does not read: keeps what is left, and waits until it does. */
static void stall(struct connection *c, const char *data, size_t left)
{
    struct connection *bigger = realloc(c, sizeof *c + BUFFER);
    if (!bigger)
        die("realloc");
    memmove(bigger->rest, data, left);
    bigger->left = left;
    watch(EPOLL_CTL_MOD, bigger, WRITABLE);
}

/* Echoes until the socket is drained; at_end: its end, or an error, waits behind the data. */
static void echo(struct connection *c, int at_end)
{
    char buffer[BUFFER];
    for (;;) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n <= 0) {
            if (n == 0 || errno != EAGAIN)
                end(c);
            return;
        }
        ssize_t sent = send(c->fd, buffer, (size_t)n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            end(c);
            return;
        }
        if (sent < n) {
            sent = sent < 0 ? 0 : sent;
            stall(c, buffer + sent, (size_t)(n - sent));
            return;
        }
        if (n < (ssize_t)sizeof buffer && !at_end)
            return;
    }
}

static void resume(struct connection *c)
{
    ssize_t sent = send(c->fd, c->rest, c->left, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
        return;
    if (sent < 0) {
        end(c);
        return;
    }
    c->left -= (size_t)sent;
    memmove(c->rest, c->rest + sent, c->left);
    if (!c->left)
        watch(EPOLL_CTL_MOD, c, READABLE);
}

static void accept_all(int server)
{
    int fd;
    while ((fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = malloc(sizeof *c);
        if (!c)
            die("malloc");
        *c = (struct connection){ .fd = fd };
        no_delay(fd);
        watch(EPOLL_CTL_ADD, c, READABLE);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        die("accept");
}

/* Looks for events for spin ns before it sleeps. */
static int next_events(struct epoll_event *events, uint64_t spin)
{
    uint64_t until = spin ? now_ns() + spin : 0;
    int n = 0;
    while (spin && n == 0 && now_ns() < until)
        n = epoll_wait(loop, events, EVENTS, 0);
    return n ? n : epoll_wait(loop, events, EVENTS, -1);
}

int main(int argc, char **argv)
{
    int server = open_server(SOCK_STREAM | SOCK_NONBLOCK, port_argument(argc, argv));
    uint64_t spin = argc > 2 ? (uint64_t)(atof(argv[2]) * 1e9) : 0;
    struct epoll_event events[EVENTS], listening = { .events = EPOLLIN, .data.ptr = NULL };

    loop = epoll_create1(EPOLL_CLOEXEC);
    if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, server, &listening) < 0)
        die("epoll");
    for (;;) {
        int n = next_events(events, spin);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c)
                accept_all(server);
            else if (c->left)
                resume(c);
            else
                echo(c, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
        }
    }
}
