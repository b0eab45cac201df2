/* connect.c - skt connect: talk to a peer that waits for us. */
#include "cmd.h"

static void say_connected(skt *s, const struct cmd_address *address)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    if (address->ip && skt_getpeername(s, &addr) == 0)
        cmd_say("connected to %s", skt_addr_text(&addr, text, sizeof text));
    else
        cmd_say("connected to %s", address->text);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    int fds[COUNT(settings->send_fd.items)];
    skt *s;
    int status = cmd_read_address(settings, n, args, &address);
    if (status || (status = cmd_check_talk(settings, &address, fds)) ||
        (status = cmd_dial_until(&address, settings, &s)))
        return status;
    if (settings->verbose)
        say_connected(s, &address);
    struct cmd_peer peer = cmd_peer_connected(s);
    return cmd_talk(&peer, settings, fds);
}

const struct command cmd_connect = {
    .name = "connect",
    .run = run,
    .line = "carry standard input to a peer, what it sends to standard output",
    .options =
        "timeout idle end retry record send-fd exec verbose | shell source interface ttl dscp option send-buffer "
        "receive-buffer ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt connect localhost 8080              talk by hand; Ctrl-D ends the input\n"
                "  skt connect tcp://[::1]:80 < request    send, then print the answer\n"
                "  skt connect -e input udp://10.0.0.1:514 < message\n"
                "  skt connect --retry 1s unix:/run/x      until somebody listens there\n",
    .rules = "The end of the input is passed on (half-close).  It ends when both sides have\n"
             "ended; at a terminal, when the peer has.  Datagrams have no end: it goes on\n"
             "after the input until it is interrupted, unless --end input or --idle is given.\n",
};
