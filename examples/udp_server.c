/* udp_server.c - the tutorial's UDP server, statement for statement: one datagram. */
#include <skt.h>
#include <stdio.h>

int main(void)
{
    skt *sock = skt_socket(AF_INET, SOCK_DGRAM, 0);      /* sock = socket.socket(type=SOCK_DGRAM) */
    if (skt_bind(sock, skt_inet("127.0.0.1", 8090)) < 0) /* sock.bind(('127.0.0.1', 8090)) */
        skt_die("udp_server");
    char data[1024];
    skt_addr addr;
    ssize_t n = skt_recvfrom(sock, data, sizeof data, 0, &addr); /* data, addr = sock.recvfrom(1024) */
    if (n < 0)
        skt_die("udp_server");
    printf("%.*s\n", (int)n, data); /* print(data.decode()) */
    skt_close(sock);                /* sock.close() */
}
