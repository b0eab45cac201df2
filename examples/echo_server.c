/* echo_server.c - the straight line for one connection, served to everybody on all cores.
 *
 *     echo_server [PORT]      8080 by default; ends gracefully on Ctrl-C */
#include <skt.h>
#include <stdlib.h>

static void echo(skt *conn, void *arg)
{
    char buf[1024];
    ssize_t n;
    (void)arg;
    while ((n = skt_recv(conn, buf, sizeof buf, 0)) > 0 && skt_sendall(conn, buf, (size_t)n, 0) == 0)
        ;
}

int main(int argc, char **argv)
{
    skt *server = skt_create_server(skt_inet("", argc > 1 ? atoi(argv[1]) : 8080), NULL);
    if (skt_serve(server, echo, NULL, NULL) < 0)
        skt_die("echo_server");
    skt_close(server);
}
