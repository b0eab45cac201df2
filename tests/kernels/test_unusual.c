/* test_unusual.c - two that every kernel has and few programs use: UDP-Lite, and messages in sequence over AF_UNIX. */
#include "kernels.h"
#include <netinet/in.h>
#include <unistd.h>

#ifndef SOL_UDPLITE
#define SOL_UDPLITE 136
#endif
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

static void udp_lite(int family)
{
    int coverage = 0;
    if (under_qemu())
        SKIP("qemu-user knows no options of UDP-Lite");
    skt_addr any = family == AF_INET ? skt_inet("127.0.0.1", 0) : skt_inet6("::1", 0, 0, 0);
    OPEN(server, family, SOCK_DGRAM, IPPROTO_UDPLITE);
    OPEN(client, family, SOCK_DGRAM, IPPROTO_UDPLITE);
    OK(skt_bind(server, any));
    OK(skt_bind(client, any));
    OK(skt_setsockopt_int(client, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 8));
    OK(skt_setsockopt_int(server, SOL_UDPLITE, UDPLITE_RECV_CSCOV, 8));
    OK(skt_getsockopt_int(client, SOL_UDPLITE, UDPLITE_SEND_CSCOV, &coverage));
    CHECK_INT(coverage, 8);
    send_text(client, "only the header is summed", own_address(server));
    skt_addr from = expect(server, "only the header is summed"), own = own_address(client);
    check_same(&from, &own);
    send_text(server, "and back", from);
    expect(client, "and back");
    OK(skt_close(client));
    OK(skt_close(server));
}

static void udp_lite_4(void)
{
    udp_lite(AF_INET);
}

static void udp_lite_6(void)
{
    udp_lite(AF_INET6);
}

static void unix_seqpacket(void)
{
    char name[64], text[80];
    skt_addr peer;
    OPEN(server, AF_UNIX, SOCK_SEQPACKET, 0);
    OPEN(client, AF_UNIX, SOCK_SEQPACKET, 0);
    snprintf(name, sizeof name, "skt test %d", (int)getpid());
    OK(skt_bind(server, skt_abstract(name, strlen(name))));
    OK(skt_bind(client, skt_unix(""))); /* the kernel picks a name */
    OK(skt_listen(server, 5));
    skt_addr at = own_address(server), own = own_address(client);
    snprintf(text, sizeof text, "unix-abstract:skt%%20test%%20%d", (int)getpid());
    check_text(&at, text);
    connect_and_converse(client, server, at, &peer);
    check_same(&peer, &own);
}

static void unix_boundaries(void)
{
    char buf[3];
    struct iovec iov = { buf, sizeof buf };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt *pair[2];
    OK(skt_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    OK_SOCKET(pair[0]);
    OK_SOCKET(pair[1]);
    CHECK_INT(skt_send(pair[0], "one", 3, 0), 3);
    CHECK_INT(skt_send(pair[0], "too long", 8, 0), 8);
    CHECK_INT(skt_send(pair[0], "end", 3, 0), 3);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 3);
    CHECK(!(msg.flags & MSG_TRUNC));
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 3);
    CHECK(msg.flags & MSG_TRUNC);
    expect(pair[1], "end");
    OK(skt_close(pair[0]));
    OK(skt_close(pair[1]));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "UDP-Lite, IPv4: a checksum of the header alone", udp_lite_4 },
        { "UDP-Lite, IPv6: a checksum of the header alone", udp_lite_6 },
        { "AF_UNIX SOCK_SEQPACKET: a connection", unix_seqpacket },
        { "AF_UNIX SOCK_SEQPACKET: messages stay apart, and tell that they were cut", unix_boundaries },
    };
    private_network();
    return RUN_CASES(cases);
}
