/* ping_packet.c - questions and answers of ping: see ping_packet.h. */
#include "ping_packet.h"
#include <string.h>

enum { HEADER = 8, ECHO_REPLY = 0, ECHO = 8, ECHO6 = 128, ECHO6_REPLY = 129 };

static void put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

static unsigned get16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* RFC 1071: of a packet whose own checksum is right it is 0. */
static unsigned checksum(const unsigned char *packet, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(packet + i);
    if (len % 2)
        sum += (unsigned)packet[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void fill(const struct ping_format *format, uint32_t number, unsigned char *data)
{
    unsigned char head[PING_DATA_MIN];
    memcpy(head, format->cookie, PING_COOKIE);
    put16(head + PING_COOKIE, number >> 16);
    put16(head + PING_COOKIE + 2, number & 0xffff);
    for (size_t i = 0; i < format->size; i++)
        data[i] = i < sizeof head ? head[i] : (unsigned char)i;
}

size_t ping_make(const struct ping_format *format, uint32_t number, unsigned char *packet)
{
    if (!format->icmp) {
        fill(format, number, packet);
        return format->size;
    }
    memset(packet, 0, HEADER);
    packet[0] = format->ipv6 ? ECHO6 : ECHO;
    put16(packet + 4, format->identifier);
    put16(packet + 6, number & 0xffff);
    fill(format, number, packet + HEADER);
    if (format->raw && !format->ipv6) /* of ICMPv6 the kernel sees to it */
        put16(packet + 2, checksum(packet, HEADER + format->size));
    return HEADER + format->size;
}

/* The beginning of the data, as much of the cookie as we sent. */
static bool is_ours(const struct ping_format *format, const unsigned char *data, size_t len)
{
    size_t sent = format->size < PING_COOKIE ? format->size : PING_COOKIE;
    return len >= sent && memcmp(data, format->cookie, sent) == 0;
}

static bool read_udp(const struct ping_format *format, const unsigned char *data, size_t len, uint32_t *number)
{
    if (len < PING_DATA_MIN || !is_ours(format, data, len))
        return false;
    *number = (uint32_t)get16(data + PING_COOKIE) << 16 | get16(data + PING_COOKIE + 2);
    return true;
}

/* A message of this type that is about a question of ours. */
static bool read_icmp(const struct ping_format *format, int type, const unsigned char *message, size_t len,
                      uint32_t *number)
{
    if (len < HEADER || message[0] != type || message[1] != 0)
        return false;
    if (format->raw && get16(message + 4) != format->identifier)
        return false;
    *number = get16(message + 6);
    return true;
}

/* Steps over IPv4's header, of which the kernel has seen to the rest. */
static bool skip_ipv4(const unsigned char **packet, size_t *len)
{
    size_t header = *len > 0 ? (size_t)((*packet)[0] & 15) * 4 : 0;
    if (header < 20 || header > *len || (*packet)[0] >> 4 != 4)
        return false;
    *packet += header;
    *len -= header;
    return checksum(*packet, *len) == 0;
}

bool ping_read(const struct ping_format *format, const unsigned char *packet, size_t len, uint32_t *number,
               size_t *size)
{
    *size = len;
    if (!format->icmp)
        return read_udp(format, packet, len, number);
    if (format->raw && !format->ipv6 && !skip_ipv4(&packet, &len))
        return false;
    if (!read_icmp(format, format->ipv6 ? ECHO6_REPLY : ECHO_REPLY, packet, len, number))
        return false;
    *size = len - HEADER;
    return is_ours(format, packet + HEADER, *size);
}

bool ping_read_quote(const struct ping_format *format, const unsigned char *packet, size_t len, uint32_t *number)
{
    if (!format->icmp)
        return read_udp(format, packet, len, number);
    return read_icmp(format, format->ipv6 ? ECHO6 : ECHO, packet, len, number);
}

const char *ping_error_text(bool ipv6, int type, int code)
{
    static const struct {
        bool ipv6;
        int type, code; /* code -1: any other */
        const char *text;
    } texts[] = {
        { false, 3, 0, "network unreachable" },
        { false, 3, 1, "host unreachable" },
        { false, 3, 2, "protocol unreachable" },
        { false, 3, 3, "port unreachable" },
        { false, 3, 4, "packet too big" },
        { false, 3, 9, "network prohibited" },
        { false, 3, 10, "host prohibited" },
        { false, 3, 13, "prohibited by a filter" },
        { false, 3, -1, "unreachable" },
        { false, 11, 0, "hops used up" },
        { false, 11, 1, "fragments missing" },
        { false, 12, -1, "malformed header" },
        { true, 1, 0, "no route" },
        { true, 1, 1, "prohibited by a filter" },
        { true, 1, 3, "address unreachable" },
        { true, 1, 4, "port unreachable" },
        { true, 1, 5, "source address prohibited" },
        { true, 1, 6, "route rejected" },
        { true, 1, -1, "unreachable" },
        { true, 2, 0, "packet too big" },
        { true, 3, 0, "hops used up" },
        { true, 3, 1, "fragments missing" },
        { true, 4, -1, "malformed header" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].ipv6 == ipv6 && texts[i].type == type && (texts[i].code == code || texts[i].code < 0))
            return texts[i].text;
    return NULL;
}
