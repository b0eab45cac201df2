/* test_can.c - CAN: raw frames and the broadcast manager, over a virtual bus. */
#include "kernels.h"
#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/raw.h>

static skt *open_can(int type, int proto)
{
    skt *s = open_family(AF_CAN, type, proto);
    if (s)
        CHECK(skt_if_nametoindex("vcan0") > 0 || command("ip link add vcan0 type vcan && ip link set vcan0 up"));
    return s;
}

static skt *raw_on(const char *interface)
{
    skt *s = open_can(SOCK_RAW, CAN_RAW);
    if (s)
        OK(skt_bind(s, skt_can(interface)));
    return s;
}

static void send_frame(skt *s, uint32_t id, const char *text)
{
    struct can_frame frame = { .can_id = id, .can_dlc = (uint8_t)strlen(text) };
    memcpy(frame.data, text, strlen(text));
    CHECK_INT(skt_send(s, &frame, sizeof frame, 0), sizeof frame);
}

static skt_addr expect_frame(skt *s, uint32_t id, const char *text)
{
    struct can_frame frame;
    skt_addr from;
    ssize_t n = skt_recvfrom(s, &frame, sizeof frame, 0, &from);
    OK(n);
    CHECK_INT(n, sizeof frame);
    CHECK_INT(frame.can_id, id);
    CHECK_INT(frame.can_dlc, strlen(text));
    CHECK(memcmp(frame.data, text, strlen(text)) == 0);
    return from;
}

static void expect_nothing(skt *s)
{
    char c;
    OK(skt_settimeout(s, 0));
    CHECK_ERRNO(skt_recv(s, &c, 1, 0), EAGAIN);
    OK(skt_settimeout(s, patience()));
}

static void raw(void)
{
    skt *a = raw_on("vcan0"), *b = raw_on("vcan0");
    if (!a || !b)
        return;
    skt_addr own = own_address(a);
    check_text(&own, "can:vcan0");
    CHECK_STR(skt_host(&own), "vcan0");
    CHECK_INT(skt_port(&own), -1);
    send_frame(a, 0x123, "standard");
    send_frame(a, 0x12345678 | CAN_EFF_FLAG, "extended");
    skt_addr from = expect_frame(b, 0x123, "standard");
    check_same(&from, &own);
    expect_frame(b, 0x12345678 | CAN_EFF_FLAG, "extended");
    expect_nothing(a);
    OK(skt_close(a));
    OK(skt_close(b));
}

/* "" is every interface; the sender's address then tells which one it was. */
static void every_interface(void)
{
    skt *a = raw_on("vcan0"), *b = raw_on("");
    if (!a || !b)
        return;
    skt_addr own = own_address(b);
    check_text(&own, "can:");
    send_frame(a, 0x77, "x");
    skt_addr from = expect_frame(b, 0x77, "x");
    check_text(&from, "can:vcan0");
    struct can_frame frame = { .can_id = 0x78 };
    CHECK_INT(skt_sendto(b, &frame, sizeof frame, 0, skt_can("vcan0")), sizeof frame);
    expect_frame(a, 0x78, "");
    OK(skt_close(a));
    OK(skt_close(b));
}

static void filters(void)
{
    struct can_filter filter[2] = { { 0x200, 0x7f0 }, { 0x305, CAN_SFF_MASK } }, got[2];
    socklen_t len = sizeof got;
    skt *a = raw_on("vcan0"), *b = raw_on("vcan0");
    if (!a || !b)
        return;
    OK(skt_setsockopt(b, SOL_CAN_RAW, CAN_RAW_FILTER, filter, sizeof filter));
    OK(skt_getsockopt(b, SOL_CAN_RAW, CAN_RAW_FILTER, got, &len));
    CHECK_INT(len, sizeof filter);
    CHECK(memcmp(got, filter, sizeof filter) == 0);
    send_frame(a, 0x1ff, "no");
    send_frame(a, 0x20f, "yes");
    send_frame(a, 0x304, "no");
    send_frame(a, 0x305, "yes too");
    expect_frame(b, 0x20f, "yes");
    expect_frame(b, 0x305, "yes too");
    expect_nothing(b);
    OK(skt_close(a));
    OK(skt_close(b));
}

static void own_messages(void)
{
    skt *a = raw_on("vcan0");
    if (!a)
        return;
    OK(skt_setsockopt_int(a, SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, 1));
    send_frame(a, 0x42, "mine");
    expect_frame(a, 0x42, "mine");
    OK(skt_close(a));
}

/* With CAN_RAW_FD_FRAMES a frame holds up to 64 bytes, and vcan0 lets them through. */
static void fd_frames(void)
{
    struct canfd_frame out = { .can_id = 0x55, .len = 64 }, in;
    skt *a = raw_on("vcan0"), *b = raw_on("vcan0");
    if (!a || !b)
        return;
    OK(skt_setsockopt_int(a, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, 1));
    OK(skt_setsockopt_int(b, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, 1));
    memset(out.data, 'z', sizeof out.data);
    CHECK_INT(skt_send(a, &out, sizeof out, 0), CANFD_MTU);
    CHECK_INT(skt_recv(b, &in, sizeof in, 0), CANFD_MTU);
    CHECK_INT(in.len, 64);
    CHECK(memcmp(in.data, out.data, 64) == 0);
    OK(skt_close(a));
    OK(skt_close(b));
}

/* A head with one frame in the array at its end. */
union bcm_message {
    struct bcm_msg_head head;
    char bytes[sizeof(struct bcm_msg_head) + sizeof(struct can_frame)];
};

static union bcm_message bcm_message(uint32_t opcode, uint32_t flags, uint32_t id, const char *text)
{
    union bcm_message m = { .bytes = { 0 } };
    m.head.opcode = opcode;
    m.head.flags = flags;
    m.head.can_id = m.head.frames[0].can_id = id;
    m.head.nframes = 1;
    m.head.frames[0].can_dlc = (uint8_t)strlen(text);
    memcpy(m.head.frames[0].data, text, strlen(text));
    return m;
}

static void bcm_send(void)
{
    skt *bcm = open_can(SOCK_DGRAM, CAN_BCM), *raw_end = raw_on("vcan0");
    if (!bcm || !raw_end)
        return;
    OK(skt_connect(bcm, skt_can("vcan0")));
    union bcm_message m = bcm_message(TX_SEND, 0, 0x321, "by bcm");
    CHECK_INT(skt_send(bcm, &m, sizeof m, 0), sizeof m);
    expect_frame(raw_end, 0x321, "by bcm");

    /* Three times, by the kernel's own clock. */
    m = bcm_message(TX_SETUP, SETTIMER | STARTTIMER | TX_COUNTEVT, 0x322, "tick");
    m.head.count = 3;
    m.head.ival1.tv_usec = 10000;
    CHECK_INT(skt_send(bcm, &m, sizeof m, 0), sizeof m);
    for (int i = 0; i < 3; i++)
        expect_frame(raw_end, 0x322, "tick");
    union bcm_message event;
    OK(skt_recv(bcm, &event, sizeof event, 0));
    CHECK_INT(event.head.opcode, TX_EXPIRED);
    CHECK_INT(event.head.can_id, 0x322);
    OK(skt_close(bcm));
    OK(skt_close(raw_end));
}

/* Only a change of the watched bits is reported. */
static void bcm_receive(void)
{
    union bcm_message in;
    skt_addr from;
    skt *bcm = open_can(SOCK_DGRAM, CAN_BCM), *raw_end = raw_on("vcan0");
    if (!bcm || !raw_end)
        return;
    OK(skt_connect(bcm, skt_can("vcan0")));
    union bcm_message m = bcm_message(RX_SETUP, 0, 0x400, "\377");
    CHECK_INT(skt_send(bcm, &m, sizeof m, 0), sizeof m);
    send_frame(raw_end, 0x400, "A");
    send_frame(raw_end, 0x400, "A");
    send_frame(raw_end, 0x400, "B");
    for (const char *expected = "AB"; *expected; expected++) {
        ssize_t n = skt_recvfrom(bcm, &in, sizeof in, 0, &from);
        OK(n);
        CHECK_INT(n, sizeof in);
        CHECK_INT(in.head.opcode, RX_CHANGED);
        CHECK_INT(in.head.frames[0].data[0], *expected);
        check_text(&from, "can:vcan0");
    }
    OK(skt_close(bcm));
    OK(skt_close(raw_end));
}

static void no_such_interface(void)
{
    skt *a = open_can(SOCK_RAW, CAN_RAW);
    if (!a)
        return;
    CHECK_ERRNO(skt_bind(a, skt_can("nocan7")), ENODEV);
    CHECK_STR(skt_strerror(), "bind nocan7: No such device");
    OK(skt_close(a));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "CAN_RAW: frames from one socket to another", raw },
        { "CAN_RAW: every interface, and the sender's", every_interface },
        { "CAN_RAW: filters let through what they name", filters },
        { "CAN_RAW: own messages on request", own_messages },
        { "CAN_RAW: a frame of 64 bytes", fd_frames },
        { "CAN_BCM: a frame sent once, and three times by the clock", bcm_send },
        { "CAN_BCM: changes of a frame are reported", bcm_receive },
        { "CAN: an interface that is not there", no_such_interface },
    };
    private_network();
    return RUN_CASES(cases);
}
