/* skt.c - what is measured: the server that skt's documentation shows, a straight line for
 * each connection.
 *
 * Usage: echo-skt [PORT [SPIN-SECONDS]]; prints the port. */
#include "../common.h"
#include <skt.h>

static void echo(skt *conn, void *arg)
{
    char buf[BUFFER];
    ssize_t n;
    (void)arg;
    while ((n = skt_recv(conn, buf, sizeof buf, 0)) > 0 && skt_sendall(conn, buf, (size_t)n, 0) == 0)
        ;
}

int main(int argc, char **argv)
{
    skt_serve_options options = { .threads = 1, .spin = argc > 2 ? atof(argv[2]) : 0 };
    skt_addr address;
    skt *server = skt_create_server(skt_inet("127.0.0.1", port_argument(argc, argv)),
                                    &(skt_server_options){ .backlog = BACKLOG });
    if (skt_getsockname(server, &address) < 0)
        skt_die("echo-skt");
    print_port(skt_port(&address));
    if (skt_serve(server, echo, NULL, &options) < 0)
        skt_die("echo-skt");
}
