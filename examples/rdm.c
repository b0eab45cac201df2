/* rdm.c - SOCK_RDM: reliable datagrams, which on Linux are TIPC's.
 *
 * A server has a name, here type 18888 and instance 17, and no host or port: who
 * sends to the name need not know where it is.  Each message arrives whole, in
 * order, and once.  (Needs the kernel's module: modprobe tipc.) */
#include <linux/tipc.h>
#include <skt.h>
#include <stdio.h>

int main(void)
{
    skt *server = skt_socket(AF_TIPC, SOCK_RDM, 0);
    skt *client = skt_socket(AF_TIPC, SOCK_RDM, 0);
    if (skt_bind(server, skt_tipc(TIPC_ADDR_NAMESEQ, 18888, 17, 17, TIPC_CLUSTER_SCOPE)) < 0)
        skt_die("rdm");

    char content[1024];
    skt_addr name = skt_tipc(TIPC_ADDR_NAME, 18888, 17, 0, TIPC_CLUSTER_SCOPE), addr;
    if (skt_sendto(client, "Hello Lyon", 10, 0, name) < 0)
        skt_die("rdm");
    ssize_t n = skt_recvfrom(server, content, sizeof content, 0, &addr);
    if (n < 0)
        skt_die("rdm");
    printf("server: %.*s\n", (int)n, content);

    if (skt_sendto(server, "Hello to you", 12, 0, addr) < 0) /* addr: the client's id */
        skt_die("rdm");
    n = skt_recv(client, content, sizeof content, 0);
    if (n < 0)
        skt_die("rdm");
    printf("client: %.*s\n", (int)n, content);
    skt_close(client);
    skt_close(server);
}
