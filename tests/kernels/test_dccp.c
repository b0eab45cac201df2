/* test_dccp.c - DCCP: connections of unreliable messages, over IPv4 and IPv6. */
#include "kernels.h"

static void connection(int family)
{
    skt_addr any = family == AF_INET ? skt_inet("127.0.0.1", 0) : skt_inet6("::1", 0, 0, 0), peer;
    OPEN(server, family, SOCK_DCCP, IPPROTO_DCCP);
    OPEN(client, family, SOCK_DCCP, IPPROTO_DCCP);
    OK(skt_bind(server, any));
    OK(skt_bind(client, any));
    OK(skt_listen(server, 5));
    skt_addr own = own_address(client);
    CHECK_STR(skt_host(&own), family == AF_INET ? "127.0.0.1" : "::1");
    check_text_begins(&own, family == AF_INET ? "127.0.0.1:" : "[::1]:");
    connect_and_converse(client, server, own_address(server), &peer);
    check_same(&peer, &own);
}

static void connection_4(void)
{
    connection(AF_INET);
}

static void connection_6(void)
{
    connection(AF_INET6);
}

static void boundaries(void)
{
    OPEN(server, AF_INET, SOCK_DCCP, IPPROTO_DCCP);
    OPEN(client, AF_INET, SOCK_DCCP, IPPROTO_DCCP);
    OK(skt_bind(server, skt_inet("127.0.0.1", 0)));
    OK(skt_listen(server, 5));
    OK(skt_connect(client, own_address(server)));
    skt *conn = skt_accept(server, NULL);
    OK_SOCKET(conn);
    skt_addr peer = peer_address(client), own = own_address(conn);
    check_same(&peer, &own);
    CHECK_INT(skt_send(client, "one", 3, 0), 3);
    CHECK_INT(skt_send(client, "three", 5, 0), 5);
    expect(conn, "one");
    expect(conn, "three");
    OK(skt_close(conn));
    OK(skt_close(client));
    OK(skt_close(server));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "DCCP, IPv4: a connection", connection_4 },
        { "DCCP, IPv6: a connection", connection_6 },
        { "DCCP: messages stay apart", boundaries },
    };
    private_network();
    return RUN_CASES(cases);
}
