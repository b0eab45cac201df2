/* test_j1939.c - CAN's transport for vehicles, J1939: addresses and parameter groups (PGN), over a virtual bus. */
#include "kernels.h"
#include <linux/can.h>
#include <linux/can/j1939.h>

#define PGN_TO_ONE 0x1ef00u /* PDU1: has a destination */
#define PGN_TO_ALL 0x1ff05u /* PDU2: a broadcast */

static skt *station(uint64_t name, uint32_t pgn, uint8_t address)
{
    skt *s = open_family(AF_CAN, SOCK_DGRAM, CAN_J1939);
    if (!s)
        return NULL;
    CHECK(skt_if_nametoindex("vcan0") > 0 || command("ip link add vcan0 type vcan && ip link set vcan0 up"));
    OK(skt_setsockopt_int(s, SOL_SOCKET, SO_BROADCAST, 1));
    OK(skt_bind(s, skt_can_j1939("vcan0", name, pgn, address)));
    return s;
}

static void to_one(void)
{
    skt *a = station(J1939_NO_NAME, J1939_NO_PGN, 0x20), *b = station(J1939_NO_NAME, J1939_NO_PGN, 0x30);
    if (!a || !b)
        return;
    skt_addr own = own_address(a);
    check_text(&own, "can-j1939:vcan0,0,0x40000,32");
    send_text(a, "hello 30", skt_can_j1939("vcan0", J1939_NO_NAME, PGN_TO_ONE, 0x30));
    skt_addr from = expect(b, "hello 30");
    check_text(&from, "can-j1939:vcan0,0,0x1ef00,32");
    send_text(b, "hello 20", from);
    from = expect(a, "hello 20");
    check_text(&from, "can-j1939:vcan0,0,0x1ef00,48");
    OK(skt_close(a));
    OK(skt_close(b));
}

static void to_all(void)
{
    skt *a = station(J1939_NO_NAME, J1939_NO_PGN, 0x20), *b = station(J1939_NO_NAME, J1939_NO_PGN, 0x30);
    skt *c = station(J1939_NO_NAME, J1939_NO_PGN, 0x40);
    if (!a || !b || !c)
        return;
    send_text(a, "to all", skt_can_j1939("vcan0", J1939_NO_NAME, PGN_TO_ALL, J1939_NO_ADDR));
    skt_addr at_b = expect(b, "to all"), at_c = expect(c, "to all");
    check_text(&at_b, "can-j1939:vcan0,0,0x1ff05,32");
    check_same(&at_b, &at_c);
    OK(skt_close(a));
    OK(skt_close(b));
    OK(skt_close(c));
}

/* More than eight bytes travel in several frames, and arrive in one piece. */
static void long_message(void)
{
    skt *a = station(J1939_NO_NAME, J1939_NO_PGN, 0x20), *b = station(J1939_NO_NAME, J1939_NO_PGN, 0x30);
    if (!a || !b)
        return;
    OK(skt_connect(a, skt_can_j1939("vcan0", J1939_NO_NAME, PGN_TO_ONE, 0x30)));
    skt_addr peer = peer_address(a);
    check_text(&peer, "can-j1939:vcan0,0,0x1ef00,48");
    const char *text = "more than fits into a single frame of eight bytes";
    CHECK_INT(skt_send(a, text, strlen(text), 0), strlen(text));
    expect(b, text);
    OK(skt_close(a));
    OK(skt_close(b));
}

/* The destination's own view, as ancillary data. */
static void ancillary(void)
{
    _Alignas(struct cmsghdr) char control[256];
    char buf[16];
    struct iovec iov = { buf, sizeof buf };
    skt_addr from;
    skt_msg msg = { .iov = &iov, .iovlen = 1, .control = control, .controlsize = sizeof control, .addr = &from };
    skt *a = station(J1939_NO_NAME, J1939_NO_PGN, 0x20), *b = station(J1939_NO_NAME, J1939_NO_PGN, 0x30);
    if (!a || !b)
        return;
    send_text(a, "hi", skt_can_j1939("vcan0", J1939_NO_NAME, PGN_TO_ONE, 0x30));
    CHECK_INT(skt_recvmsg(b, &msg, 0), 2);
    check_text(&from, "can-j1939:vcan0,0,0x1ef00,32");
    int destination = -1;
    for (skt_cmsg item = { 0 }; skt_next_cmsg(&msg, &item);)
        if (item.level == SOL_CAN_J1939 && item.type == SCM_J1939_DEST_ADDR)
            destination = *(const uint8_t *)item.data;
    CHECK_INT(destination, 0x30);
    OK(skt_close(a));
    OK(skt_close(b));
}

/* A 64-bit name is more than a double or a long of 32 bits can hold. */
static void names(void)
{
    skt *s = station(0x8123456789abcdefu, J1939_NO_PGN, J1939_NO_ADDR);
    if (!s)
        return;
    skt_addr own = own_address(s), parsed;
    check_text_begins(&own, "can-j1939:vcan0,");
    char text[SKT_ADDR_TEXT_MAX];
    parsed = skt_addr_parse(skt_addr_text(&own, text, sizeof text));
    OK(skt_close(s));
    s = open_family(AF_CAN, SOCK_DGRAM, CAN_J1939);
    OK(skt_bind(s, parsed));
    skt_addr again = own_address(s);
    check_same(&again, &own);
    socklen_t len;
    const struct sockaddr_can *sa = (const void *)skt_addr_sockaddr(&again, &len);
    CHECK(sa->can_addr.j1939.name == 0x8123456789abcdefu);
    CHECK_INT(sa->can_addr.j1939.pgn, J1939_NO_PGN);
    CHECK_INT(sa->can_addr.j1939.addr, J1939_NO_ADDR);
    OK(skt_close(s));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "CAN_J1939: a message to one address and back", to_one },
        { "CAN_J1939: a broadcast", to_all },
        { "CAN_J1939: a message of several frames to a connected address", long_message },
        { "CAN_J1939: the destination as ancillary data", ancillary },
        { "CAN_J1939: a name of 64 bits goes to text and to the kernel and back", names },
    };
    private_network();
    return RUN_CASES(cases);
}
