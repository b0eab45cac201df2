/* proxy_header.h - the header of HAProxy's PROXY protocol, which tells a server who its client's client is.
 *
 *     PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n                      version 1, at most 107 bytes
 *
 *     \r\n\r\n\0\r\nQUIT\n  0x21  0x11  12  addresses, ports, and more     version 2
 *     signature, 12 bytes    |     |    length of what follows, 2 bytes
 *       version, command ----+     +---- family, transport
 *
 * Only bytes in, addresses out: what reads and writes sockets is in relay_hello.c, and the fuzzer needs none. */
#ifndef CMD_PROXY_HEADER_H
#define CMD_PROXY_HEADER_H

#include <skt.h>

/* The longest header that is accepted; who sends more than addresses (TLVs) stays far below. */
#define PROXY_HEADER_LONGEST 4096

struct proxy_header {
    int version; /* 1 or 2 */
    bool local;  /* nobody's connection (a health check), or of a family not known: the addresses are not set */
    skt_addr source, destination;
};

enum proxy_header_state { PROXY_HEADER_MORE, PROXY_HEADER_DONE, PROXY_HEADER_WRONG };

/* Looks at the first len bytes of a connection, at most PROXY_HEADER_LONGEST.  PROXY_HEADER_MORE: all of them belong to
 * a header, which is not complete.  PROXY_HEADER_DONE: the first *used are the header.  PROXY_HEADER_WRONG: in *why, in
 * a few words. */
enum proxy_header_state proxy_header_read(const unsigned char *buf, size_t len, struct proxy_header *header,
                                          size_t *used, const char **why);

/* Writes a header for a connection of `type` (SOCK_STREAM, SOCK_DGRAM) from source to destination into buf, which has
 * PROXY_HEADER_LONGEST bytes; how many they are.  Addresses that the version knows nothing of are left out. */
size_t proxy_header_write(int version, int type, const skt_addr *source, const skt_addr *destination,
                          unsigned char *buf);

#endif
