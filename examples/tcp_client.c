/* tcp_client.c - the tutorial's TCP client, statement for statement. */
#include <skt.h>
#include <stdio.h>

int main(void)
{
    skt *sock = skt_socket(AF_INET, SOCK_STREAM, 0);          /* sock = socket.socket() */
    if (skt_connect(sock, skt_inet("127.0.0.1", 8080)) < 0 || /* sock.connect(('127.0.0.1', 8080)) */
        skt_send(sock, "I'm Lyon", 8, 0) < 0)                 /* sock.send(b"I'm Lyon") */
        skt_die("tcp_client");
    char content[1024];
    ssize_t n = skt_recv(sock, content, sizeof content, 0); /* content = sock.recv(1024) */
    if (n < 0)
        skt_die("tcp_client");
    printf("%.*s\n", (int)n, content); /* print(content.decode()) */
    skt_close(sock);                   /* sock.close() */
}
