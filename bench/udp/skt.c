/* skt.c - what is measured: datagrams one by one, or with "batch" as many as are there.
 *
 * Usage: udp-skt [PORT [batch]]; prints the port. */
#include "../common.h"
#include <skt.h>

#define BATCH 64

static void echo_one_by_one(void *server)
{
    char buffer[BUFFER];
    skt_addr from;
    ssize_t n;
    while ((n = skt_recvfrom(server, buffer, sizeof buffer, 0, &from)) >= 0 &&
           skt_sendto(server, buffer, (size_t)n, 0, from) >= 0)
        ;
    skt_die("udp-skt");
}

static void echo_batches(void *server)
{
    static char buffer[BATCH * BUFFER];
    static skt_datagram datagrams[BATCH];
    static skt_addr from[BATCH];
    ssize_t n;

    for (int i = 0; i < BATCH; i++)
        datagrams[i].addr = &from[i];
    while ((n = skt_recvmmsg(server, datagrams, BATCH, buffer, sizeof buffer, 0)) >= 0 &&
           skt_sendmmsg(server, datagrams, (size_t)n, 0) == n)
        ;
    skt_die("udp-skt");
}

int main(int argc, char **argv)
{
    skt *server = skt_socket(AF_INET, SOCK_DGRAM, 0);
    skt_addr address;
    if (skt_bind(server, skt_inet("127.0.0.1", port_argument(argc, argv))) < 0 || skt_getsockname(server, &address) < 0)
        skt_die("udp-skt");
    print_port(skt_port(&address));
    if (skt_run(argc > 2 && !strcmp(argv[2], "batch") ? echo_batches : echo_one_by_one, server) < 0)
        skt_die("udp-skt");
}
