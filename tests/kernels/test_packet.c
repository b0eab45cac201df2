/* test_packet.c - AF_PACKET: frames as they are on the wire, here on lo. */
#include "kernels.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>

#define ETHERTYPE 0x88b5 /* for experiments (IEEE 802) */
#define FROM_LO "packet:lo,0x88b5,0,772,000000000000"

static skt *packet(int type)
{
    skt *s = open_family(AF_PACKET, type, 0);
    if (s)
        OK(skt_bind(s, skt_packet("lo", ETHERTYPE, 0, 0, NULL, 0)));
    return s;
}

static void raw(void)
{
    struct {
        struct ether_header head;
        char text[50];
    } frame = { { .ether_type = htons(ETHERTYPE) }, "a frame of our own" }, got;
    skt_addr from;
    skt *s = packet(SOCK_RAW);
    if (!s)
        return;
    skt_addr own = own_address(s);
    check_text_begins(&own, "packet:lo,0x88b5");
    CHECK_STR(skt_host(&own), "lo");
    CHECK_INT(skt_send(s, &frame, sizeof frame, 0), sizeof frame);
    CHECK_INT(skt_recvfrom(s, &got, sizeof got, 0, &from), sizeof got);
    CHECK(memcmp(&frame, &got, sizeof got) == 0);
    check_text(&from, FROM_LO);
    OK(skt_close(s));
}

/* The kernel writes the header, from the address. */
static void cooked(void)
{
    static const char lo[6];
    skt *s = packet(SOCK_DGRAM);
    if (!s)
        return;
    send_text(s, "no header", skt_packet("lo", ETHERTYPE, 0, 0, lo, sizeof lo));
    skt_addr from = expect(s, "no header");
    check_text(&from, FROM_LO);
    OK(skt_close(s));
}

/* What the kernel tells beside the frame; recvmsg is a call of its own, with flags that this family is particular
 * about. */
static void auxiliary(void)
{
    static const char lo[6];
    _Alignas(struct cmsghdr) char control[SKT_CONTROL_SPACE(sizeof(struct tpacket_auxdata))];
    char buf[4];
    struct iovec iov = { buf, sizeof buf };
    skt_addr from;
    skt_msg msg = { .iov = &iov, .iovlen = 1, .control = control, .controlsize = sizeof control, .addr = &from };
    if (under_qemu())
        SKIP("qemu-user does not know PACKET_AUXDATA");
    skt *s = packet(SOCK_DGRAM);
    if (!s)
        return;
    OK(skt_setsockopt_int(s, SOL_PACKET, PACKET_AUXDATA, 1));
    send_text(s, "too long", skt_packet("lo", ETHERTYPE, 0, 0, lo, sizeof lo));
    OK(skt_recvmsg(s, &msg, 0));
    CHECK(msg.flags & MSG_TRUNC);
    check_text(&from, FROM_LO);
    skt_cmsg item = { 0 };
    CHECK(skt_next_cmsg(&msg, &item));
    CHECK_INT(item.level, SOL_PACKET);
    CHECK_INT(item.type, PACKET_AUXDATA);
    const struct tpacket_auxdata *aux = item.data;
    CHECK_INT(aux->tp_len, 8);
    OK(skt_close(s));
}

/* An ordinary datagram, seen from below. */
static void sees_udp(void)
{
    char frame[256];
    skt_addr from;
    OPEN(s, AF_PACKET, SOCK_DGRAM, 0);
    OK(skt_bind(s, skt_packet("lo", ETH_P_IP, 0, 0, NULL, 0)));
    OPEN(udp, AF_INET, SOCK_DGRAM, 0);
    OK(skt_bind(udp, skt_inet("127.0.0.1", 0)));
    send_text(udp, "look at me", own_address(udp));
    ssize_t n;
    do {
        n = skt_recvfrom(s, frame, sizeof frame, 0, &from);
        OK(n);
    } while (n != 20 + 8 + 10 || memcmp(frame + 28, "look at me", 10) != 0);
    check_text_begins(&from, "packet:lo,0x0800,");
    OK(skt_close(udp));
    OK(skt_close(s));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "AF_PACKET SOCK_RAW: a frame with its header", raw },
        { "AF_PACKET SOCK_DGRAM: a frame without its header", cooked },
        { "AF_PACKET: auxiliary data of a frame that was cut", auxiliary },
        { "AF_PACKET: a UDP datagram seen from below", sees_udp },
    };
    private_network();
    return RUN_CASES(cases);
}
