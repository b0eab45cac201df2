/* tcp_server.c - the tutorial's TCP server, statement for statement: one
 * client, one message, one answer.  With the option of the tutorial's last
 * section, so that it can be started again at once. */
#include <skt.h>
#include <stdio.h>

int main(void)
{
    skt *sock = skt_socket(AF_INET, SOCK_STREAM, 0);                 /* sock = socket.socket() */
    if (skt_setsockopt_int(sock, SOL_SOCKET, SO_REUSEADDR, 1) < 0 || /* sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1) */
        skt_bind(sock, skt_inet("127.0.0.1", 8080)) < 0 ||           /* sock.bind(('127.0.0.1', 8080)) */
        skt_listen(sock, 5) < 0)                                     /* sock.listen(5) */
        skt_die("tcp_server");
    skt_addr addr;
    skt *conn = skt_accept(sock, &addr); /* conn, addr = sock.accept() */
    char content[1024];
    ssize_t n = skt_recv(conn, content, sizeof content, 0); /* content = conn.recv(1024) */
    if (n < 0)
        skt_die("tcp_server");
    printf("%.*s\n", (int)n, content);           /* print(content.decode()) */
    if (skt_send(conn, "Hello Lyon", 10, 0) < 0) /* conn.send(b'Hello Lyon') */
        skt_die("tcp_server");
    skt_close(conn); /* conn.close() */
    skt_close(sock); /* sock.close() */
}
