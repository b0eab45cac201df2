/* ping_packet.h - what is sent to a host that is pinged, and what comes back: only bytes, no sockets, so that a fuzzer
 * can have all of it.
 *
 *   ICMP     | type | code | checksum | identifier | sequence | data ...     the sequence: the lowest 16 bits of the
 *   UDP                                                       | data ...     probe's number
 *
 *   data     | cookie: 8 bytes | number: 4 bytes | 12, 13, 14 ...            as much of it as there is room for
 *
 * The cookie is random: an answer without it belongs to another program's question. */
#ifndef CMD_PING_PACKET_H
#define CMD_PING_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PING_COOKIE = 8,
    PING_DATA_MIN = PING_COOKIE + 4, /* of UDP, whose number is in the data */
    PING_SIZE_MAX = 65507,           /* data in a packet of IPv4 */
    PING_ROOM = 60 + 8 + 65536,      /* for all that may come: IPv4's header, ICMP's, the data */
};

/* What the packets of this process look like. */
struct ping_format {
    bool icmp; /* otherwise UDP */
    bool ipv6;
    bool
        raw; /* we see to the identifier and to IPv4's checksum, and get IPv4's header too; otherwise the kernel does */
    uint16_t identifier;
    unsigned char cookie[PING_COOKIE];
    size_t size; /* of the data */
};

/* Makes the question of this number in packet, which has room for PING_ROOM bytes; returns its length. */
size_t ping_make(const struct ping_format *format, uint32_t number, unsigned char *packet);

/* Reads an answer.  true if it is one to a question of ours; then the number's lowest 16 bits are in *number, for
 * UDP all of it, and in *size how many bytes of data it has. */
bool ping_read(const struct ping_format *format, const unsigned char *packet, size_t len, uint32_t *number,
               size_t *size);

/* Reads what an ICMP error quotes of a question.  As ping_read. */
bool ping_read_quote(const struct ping_format *format, const unsigned char *packet, size_t len, uint32_t *number);

/* What an ICMP error says, in words; NULL for one that has none here. */
const char *ping_error_text(bool ipv6, int type, int code);

#endif
