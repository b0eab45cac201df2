/* address_interface.h - the families that name a network interface (packet, CAN):
 * the name is looked up when the address is used. */
#ifndef SKTI_ADDRESS_INTERFACE_H
#define SKTI_ADDRESS_INTERFACE_H

#include <skt.h>

/* An address of sa, whose interface is still to be put in: READY if ifname is "" (every
 * interface, index 0) or "#7" (index 7, which needs no look-up), else a NAME. */
skt_addr skti_interface_address(const void *sa, socklen_t len, int proto, const char *ifname);

/* A row's lookup: puts the index of the interface a->text into *index, which is inside a, and
 * makes it READY with len bytes.  0 or an errno. */
int skti_interface_lookup(skt_addr *a, int *index, socklen_t len);

/* A row's host: the interface's name, "#7" if there is none by that index, "" for 0. */
void skti_interface_name(int index, char *buf, size_t len);

#endif
