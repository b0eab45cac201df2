/* test_tipc.c - TIPC, the family of SOCK_RDM: messages by name, by id and to all of a range. */
#include "kernels.h"
#include <linux/tipc.h>

#define TYPE 18888

/* Of the cluster's scope, as Python's default. */
static skt_addr name(uint32_t instance)
{
    return skt_tipc(TIPC_ADDR_NAME, TYPE, instance, 0, TIPC_CLUSTER_SCOPE);
}

static skt_addr range(uint32_t lower, uint32_t upper)
{
    return skt_tipc(TIPC_ADDR_NAMESEQ, TYPE, lower, upper, TIPC_CLUSTER_SCOPE);
}

/* A request by the server's name, the reply to the id that it came from, and a request to the server's id. */
static void exchange(int type)
{
    OPEN(server, AF_TIPC, type, 0);
    OPEN(client, AF_TIPC, type, 0);
    OK(skt_bind(server, range(17, 17)));
    skt_addr server_id = own_address(server), client_id = own_address(client);
    check_text_begins(&server_id, "tipc:3,");
    CHECK(!skt_addr_equal(&server_id, &client_id));

    send_text(client, "by name", name(17));
    skt_addr from = expect(server, "by name");
    check_same(&from, &client_id);
    send_text(server, "back by id", from);
    from = expect(client, "back by id");
    check_same(&from, &server_id);
    send_text(client, "there by id", server_id);
    expect(server, "there by id");
    OK(skt_close(client));
    OK(skt_close(server));
}

static void rdm(void)
{
    exchange(SOCK_RDM);
}

static void dgram(void)
{
    exchange(SOCK_DGRAM);
}

/* Reliable: a datagram that nobody reads is not dropped, and each is whole. */
static void rdm_is_reliable(void)
{
    char text[32];
    OPEN(server, AF_TIPC, SOCK_RDM, 0);
    OPEN(client, AF_TIPC, SOCK_RDM, 0);
    OK(skt_bind(server, range(17, 17)));
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "message %d", i);
        send_text(client, text, name(17));
    }
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "message %d", i);
        expect(server, text);
    }
    OK(skt_close(client));
    OK(skt_close(server));
}

static void multicast(void)
{
    OPEN(sender, AF_TIPC, SOCK_RDM, 0);
    OPEN(low, AF_TIPC, SOCK_RDM, 0);
    OPEN(high, AF_TIPC, SOCK_RDM, 0);
    OK(skt_bind(low, range(100, 149)));
    OK(skt_bind(high, range(150, 199)));
    send_text(sender, "to both", skt_tipc(TIPC_ADDR_MCAST, TYPE, 140, 160, TIPC_CLUSTER_SCOPE));
    send_text(sender, "to the high one", skt_tipc(TIPC_ADDR_MCAST, TYPE, 160, 170, TIPC_CLUSTER_SCOPE));
    send_text(sender, "to the low one", name(120));
    expect(low, "to both");
    expect(low, "to the low one");
    expect(high, "to both");
    expect(high, "to the high one");
    OK(skt_close(high));
    OK(skt_close(low));
    OK(skt_close(sender));
}

static void connection(int type)
{
    skt_addr peer;
    OPEN(server, AF_TIPC, type, 0);
    OPEN(client, AF_TIPC, type, 0);
    OK(skt_bind(server, range(23, 23)));
    OK(skt_listen(server, 5));
    skt_addr client_id = own_address(client);
    connect_and_converse(client, server, name(23), &peer);
    check_same(&peer, &client_id);
}

static void stream(void)
{
    connection(SOCK_STREAM);
}

static void seqpacket(void)
{
    connection(SOCK_SEQPACKET);
}

/* Each message is one message, however they are read. */
static void pair_keeps_boundaries(void)
{
    skt *pair[2];
    OPEN(probe, AF_TIPC, SOCK_SEQPACKET, 0);
    OK(skt_close(probe));
    OK(skt_socketpair(AF_TIPC, SOCK_SEQPACKET, 0, pair));
    OK_SOCKET(pair[0]);
    OK_SOCKET(pair[1]);
    OK(skt_send(pair[0], "one", 3, 0));
    OK(skt_send(pair[0], "two", 3, 0));
    expect(pair[1], "one");
    expect(pair[1], "two");
    skt_addr other = peer_address(pair[0]), own = own_address(pair[1]);
    check_same(&other, &own);
    OK(skt_close(pair[0]));
    OK(skt_close(pair[1]));
}

/* The library says whom it could not reach. */
static void nobody_there(void)
{
    OPEN(client, AF_TIPC, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(client, name(4711)), -1);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_SYSTEM);
    CHECK_STR(skt_strerror(), "connect tipc:2,18888,4711,0,2: No route to host");
    OK(skt_close(client));
}

static void options(void)
{
    int importance = -1;
    OPEN(s, AF_TIPC, SOCK_RDM, 0);
    OK(skt_setsockopt_int(s, SOL_TIPC, TIPC_IMPORTANCE, TIPC_HIGH_IMPORTANCE));
    OK(skt_getsockopt_int(s, SOL_TIPC, TIPC_IMPORTANCE, &importance));
    CHECK_INT(importance, TIPC_HIGH_IMPORTANCE);
    OK(skt_close(s));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "TIPC SOCK_RDM: a request by name, the reply by id", rdm },
        { "TIPC SOCK_DGRAM: a request by name, the reply by id", dgram },
        { "TIPC SOCK_RDM: 200 messages that wait unread all arrive, in order", rdm_is_reliable },
        { "TIPC SOCK_RDM: one message to every name of a range", multicast },
        { "TIPC SOCK_STREAM: a connection by name", stream },
        { "TIPC SOCK_SEQPACKET: a connection by name", seqpacket },
        { "TIPC SOCK_SEQPACKET: a pair keeps the messages apart", pair_keeps_boundaries },
        { "TIPC: a name that nobody has is an error that tells the name", nobody_there },
        { "TIPC: an option of its own", options },
    };
    private_network();
    return RUN_CASES(cases);
}
