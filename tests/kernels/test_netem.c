/* test_netem.c - a bad line: what skt_sendall sends comes whole through delay, loss, reordering and duplication.
 *
 * The line is lo of a network of our own, made bad by netem; a kernel without
 * netem, or one that will give us no network of our own, skips. */
#include "../peer.h"
#include "kernels.h"
#include <stdlib.h>

#define SIZE (4u << 20)
#define MINUTE 60.0

static bool isolated;

/* Bytes that repeat nowhere within reach: a piece lost, doubled or moved shows. */
static void fill(unsigned char *data, uint32_t seed)
{
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (unsigned char)(seed >> 24);
    }
}

static void send_everything(void *arg)
{
    skt *s = arg;
    unsigned char *data = malloc(SIZE);
    CHECK(data != NULL);
    fill(data, 1);
    OK(skt_sendall(s, data, SIZE, 0));
    OK(skt_shutdown(s, SHUT_WR));
    free(data);
}

/* Receives until the end and compares; the number of bytes that came. */
static size_t receive_everything(skt *s)
{
    unsigned char *expected = malloc(SIZE), buf[16384];
    size_t got = 0;
    ssize_t n;
    CHECK(expected != NULL);
    fill(expected, 1);
    while ((n = skt_recv(s, buf, sizeof buf, 0)) > 0) {
        CHECK((size_t)n <= SIZE - got);
        CHECK(memcmp(buf, expected + got, (size_t)n) == 0);
        got += (size_t)n;
    }
    OK(n);
    free(expected);
    return got;
}

static bool bad_line(const char *netem)
{
    char line[200];
    command("tc qdisc del dev lo root");
    snprintf(line, sizeof line, "tc qdisc add dev lo root netem %s", netem);
    return isolated && command(line);
}

static void transfer(const char *netem)
{
    struct peer peer;
    if (!bad_line(netem)) {
        CHECK(!in_uml());
        SKIP("no netem in a network of our own");
    }
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    OK_SOCKET(server);
    skt *client = skt_socket(AF_INET, SOCK_STREAM, 0);
    OK_SOCKET(client);
    OK(skt_connect(client, own_address(server)));
    skt *conn = skt_accept(server, NULL);
    OK_SOCKET(conn);
    OK(skt_settimeout(client, MINUTE));
    OK(skt_settimeout(conn, MINUTE));
    start_peer(&peer, send_everything, client);
    CHECK_INT(receive_everything(conn), SIZE);
    join_peer(&peer);
    OK(skt_close(conn));
    OK(skt_close(client));
    OK(skt_close(server));
}

static void delay(void)
{
    transfer("delay 20ms 10ms");
}

static void loss(void)
{
    transfer("loss 3%");
}

static void reorder(void)
{
    transfer("delay 10ms reorder 30% 50%");
}

static void duplicate(void)
{
    transfer("duplicate 20%");
}

static void everything(void)
{
    transfer("delay 10ms 5ms loss 1% reorder 20% 50% duplicate 5%");
}

/* Every datagram twice: they are two to the receiver, whole, and from the same sender. */
static void datagrams_twice(void)
{
    if (!bad_line("duplicate 100%")) {
        CHECK(!in_uml());
        SKIP("no netem in a network of our own");
    }
    OPEN(s, AF_INET, SOCK_DGRAM, 0);
    OK(skt_bind(s, skt_inet("127.0.0.1", 0)));
    skt_addr own = own_address(s);
    send_text(s, "twice", own);
    skt_addr first = expect(s, "twice"), second = expect(s, "twice");
    check_same(&first, &own);
    check_same(&second, &own);
    OK(skt_close(s));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "4 MiB through delay come whole", delay },
        { "4 MiB through loss come whole", loss },
        { "4 MiB through reordering come whole", reorder },
        { "4 MiB through duplication come whole", duplicate },
        { "4 MiB through all of it at once come whole", everything },
        { "a datagram that the line doubles arrives twice", datagrams_twice },
    };
    isolated = private_network();
    return RUN_CASES(cases);
}
