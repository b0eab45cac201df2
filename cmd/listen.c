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
    skt *s = skt_accept(server, NULL);
    if (!s)
        return -1;
    *peer = cmd_peer_connected(s);
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

static int serve_one(skt *server, const struct cmd_settings *settings, const int *fds)
{
    struct cmd_peer peer;
    if (await_peer(&peer, server, settings->timeout) < 0)
        return cmd_fail();
    if (settings->verbose)
        say_peer(&peer);
    return cmd_talk(&peer, settings, fds);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    int fds[COUNT(settings->send_fd.items)];
    char text[SKT_ADDR_TEXT_MAX + 16];
    skt *server;
    int status = cmd_read_address(settings, n, args, &address);
    if (status || (status = cmd_check_talk(settings, &address, fds)) ||
        (status = cmd_listen_at(&address, settings, &server)))
        return status;
    cmd_address_of(&address, server, text, sizeof text);
    cmd_say("listening on %s", text);
    if (settings->keep || settings->broadcast)
        return cmd_crowd(server, settings);
    return serve_one(server, settings, fds);
}

const struct command cmd_listen = {
    .name = "listen",
    .run = run,
    .line = "wait for one peer, or for all who come, and talk in the same way",
    .options =
        "keep broadcast exec timeout idle end record verbose | shell send-fd interface ttl dscp option send-buffer "
        "receive-buffer ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt listen localhost 8080 > file        keep what the peer sends\n"
                "  skt listen tcp://localhost:0 < file     a free port; it says which\n"
                "  skt listen --broadcast :8080            a chat room\n"
                "  skt listen --keep :7 --exec cat         a program for each client\n",
    .rules = "Serves one peer, unless --keep or --broadcast is given, and ends when both sides\n"
             "have; at a terminal, when the peer has.  With datagrams, who sends the first\n"
             "one is the peer, and only --end input or --idle ends it.\n",
};
