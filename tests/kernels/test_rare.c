/* test_rare.c - families that user-mode-linux lacks too: where one is there it is used, and where it is missing the
 * kernel's own error becomes a sentence. */
#include "kernels.h"
#include <linux/can.h>
#include <linux/can/isotp.h>
#include <linux/qrtr.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef AF_SMC
#define AF_SMC 43
#endif
#ifndef AF_QIPCRTR
#define AF_QIPCRTR 42
#endif
#define BTPROTO_L2CAP 0
#define BTPROTO_HCI 1
#define BTPROTO_SCO 2
#define BTPROTO_RFCOMM 3
#define NOBODY "00:00:00:00:00:00"

static void internet_stream(int family, int proto)
{
    skt_addr peer;
    skt *server = open_rare(family, SOCK_STREAM, proto);
    if (!server)
        return;
    skt *client = open_rare(family, SOCK_STREAM, proto);
    OK(skt_bind(server, skt_inet("127.0.0.1", 0)));
    OK(skt_listen(server, 5));
    CHECK_INT(skt_proto(client), proto);
    connect_and_converse(client, server, own_address(server), &peer);
    CHECK_STR(skt_host(&peer), "127.0.0.1");
}

static void mptcp(void)
{
    internet_stream(AF_INET, IPPROTO_MPTCP);
}

/* Without the hardware the kernel falls back to TCP, which does for the calls. */
static void smc(void)
{
    internet_stream(AF_SMC, 0);
}

static void qrtr(void)
{
    skt *a = open_rare(AF_QIPCRTR, SOCK_DGRAM, 0);
    if (!a)
        return;
    skt *b = open_rare(AF_QIPCRTR, SOCK_DGRAM, 0);
    skt_addr at = own_address(b), own = own_address(a);
    check_text_begins(&at, "qipcrtr:");
    send_text(a, "hello", at);
    skt_addr from = expect(b, "hello");
    check_same(&from, &own);
    OK(skt_close(a));
    OK(skt_close(b));
}

static void isotp(void)
{
    skt *a = open_rare(AF_CAN, SOCK_DGRAM, CAN_ISOTP);
    if (!a)
        return;
    skt *b = open_rare(AF_CAN, SOCK_DGRAM, CAN_ISOTP);
    CHECK(skt_if_nametoindex("vcan0") > 0 || command("ip link add vcan0 type vcan && ip link set vcan0 up"));
    OK(skt_bind(a, skt_can_isotp("vcan0", 0x123, 0x456)));
    OK(skt_bind(b, skt_can_isotp("vcan0", 0x456, 0x123)));
    skt_addr own = own_address(a);
    check_text(&own, "can-isotp:vcan0,0x123,0x456");
    const char *text = "longer than the eight bytes of one frame";
    CHECK_INT(skt_send(a, text, strlen(text), 0), strlen(text));
    expect(b, text);
    OK(skt_close(a));
    OK(skt_close(b));
}

/* No radio is needed to bind to "any" and to be told so. */
static void bluetooth(int type, int proto, skt_addr any, const char *text)
{
    skt *s = open_rare(AF_BLUETOOTH, type, proto);
    if (!s)
        return;
    OK(skt_bind(s, any));
    skt_addr own = own_address(s);
    check_text_begins(&own, text);
    OK(skt_close(s));
}

static void l2cap(void)
{
    bluetooth(SOCK_SEQPACKET, BTPROTO_L2CAP, skt_l2cap(NOBODY, 0x1001, 0, 0), "l2cap:" NOBODY ",4097");
}

static void rfcomm(void)
{
    bluetooth(SOCK_STREAM, BTPROTO_RFCOMM, skt_rfcomm(NOBODY, 3), "rfcomm:" NOBODY ",3");
}

static void sco(void)
{
    bluetooth(SOCK_SEQPACKET, BTPROTO_SCO, skt_sco(NOBODY), "sco:" NOBODY);
}

static void hci(void)
{
    bluetooth(SOCK_RAW, BTPROTO_HCI, skt_hci(0xffff, 0), "hci:65535");
}

int main(void)
{
    static const struct test_case cases[] = {
        { "MPTCP: a connection", mptcp },
        { "AF_SMC: a connection", smc },
        { "AF_QIPCRTR: a message to the same node", qrtr },
        { "CAN_ISOTP: a message of several frames", isotp },
        { "Bluetooth L2CAP: an address there and back", l2cap },
        { "Bluetooth RFCOMM: an address there and back", rfcomm },
        { "Bluetooth SCO: an address there and back", sco },
        { "Bluetooth HCI: an address there and back", hci },
    };
    private_network();
    return RUN_CASES(cases);
}
