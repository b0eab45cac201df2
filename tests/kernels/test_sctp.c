/* test_sctp.c - SCTP over IPv4 and IPv6: many peers on one socket, and connections. */
#include "kernels.h"
#include <linux/sctp.h>

#ifndef SOL_SCTP
#define SOL_SCTP 132
#endif

static skt *bound(int family, int type)
{
    skt *s = open_family(family, type, IPPROTO_SCTP);
    if (s)
        OK(skt_bind(s, family == AF_INET ? skt_inet("127.0.0.1", 0) : skt_inet6("::1", 0, 0, 0)));
    return s;
}

static void check_address(const skt_addr *a, int family)
{
    char text[SKT_ADDR_TEXT_MAX];
    CHECK_STR(skt_host(a), family == AF_INET ? "127.0.0.1" : "::1");
    CHECK(skt_port(a) > 0);
    snprintf(text, sizeof text, family == AF_INET ? "127.0.0.1:%d" : "[::1]:%d", skt_port(a));
    check_text(a, text);
}

/* SOCK_SEQPACKET: no connect and no accept, one socket for all peers. */
static void one_to_many(int family)
{
    skt *server = bound(family, SOCK_SEQPACKET), *client[2];
    if (!server)
        return;
    OK(skt_listen(server, 5));
    skt_addr at = own_address(server);
    check_address(&at, family);
    for (int i = 0; i < 2; i++) {
        client[i] = bound(family, SOCK_SEQPACKET);
        skt_addr own = own_address(client[i]);
        send_text(client[i], "hello", at);
        skt_addr from = expect(server, "hello");
        check_same(&from, &own);
        send_text(server, "and to you", from);
        from = expect(client[i], "and to you");
        check_same(&from, &at);
    }
    OK(skt_close(client[0]));
    OK(skt_close(client[1]));
    OK(skt_close(server));
}

static void one_to_many_4(void)
{
    one_to_many(AF_INET);
}

static void one_to_many_6(void)
{
    one_to_many(AF_INET6);
}

static void connection(int family)
{
    skt_addr peer;
    skt *server = bound(family, SOCK_STREAM), *client = bound(family, SOCK_STREAM);
    if (!server || !client)
        return;
    OK(skt_listen(server, 5));
    skt_addr to = own_address(server), own = own_address(client);
    connect_and_converse(client, server, to, &peer);
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

/* The number of the stream travels as ancillary data, both ways. */
static void stream_number(void)
{
    _Alignas(struct cmsghdr) char control[SKT_CONTROL_SPACE(sizeof(struct sctp_rcvinfo))];
    struct sctp_sndinfo out = { .snd_sid = 3, .snd_ppid = 0x12345678 };
    char text[] = "on three", buf[16];
    struct iovec iov = { text, 8 };
    skt *server = bound(AF_INET, SOCK_SEQPACKET), *client = bound(AF_INET, SOCK_SEQPACKET);
    if (!server || !client)
        return;
    OK(skt_listen(server, 5));
    OK(skt_setsockopt_int(server, SOL_SCTP, SCTP_RECVRCVINFO, 1));
    skt_addr to = own_address(server), own = own_address(client), from;

    skt_msg msg = { .iov = &iov, .iovlen = 1, .control = control, .controlsize = sizeof control, .addr = &to };
    OK(skt_put_cmsg(&msg, SOL_SCTP, SCTP_SNDINFO, &out, sizeof out));
    CHECK_INT(skt_sendmsg(client, &msg, 0), 8);

    iov = (struct iovec){ buf, sizeof buf };
    msg = (skt_msg){ .iov = &iov, .iovlen = 1, .control = control, .controlsize = sizeof control, .addr = &from };
    CHECK_INT(skt_recvmsg(server, &msg, 0), 8);
    CHECK(msg.flags & MSG_EOR);
    check_same(&from, &own);
    skt_cmsg item = { 0 };
    CHECK(skt_next_cmsg(&msg, &item));
    CHECK_INT(item.level, SOL_SCTP);
    CHECK_INT(item.type, SCTP_RCVINFO);
    CHECK_INT(item.len, sizeof(struct sctp_rcvinfo));
    const struct sctp_rcvinfo *in = item.data;
    CHECK_INT(in->rcv_sid, 3);
    CHECK_INT(in->rcv_ppid, 0x12345678);
    CHECK(!skt_next_cmsg(&msg, &item));
    OK(skt_close(client));
    OK(skt_close(server));
}

static void refused(void)
{
    char expected[128];
    OPEN(client, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    skt *gone = bound(AF_INET, SOCK_STREAM);
    int port = -1;
    skt_addr at = own_address(gone);
    port = skt_port(&at);
    OK(skt_close(gone));
    CHECK_INT(skt_connect(client, at), -1);
    CHECK_INT(errno, ECONNREFUSED);
    snprintf(expected, sizeof expected, "connect 127.0.0.1:%d: Connection refused", port);
    CHECK_STR(skt_strerror(), expected);
    OK(skt_close(client));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "SCTP SOCK_SEQPACKET, IPv4: two clients on one server socket", one_to_many_4 },
        { "SCTP SOCK_SEQPACKET, IPv6: two clients on one server socket", one_to_many_6 },
        { "SCTP SOCK_STREAM, IPv4: a connection", connection_4 },
        { "SCTP SOCK_STREAM, IPv6: a connection", connection_6 },
        { "SCTP: a message on stream 3 arrives with its number", stream_number },
        { "SCTP: nobody listening is an error that tells the address", refused },
    };
    private_network();
    return RUN_CASES(cases);
}
