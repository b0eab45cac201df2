/* host.h - HOST on the command line, for those who ask about a host and not for a conversation with it. */
#ifndef CMD_HOST_H
#define CMD_HOST_H

#include "cmd.h"

/* Reads a host from n arguments, with or without a port: example.org, ::1, [::1]:80, example.org:80,
 * "example.org 80", tcp://example.org:80, udp://example.org:7.  Without a port address->port is -1, and
 * address->type SOCK_STREAM.  0, or STATUS_USAGE, having said why. */
int cmd_read_host(const struct cmd_settings *settings, int n, char **args, struct cmd_address *address);

/* cmd_look_up, with or without a port. */
ssize_t cmd_look_up_host(const struct cmd_address *address, const struct cmd_settings *settings, int flags,
                         skt_addrinfo **list);

/* Whether the host is digits, which nobody needs to look up. */
bool cmd_host_is_numeric(const struct cmd_address *address);

/* Why the library's last call failed, without its saying what was called: "Connection refused", "timed out". */
const char *cmd_reason(void);

#endif
