/* libevent.c - the peer of memcached and Tor.
 *
 * With plain events and the socket calls themselves, the faster of its two interfaces:
 * bufferevents copy every byte twice.
 *
 * Usage: echo-libevent [PORT]; prints the port. */
#include "../common.h"
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>

struct connection {
    struct event readable;
    struct event writable; /* added while there is a rest */
    char *rest;            /* what could not be sent yet, or NULL */
    size_t left;
};

static struct event_base *base;

static void end(struct connection *c)
{
    evutil_socket_t fd = event_get_fd(&c->readable);
    event_del(&c->readable);
    event_del(&c->writable);
    close(fd);
    free(c->rest);
    free(c);
}

/* The peer does not read: neither does the server, until the rest is written. */
static void stall(struct connection *c, const char *data, size_t left)
{
    c->rest = malloc(left);
    if (!c->rest)
        die("malloc");
    memcpy(c->rest, data, left);
    c->left = left;
    event_del(&c->readable);
    event_add(&c->writable, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    char buffer[BUFFER];
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    (void)what;
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end(c);
        return;
    }
    ssize_t sent = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        end(c);
    else if (sent < n)
        stall(c, buffer + (sent < 0 ? 0 : sent), (size_t)(n - (sent < 0 ? 0 : sent)));
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    ssize_t sent = send(fd, c->rest, c->left, MSG_NOSIGNAL);
    (void)what;
    if (sent < 0) {
        if (errno != EAGAIN)
            end(c);
        return;
    }
    c->left -= (size_t)sent;
    memmove(c->rest, c->rest + sent, c->left);
    if (c->left)
        return;
    free(c->rest);
    c->rest = NULL;
    event_del(&c->writable);
    event_add(&c->readable, NULL);
}

static void on_connection(evutil_socket_t server, short what, void *arg)
{
    int fd;
    (void)what;
    (void)arg;
    while ((fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        no_delay(fd);
        event_assign(&c->readable, base, fd, EV_READ | EV_PERSIST, on_readable, c);
        event_assign(&c->writable, base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
        event_add(&c->readable, NULL);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        die("accept");
}

int main(int argc, char **argv)
{
    int server = open_server(SOCK_STREAM | SOCK_NONBLOCK, port_argument(argc, argv));
    struct event listening;

    base = event_base_new();
    if (!base)
        die("event_base_new");
    event_assign(&listening, base, server, EV_READ | EV_PERSIST, on_connection, NULL);
    event_add(&listening, NULL);
    return event_base_dispatch(base);
}
