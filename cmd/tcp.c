/* tcp.c - what several subcommands ask of TCP's sockets. */
#include "tcp.h"
#include <string.h>
#include <strings.h>

bool cmd_is_tcp(skt *s)
{
    return skt_type(s) == SOCK_STREAM && (skt_family(s) == AF_INET || skt_family(s) == AF_INET6);
}

bool cmd_tcp_info(skt *s, struct tcp_info *info)
{
    socklen_t len = sizeof *info;
    memset(info, 0, sizeof *info);
    return cmd_is_tcp(s) && skt_getsockopt(s, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

void cmd_tcp_no_delay(skt *s, const struct cmd_settings *settings)
{
    const struct cmd_list *options = &settings->socket_options;
    for (size_t i = 0; i < options->n; i++)
        if (!strncasecmp(options->items[i], "TCP_NODELAY=", 12))
            return;
    if (cmd_is_tcp(s))
        skt_setsockopt_int(s, IPPROTO_TCP, TCP_NODELAY, 1);
}

void cmd_tcp_keep_alive(skt *s, int after, int again)
{
    if (!cmd_is_tcp(s))
        return;
    skt_setsockopt_int(s, IPPROTO_TCP, TCP_KEEPIDLE, after);
    skt_setsockopt_int(s, IPPROTO_TCP, TCP_KEEPINTVL, again);
    skt_setsockopt_int(s, SOL_SOCKET, SO_KEEPALIVE, 1);
}
