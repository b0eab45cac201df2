/* udp_client.c - the tutorial's UDP client, statement for statement. */
#include <skt.h>

int main(void)
{
    skt *sock = skt_socket(AF_INET, SOCK_DGRAM, 0);                          /* sock = socket.socket(type=SOCK_DGRAM) */
    if (skt_sendto(sock, "I'm Lyon", 8, 0, skt_inet("127.0.0.1", 8090)) < 0) /* sock.sendto(b"I'm Lyon", ...) */
        skt_die("udp_client");
    skt_close(sock); /* sock.close() */
}
