/* address.h - the families as a table, and an address on its way to the kernel and back.
 *
 * What a skt_addr is, by its kind:
 *
 *   NONE   nothing (unconnected, zeroed)
 *   READY  as, len: a sockaddr
 *   NAME   text: a host or interface name to look up; the rest of the sockaddr is in as
 *   BAD    text: what was wrong, in words; scope_id: the errno
 */
#ifndef SKTI_ADDRESS_H
#define SKTI_ADDRESS_H

#include <skt.h>

enum skti_addr_kind { SKTI_ADDR_NONE, SKTI_ADDR_READY, SKTI_ADDR_NAME, SKTI_ADDR_BAD };

/* One family, or one form of a family that has several (by protocol). */
struct skti_family {
    int family;
    int proto;          /* -1: whatever it is */
    const char *name;   /* "AF_INET" */
    const char *scheme; /* the word before the colon in text; "" for IP */
    /* Text, what stands behind "scheme:", to address; what is wrong becomes a BAD one. */
    skt_addr (*parse)(const char *text);
    /* Address (READY or NAME) to text, without "scheme:"; as snprintf. */
    int (*format)(const skt_addr *a, char *buf, size_t len);
    /* The host alone, into buf; as snprintf. */
    int (*host)(const skt_addr *a, char *buf, size_t len);
    /* The smallest sockaddr that the kernel may have given. */
    socklen_t size;
    /* Looks up the interface's name in a->text and makes a READY; 0 or an
     * errno.  NULL: the family has no such names (IP's are resolve.c's). */
    int (*lookup)(skt_addr *a);
};

/* The row of a family, by protocol where it matters; never NULL (there is one
 * for what is not known, which shows bytes). */
const struct skti_family *skti_family(int family, int proto);

/* "AF_INET", or NULL for what is not known. */
const char *skti_family_name(int family);

/* A BAD address of family. */
skt_addr skti_bad_address(int family, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Finishes an address whose sockaddr the kernel wrote into a->as: len bytes as it
 * reported them (it may report more than there was room for).  proto: the socket's. */
void skti_addr_received(skt_addr *a, socklen_t len, int proto);

/* Whether a can be used with a socket of family; explains to the record if not (0 or -1). */
int skti_addr_check(const char *call, const skt_addr *a, int family);

#endif
