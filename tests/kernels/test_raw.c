/* test_raw.c - SOCK_RAW: ICMP, ICMPv6, IGMP and IP headers of our own. */
#include "kernels.h"
#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/igmp.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <unistd.h>

/* The Internet's checksum (RFC 1071). */
static uint16_t checksum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void icmp(void)
{
    unsigned char buf[256];
    struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { htons((uint16_t)getpid()), htons(1) } };
    skt_addr from;
    OPEN(s, AF_INET, SOCK_RAW, IPPROTO_ICMP);
    echo.checksum = checksum(&echo, sizeof echo);
    CHECK_INT(skt_sendto(s, &echo, sizeof echo, 0, skt_inet("127.0.0.1", 0)), sizeof echo);
    struct icmphdr reply;
    do { /* our own request comes by here too */
        ssize_t n = skt_recvfrom(s, buf, sizeof buf, 0, &from);
        OK(n);
        CHECK(n >= 28);
        memcpy(&reply, buf + 20, sizeof reply);
    } while (reply.type != ICMP_ECHOREPLY || reply.un.echo.id != echo.un.echo.id);
    CHECK_INT(reply.un.echo.sequence, htons(1));
    check_text(&from, "127.0.0.1:0");
    OK(skt_close(s));
}

/* The kernel computes ICMPv6's checksum, and gives no IP header. */
static void icmp6(void)
{
    struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST }, reply;
    struct icmp6_filter filter;
    skt_addr from;
    OPEN(s, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    OK(skt_setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
    echo.icmp6_id = htons((uint16_t)getpid());
    CHECK_INT(skt_sendto(s, &echo, sizeof echo, 0, skt_inet6("::1", 0, 0, 0)), sizeof echo);
    do {
        CHECK_INT(skt_recvfrom(s, &reply, sizeof reply, 0, &from), sizeof reply);
    } while (reply.icmp6_id != echo.icmp6_id);
    CHECK_INT(reply.icmp6_type, ICMP6_ECHO_REPLY);
    check_text(&from, "[::1]:0");
    OK(skt_close(s));
}

static void igmp(void)
{
    unsigned char buf[256];
    unsigned char report[8] = { IGMP_V2_MEMBERSHIP_REPORT, 0, 0, 0, 224, 1, 2, 3 };
    skt_addr from;
    OPEN(s, AF_INET, SOCK_RAW, IPPROTO_IGMP);
    uint16_t sum = checksum(report, sizeof report);
    memcpy(report + 2, &sum, sizeof sum);
    CHECK_INT(skt_sendto(s, report, sizeof report, 0, skt_inet("127.0.0.1", 0)), sizeof report);
    CHECK_INT(skt_recvfrom(s, buf, sizeof buf, 0, &from), 20 + sizeof report);
    CHECK(memcmp(buf + 20, report, sizeof report) == 0);
    check_text(&from, "127.0.0.1:0");
    OK(skt_close(s));
}

/* A whole UDP datagram by hand, from a port that nobody has opened. */
static void header_included(void)
{
    int on = 0;
    struct {
        struct iphdr ip;
        struct udphdr udp;
        char text[8];
    } d = { { .version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_UDP },
            { .source = htons(4711), .len = htons(sizeof d.udp + sizeof d.text) },
            { 'b', 'y', ' ', 'h', 'a', 'n', 'd', '!' } };
    OPEN(s, AF_INET, SOCK_RAW, IPPROTO_RAW);
    OPEN(udp, AF_INET, SOCK_DGRAM, 0);
    OK(skt_bind(udp, skt_inet("127.0.0.1", 0)));
    OK(skt_getsockopt_int(s, IPPROTO_IP, IP_HDRINCL, &on));
    CHECK_INT(on, 1); /* IPPROTO_RAW implies it */
    skt_addr to = own_address(udp);
    d.udp.dest = htons((uint16_t)skt_port(&to));
    d.ip.saddr = d.ip.daddr = htonl(INADDR_LOOPBACK);
    CHECK_INT(skt_sendto(s, &d, sizeof d, 0, skt_inet("127.0.0.1", 0)), sizeof d);
    skt_addr from = expect(udp, "by hand!");
    check_text(&from, "127.0.0.1:4711");
    OK(skt_close(udp));
    OK(skt_close(s));
}

/* A protocol of no name (RFC 3692: 253), with IP_HDRINCL set on one side. */
static void own_protocol(void)
{
    char buf[64];
    struct {
        struct iphdr ip;
        char text[4];
    } d = { { .version = 4, .ihl = 5, .ttl = 9, .protocol = 253 }, { 'f', 'o', 'u', 'r' } };
    OPEN(s, AF_INET, SOCK_RAW, 253);
    OPEN(peer, AF_INET, SOCK_RAW, 253);
    OK(skt_bind(s, skt_inet("127.0.0.1", 0)));
    OK(skt_bind(peer, skt_inet("127.0.0.2", 0)));
    OK(skt_setsockopt_int(s, IPPROTO_IP, IP_HDRINCL, 1));
    OK(skt_connect(s, skt_inet("127.0.0.2", 0)));
    d.ip.saddr = htonl(INADDR_LOOPBACK);
    d.ip.daddr = htonl(INADDR_LOOPBACK + 1);
    CHECK_INT(skt_send(s, &d, sizeof d, 0), sizeof d);
    CHECK_INT(skt_recv(peer, buf, sizeof buf, 0), 24);
    CHECK(memcmp(buf + 20, "four", 4) == 0);
    CHECK_INT(buf[8], 9); /* the time to live is ours */
    OK(skt_close(peer));
    OK(skt_close(s));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "SOCK_RAW: ICMP, an echo and its reply", icmp },
        { "SOCK_RAW: ICMPv6, an echo and its reply", icmp6 },
        { "SOCK_RAW: IGMP, a membership report", igmp },
        { "SOCK_RAW: IP_HDRINCL, a UDP datagram by hand", header_included },
        { "SOCK_RAW: a protocol of our own", own_protocol },
    };
    private_network();
    return RUN_CASES(cases);
}
