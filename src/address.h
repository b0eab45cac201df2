/* address.h - the families as a table, and an address on its way to the kernel and back.
 *
 * What a skt_addr is, by its kind:
 *
 *   NONE   nothing (unconnected, zeroed)
 *   READY  as, len: a sockaddr
 *   RAW    the same, from skt_sockaddr: used as it is, without a check
 *   NAME   text: a host or interface name to look up; what else is known is in as
 *   BAD    text: what was wrong, in words; scope_id: the errno */
#ifndef SKTI_ADDRESS_H
#define SKTI_ADDRESS_H

#include <skt.h>

enum skti_addr_kind { SKTI_ADDR_NONE, SKTI_ADDR_READY, SKTI_ADDR_RAW, SKTI_ADDR_NAME, SKTI_ADDR_BAD };

/* A family, or one form of a family that has several (by protocol). */
struct skti_family {
    int family;
    int proto;          /* -1: whatever it is */
    const char *name;   /* "AF_INET" */
    const char *scheme; /* the word before the colon in text; "" for IP */
    socklen_t size;     /* of the smallest sockaddr that can be read */
    /* What stands behind "scheme:" to an address; BAD if it makes no sense. */
    skt_addr (*parse)(const char *text);
    /* The way back, into len bytes; for READY, RAW and NAME. */
    void (*format)(const skt_addr *a, char *buf, size_t len);
    /* The host alone; NULL: it has none. */
    void (*host)(const skt_addr *a, char *buf, size_t len);
    /* The port, -1: it has none; NULL likewise. */
    int (*port)(const skt_addr *a);
    /* Makes a NAME, which holds an interface, READY: 0 or an errno.  NULL: no
     * such names (those of IP are for resolve.c). */
    int (*lookup)(skt_addr *a);
};

extern const struct skti_family skti_inet_row, skti_inet6_row, skti_name_row, skti_unix_row, skti_abstract_row,
    skti_netlink_row, skti_packet_row, skti_vsock_row, skti_tipc_row, skti_alg_row, skti_qipcrtr_row, skti_can_row,
    skti_isotp_row, skti_j1939_row, skti_l2cap_row, skti_rfcomm_row, skti_hci_row, skti_sco_row, skti_rds_row;

/* Whether an AF_UNIX address is an abstract name, and has the second of its rows. */
bool skti_is_abstract(const skt_addr *a);

/* The row for a family, by protocol where it matters; never NULL: there is one for
 * what is not known. */
const struct skti_family *skti_family(int family, int proto);

/* "AF_INET", or NULL for what is not known. */
const char *skti_family_name(int family);

/* A READY address of a sockaddr made here. */
skt_addr skti_ready_address(const void *sa, socklen_t len, int proto);

/* A NAME of family. */
skt_addr skti_named_address(int family, int proto, const char *name);

/* A BAD one; code is an errno. */
skt_addr skti_bad_address(int family, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Finishes an address whose sockaddr the kernel wrote into a->as: len bytes, as it
 * reported them (that may be more than there was room for).  proto: the
 * socket's. */
void skti_addr_received(skt_addr *a, socklen_t len, int proto);

/* Whether a can be used with a socket of family: 0, or -1 with the record. */
int skti_addr_check(const char *call, const skt_addr *a, int family);

#endif
