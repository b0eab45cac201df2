/* listen.c - skt listen: wait for one peer and talk to it. */
#include "cmd.h"

/* The first peer, in time; a stream's listener is closed once there is one, so that
 * others are refused instead of waiting for nothing. */
static int await_peer(struct cmd_peer *peer, skt *server, double timeout)
{
    if (skt_settimeout(server, timeout) < 0)
        return -1;
    if (skt_type(server) == SOCK_DGRAM)
        return cmd_peer_await(peer, server) < 0 || skt_settimeout(server, SKT_NO_TIMEOUT) < 0 ? -1 : 0;
    skt_addr from;
    skt *s = skt_accept(server, &from);
    if (!s)
        return -1;
    *peer = cmd_peer_connected(s);
    peer->addr = from;
    cmd_remove_socket_file();
    return skt_close(server);
}

static void say_peer(const struct cmd_peer *peer)
{
    char text[SKT_ADDR_TEXT_MAX];
    if (peer->addr.family == AF_INET || peer->addr.family == AF_INET6)
        cmd_say("the peer is %s", skt_addr_text(&peer->addr, text, sizeof text));
    else
        cmd_say("a peer has come");
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    struct cmd_peer peer;
    char text[SKT_ADDR_TEXT_MAX + 16];
    int status = cmd_read_address(settings, n, args, &address);
    if (status)
        return status;
    skt *server;
    if ((status = cmd_listen_at(&address, settings, &server)))
        return status;
    cmd_address_of(&address, server, text, sizeof text);
    cmd_say("listening on %s", text);
    if (await_peer(&peer, server, settings->timeout) < 0)
        return cmd_fail();
    if (settings->verbose)
        say_peer(&peer);
    return cmd_pump(&peer, settings);
}

const struct command cmd_listen = {
    .name = "listen",
    .run = run,
    .line = "wait for one peer and talk to it in the same way",
    .options = "timeout idle end verbose | ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt listen tcp://:8080                  all addresses, IPv4 and IPv6\n"
                "  skt listen localhost 8080 > file        keep what the peer sends\n"
                "  skt listen tcp://localhost:0 < file     a free port; it says which\n"
                "  skt listen -i 5 udp://:514              until there are 5 s of silence\n"
                "  skt listen unix:/run/app.sock           the file is removed afterwards\n",
    .rules = "Serves one peer.  It ends when both sides have ended; at a terminal, when the\n"
             "peer has.  With datagrams, who sends the first one is the peer, what others\n"
             "send is dropped, and it goes on until it is interrupted, unless --end input or\n"
             "--idle is given.\n",
};
