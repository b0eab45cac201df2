/* resolve.h - names to addresses, under a deadline. */
#ifndef SKTI_RESOLVE_H
#define SKTI_RESOLVE_H

#include <netdb.h>
#include <skt.h>

/* The address that the kernel is to get for addr, with s, which the caller has
 * entered: addr itself, or what its name was resolved to (the first address of
 * the socket's family), put into *room.  *deadline 0: found here, if needed.
 * NULL with errno and the record. */
const skt_addr *skti_resolve(skt *s, const char *call, const skt_addr *addr, skt_addr *room, int64_t *deadline);

/* The name to tell in errors about addr, or NULL. */
const char *skti_name_of(const skt_addr *addr);

/* Whether a name is ASCII: others are encoded (IDNA) by getaddrinfo, and by nothing else. */
bool skti_is_ascii(const char *name);

/* getaddrinfo until the deadline; host, service and hints as there.  Closing s
 * (may be NULL) ends it with EBADF.  0 with *list, to be freed with
 * skti_sys.freeaddrinfo, or -1 with errno and the record. */
int skti_getaddrinfo(skt *s, const char *call, const char *host, const char *service, const struct addrinfo *hints,
                     int64_t deadline, struct addrinfo **list);

#endif
