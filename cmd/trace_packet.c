/* trace_packet.c - a frame's bytes, read as IP with TCP, UDP, ping's echo, or an ICMP error about one of them.
 *
 * Whatever the bytes are, nothing is read beyond their end (fuzz/fuzz_trace.c). */
#include "trace.h"
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* What is left to be read: n bytes are here, length were on the wire. */
struct bytes {
    const uint8_t *at;
    size_t n, length;
};

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static bool skip(struct bytes *b, size_t n)
{
    if (b->n < n)
        return false;
    b->at += n;
    b->n -= n;
    b->length -= n < b->length ? n : b->length;
    return true;
}

/* ---- Ends ---- */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void set_ipv4(uint8_t addr[16], const void *four)
{
    memcpy(addr, mapped, sizeof mapped);
    memcpy(addr + 12, four, 4);
}

bool trace_end_from(struct trace_end *end, const struct sockaddr *sa, socklen_t len)
{
    if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const void *)sa;
        set_ipv4(end->addr, &in->sin_addr);
        end->port = ntohs(in->sin_port);
        return true;
    }
    if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        memcpy(end->addr, &in6->sin6_addr, 16);
        end->port = ntohs(in6->sin6_port);
        return true;
    }
    return false;
}

char *trace_end_text(const struct trace_end *end, char buf[static TRACE_END_TEXT])
{
    char host[INET6_ADDRSTRLEN];
    bool ipv4 = !memcmp(end->addr, mapped, sizeof mapped);
    if (!skt_inet_ntop(ipv4 ? AF_INET : AF_INET6, end->addr + (ipv4 ? 12 : 0), ipv4 ? 4 : 16, host, sizeof host))
        *host = '\0';
    snprintf(buf, TRACE_END_TEXT, ipv4 ? "%s:%u" : "[%s]:%u", host, end->port);
    return buf;
}

char *trace_flags_text(unsigned flags, char buf[static 40])
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = { { TCP_SYN, "SYN" }, { TCP_FIN, "FIN" }, { TCP_RST, "RST" }, { TCP_URG, "URG" },
                  { TCP_PSH, "PSH" }, { TCP_ECE, "ECE" }, { TCP_CWR, "CWR" }, { TCP_ACK, "ACK" } };
    char *end = buf;
    *end = '\0';
    for (size_t i = 0; i < COUNT(names); i++)
        if (flags & names[i].flag)
            end += sprintf(end, "%s%s", end == buf ? "" : " ", names[i].name);
    return buf;
}

/* ---- IP ---- */

/* Past the header; the rest is as long as IP says, unless that is 0: the interface is to cut it in pieces. */
static bool enter_ipv4(struct bytes *b, struct trace_packet *p, uint8_t *protocol)
{
    if (b->n < 20 || b->at[0] >> 4 != 4 || (b->at[0] & 15) < 5)
        return false;
    size_t header = (size_t)(b->at[0] & 15) * 4, total = get16(b->at + 2);
    if (get16(b->at + 6) & 0x1fff)
        return false; /* a later fragment has no ports */
    set_ipv4(p->from.addr, b->at + 12);
    set_ipv4(p->to.addr, b->at + 16);
    *protocol = b->at[9];
    if (total >= header)
        b->length = total;
    return skip(b, header);
}

/* Steps over an extension header: false if it is none, or ends what can be read. */
static bool skip_extension(struct bytes *b, uint8_t *protocol)
{
    if (b->n < 8)
        return false;
    size_t size = ((size_t)b->at[1] + 1) * 8;
    if (*protocol == IPPROTO_FRAGMENT) {
        if (get16(b->at + 2) & 0xfff8)
            return false; /* a later fragment */
        size = 8;
    } else if (*protocol == IPPROTO_AH) {
        size = ((size_t)b->at[1] + 2) * 4;
    } else if (*protocol != IPPROTO_HOPOPTS && *protocol != IPPROTO_ROUTING && *protocol != IPPROTO_DSTOPTS) {
        return false;
    }
    *protocol = b->at[0];
    return skip(b, size);
}

static bool enter_ipv6(struct bytes *b, struct trace_packet *p, uint8_t *protocol)
{
    if (b->n < 40 || b->at[0] >> 4 != 6)
        return false;
    size_t total = get16(b->at + 4);
    memcpy(p->from.addr, b->at + 8, 16);
    memcpy(p->to.addr, b->at + 24, 16);
    *protocol = b->at[6];
    if (total > 0)
        b->length = 40 + total;
    if (!skip(b, 40))
        return false;
    while (skip_extension(b, protocol))
        ;
    return true;
}

static bool enter_ip(struct bytes *b, unsigned ethertype, struct trace_packet *p, uint8_t *protocol)
{
    return ethertype == ETHERTYPE_IP     ? enter_ipv4(b, p, protocol)
           : ethertype == ETHERTYPE_IPV6 ? enter_ipv6(b, p, protocol)
                                         : false;
}

/* ---- TCP and UDP ---- */

static bool read_ports(const struct bytes *b, struct trace_packet *p)
{
    if (b->n < 8)
        return false;
    p->from.port = (uint16_t)get16(b->at);
    p->to.port = (uint16_t)get16(b->at + 2);
    return true;
}

static bool read_tcp(const struct bytes *b, struct trace_packet *p)
{
    if (!read_ports(b, p) || b->n < 20)
        return false;
    size_t header = (size_t)(b->at[12] >> 4) * 4;
    if (header < 20)
        return false;
    p->seq = get32(b->at + 4);
    p->ack = get32(b->at + 8);
    p->flags = b->at[13];
    p->window = (uint16_t)get16(b->at + 14);
    p->bytes = (uint32_t)(b->length > header ? b->length - header : 0);
    return true;
}

/* A fragmented datagram's size is told by UDP and not by IP; 0: a jumbogram. */
static bool read_udp(const struct bytes *b, struct trace_packet *p)
{
    if (!read_ports(b, p))
        return false;
    size_t size = get16(b->at + 4);
    if (size == 0)
        size = b->length;
    p->bytes = (uint32_t)(size > 8 ? size - 8 : 0);
    return true;
}

/* ---- ICMP ---- */

struct icmp_word {
    uint8_t type;
    int code; /* -1: any */
    const char *text;
};

static const struct icmp_word icmp_words[] = {
    { ICMP_DEST_UNREACH, ICMP_NET_UNREACH, "network unreachable" },
    { ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, "host unreachable" },
    { ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, "protocol unreachable" },
    { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, "port unreachable" },
    { ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, "fragmentation needed" },
    { ICMP_DEST_UNREACH, ICMP_NET_ANO, "prohibited" },
    { ICMP_DEST_UNREACH, ICMP_HOST_ANO, "prohibited" },
    { ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, "prohibited" },
    { ICMP_DEST_UNREACH, -1, "unreachable" },
    { ICMP_SOURCE_QUENCH, -1, "source quench" },
    { ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, "fragments missing" },
    { ICMP_TIME_EXCEEDED, -1, "time exceeded" },
    { ICMP_PARAMETERPROB, -1, "parameter problem" },
};

static const struct icmp_word icmp6_words[] = {
    { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, "network unreachable" },
    { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, "prohibited" },
    { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, "host unreachable" },
    { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, "port unreachable" },
    { ICMP6_DST_UNREACH, -1, "unreachable" },
    { ICMP6_PACKET_TOO_BIG, -1, "packet too big" },
    { ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY, "fragments missing" },
    { ICMP6_TIME_EXCEEDED, -1, "time exceeded" },
    { ICMP6_PARAM_PROB, -1, "parameter problem" },
};

static const char *icmp_word(const struct icmp_word *words, size_t n, uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < n; i++)
        if (words[i].type == type && (words[i].code == code || words[i].code < 0))
            return words[i].text;
    return NULL;
}

/* Questions and answers of ping: the number of who asks stands for a port. */
static bool read_echo(const struct bytes *b, unsigned ethertype, struct trace_packet *p)
{
    if (b->n < 8)
        return false;
    bool ipv4 = ethertype == ETHERTYPE_IP;
    bool question = b->at[0] == (ipv4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
    if (!question && b->at[0] != (ipv4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
        return false;
    p->protocol = IPPROTO_ICMP;
    p->echo = question ? "echo request" : "echo reply";
    *(question ? &p->from.port : &p->to.port) = (uint16_t)get16(b->at + 4);
    p->seq = get16(b->at + 6);
    p->bytes = (uint32_t)(b->length > 8 ? b->length - 8 : 0);
    return true;
}

static bool is_icmp(unsigned protocol, unsigned ethertype)
{
    return protocol == (ethertype == ETHERTYPE_IP ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool read_quoted(const struct bytes *b, unsigned ethertype, struct trace_packet *p)
{
    if (is_icmp(p->protocol, ethertype))
        return read_echo(b, ethertype, p);
    return (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) && read_ports(b, p);
}

static bool read_icmp(struct bytes *b, unsigned ethertype, struct trace_packet *p)
{
    if (b->n < 8 || read_echo(b, ethertype, p))
        return b->n >= 8;
    memcpy(p->reporter, p->from.addr, 16);
    p->error = ethertype == ETHERTYPE_IP ? icmp_word(icmp_words, COUNT(icmp_words), b->at[0], b->at[1])
                                         : icmp_word(icmp6_words, COUNT(icmp6_words), b->at[0], b->at[1]);
    return p->error && skip(b, 8) && enter_ip(b, ethertype, p, &p->protocol) && read_quoted(b, ethertype, p);
}

/* ---- Frames ---- */

static bool is_vlan(unsigned ethertype)
{
    return ethertype == ETHERTYPE_VLAN || ethertype == 0x88a8 || ethertype == 0x9100;
}

/* What IP it is if IP's own length says that its header is here; else 0. */
static unsigned ip_here(const struct bytes *b)
{
    if (b->n >= 20 && b->at[0] >> 4 == 4 && get16(b->at + 2) == b->length)
        return ETHERTYPE_IP;
    if (b->n >= 40 && b->at[0] >> 4 == 6 && get16(b->at + 4) + 40 == b->length)
        return ETHERTYPE_IPV6;
    return 0;
}

/* Whether a VLAN's tag is here, that is, behind two bytes of it the type of what follows. */
static bool tag_here(const struct bytes *b)
{
    unsigned type = b->n >= 5 ? get16(b->at + 2) : 0, version = b->n >= 5 ? b->at[4] >> 4 : 0;
    return is_vlan(type) || (type == ETHERTYPE_IP && version == 4) || (type == ETHERTYPE_IPV6 && version == 6);
}

/* Where a frame has VLAN tags, kernels differ in whether `ethertype` is the outermost or the innermost type, and in
 * whether the tags are here or have been taken away: so the bytes themselves are asked. */
static bool skip_vlans(struct bytes *b, unsigned *ethertype)
{
    unsigned here;
    for (int tags = 0; !(here = ip_here(b)) && tags < 4 && tag_here(b); tags++) {
        *ethertype = get16(b->at + 2);
        skip(b, 4);
    }
    if (here)
        *ethertype = here;
    return !is_vlan(*ethertype);
}

bool trace_parse(const uint8_t *bytes, size_t captured, size_t length, unsigned ethertype, struct trace_packet *packet)
{
    struct bytes b = { bytes, captured < length ? captured : length, length };
    uint8_t protocol;
    memset(packet, 0, sizeof *packet);
    if (!skip_vlans(&b, &ethertype) || !enter_ip(&b, ethertype, packet, &protocol))
        return false;
    packet->protocol = protocol;
    if (protocol == IPPROTO_TCP)
        return read_tcp(&b, packet);
    if (protocol == IPPROTO_UDP)
        return read_udp(&b, packet);
    if (is_icmp(protocol, ethertype))
        return read_icmp(&b, ethertype, packet);
    return false;
}
