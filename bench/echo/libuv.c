/* libuv.c - the peer that most programs in C would take: the loop of node.js.
 *
 * As fast as its users write it: one buffer for all connections, and uv_try_write, so that
 * a reply costs neither a request nor a turn of the loop; uv_write takes over where a peer
 * does not read.
 *
 * Usage: echo-libuv [PORT]; prints the port. */
#include "../common.h"
#include <uv.h>

struct stalled_write {
    uv_write_t request;
    char data[BUFFER];
};

static char shared[BUFFER];

static void check(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
        exit(1);
    }
}

static void freed(uv_handle_t *handle)
{
    free(handle);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(shared, sizeof shared);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void written(uv_write_t *request, int status)
{
    uv_stream_t *stream = request->handle;
    free(request);
    if (status == 0)
        uv_read_start(stream, give_buffer, received);
    else if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, freed);
}

/* The peer does not read: neither does the server, until the rest is written. */
static void stall(uv_stream_t *stream, const char *data, size_t left)
{
    struct stalled_write *w = malloc(sizeof *w);
    if (!w)
        die("malloc");
    memcpy(w->data, data, left);
    uv_buf_t buffer = uv_buf_init(w->data, (unsigned)left);
    uv_read_stop(stream);
    check(uv_write(&w->request, stream, &buffer, 1, written), "write");
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    if (n < 0) {
        uv_close((uv_handle_t *)stream, freed);
        return;
    }
    uv_buf_t reply = uv_buf_init(buffer->base, (unsigned)n);
    int sent = n ? uv_try_write(stream, &reply, 1) : 0;
    if (sent < 0 && sent != UV_EAGAIN)
        uv_close((uv_handle_t *)stream, freed);
    else if (sent < n)
        stall(stream, buffer->base + (sent < 0 ? 0 : sent), (size_t)(n - (sent < 0 ? 0 : sent)));
}

static void connected(uv_stream_t *server, int status)
{
    uv_tcp_t *connection = malloc(sizeof *connection);
    check(status, "connection");
    if (!connection)
        die("malloc");
    uv_tcp_init(server->loop, connection);
    check(uv_accept(server, (uv_stream_t *)connection), "accept");
    uv_tcp_nodelay(connection, 1);
    uv_read_start((uv_stream_t *)connection, give_buffer, received);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t server;
    struct sockaddr_in address;
    int length = sizeof address;

    uv_tcp_init(loop, &server);
    uv_ip4_addr("127.0.0.1", port_argument(argc, argv), &address);
    check(uv_tcp_bind(&server, (struct sockaddr *)&address, 0), "bind");
    check(uv_listen((uv_stream_t *)&server, BACKLOG, connected), "listen");
    check(uv_tcp_getsockname(&server, (struct sockaddr *)&address, &length), "getsockname");
    print_port(ntohs(address.sin_port));
    return uv_run(loop, UV_RUN_DEFAULT);
}
