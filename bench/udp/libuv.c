/* libuv.c - uv_udp_t, which receives in batches by itself (UV_UDP_RECVMMSG), and answers
 * at once with uv_udp_try_send.
 *
 * Usage: udp-libuv [PORT]; prints the port. */
#include "../common.h"
#include <uv.h>

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char shared[20 * 65536]; /* libuv cuts it into pieces of 64 KiB, at most 20 */
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(shared, sizeof shared);
}

static void received(uv_udp_t *server, ssize_t n, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags)
{
    uv_buf_t reply = uv_buf_init(buffer->base, n > 0 ? (unsigned)n : 0);
    (void)flags;
    if (from && uv_udp_try_send(server, &reply, 1, from) < 0)
        die("uv_udp_try_send");
}

int main(int argc, char **argv)
{
    uv_udp_t server;
    struct sockaddr_in address;
    int length = sizeof address;

    uv_ip4_addr("127.0.0.1", port_argument(argc, argv), &address);
    if (uv_udp_init_ex(uv_default_loop(), &server, AF_INET | UV_UDP_RECVMMSG) < 0 ||
        uv_udp_bind(&server, (struct sockaddr *)&address, 0) < 0 ||
        uv_udp_getsockname(&server, (struct sockaddr *)&address, &length) < 0)
        die("udp-libuv");
    print_port(ntohs(address.sin_port));
    uv_udp_recv_start(&server, give_buffer, received);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
