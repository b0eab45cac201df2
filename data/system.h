/* system.h - the headers that the names of constants.txt come from.
 *
 * netinet/ has what linux/in.h, in6.h, tcp.h, udp.h and netfilter_ipv4.h have, which cannot be included
 * beside it; what is new there stands in constants.txt with its number. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <net/ethernet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/errqueue.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/mptcp.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/rds.h>
#include <linux/tipc.h>
#include <linux/tls.h>
#include <linux/vm_sockets.h>

#endif
