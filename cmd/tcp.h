/* tcp.h - what is asked of TCP's sockets, and of no others: any socket may be given, others are left as they are. */
#ifndef CMD_TCP_H
#define CMD_TCP_H

#include "cmd.h"
#include <netinet/tcp.h>

bool cmd_is_tcp(skt *s);

/* False, and info all 0, where the system does not tell. */
bool cmd_tcp_info(skt *s, struct tcp_info *info);

/* Sends at once, as servers do, unless the user says something else (-O TCP_NODELAY=0). */
void cmd_tcp_no_delay(skt *s, const struct cmd_settings *settings);

/* After so many seconds of silence the peer is asked whether it is there, and then every `again` seconds. */
void cmd_tcp_keep_alive(skt *s, int after, int again);

#endif
