/* listen.c - skt listen: wait for one peer and talk to it. */
#include "cmd.h"
#include <errno.h>
#include <netdb.h>
#include <sys/stat.h>

static skt_addr ip_address(const struct cmd_address *address, int family)
{
    if (family == AF_INET)
        return skt_inet(address->host, address->port);
    if (family == AF_INET6)
        return skt_inet6(address->host, address->port, 0, 0);
    return skt_name(address->host, address->port);
}

/* A bound datagram socket; one of IPv6 takes IPv4 too if dualstack. */
static skt *bind_udp(skt_addr addr, bool dualstack)
{
    skt *s = skt_socket(addr.family, SOCK_DGRAM, 0);
    if ((addr.family != AF_INET6 || skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, !dualstack) == 0) &&
        skt_bind(s, addr) == 0)
        return s;
    skt_close(s);
    return NULL;
}

static skt *listen_udp(const struct cmd_address *address, const struct cmd_settings *settings)
{
    skt_addrinfo *list;
    skt *s = NULL;
    if (!*address->host && settings->family == AF_UNSPEC && skt_has_dualstack_ipv6())
        return bind_udp(skt_inet6("", address->port, 0, 0), true);
    ssize_t n = cmd_look_up(address, settings, AI_PASSIVE, &list);
    if (n < 0)
        return NULL;
    for (ssize_t i = 0; i < n && !s; i++)
        s = bind_udp(list[i].addr, false);
    skt_freeaddrinfo(list);
    return s;
}

/* skt_create_server knows streams only, and the file has to be seen to. */
static skt *listen_other(const struct cmd_address *address)
{
    skt *s = skt_socket(address->addr.family, address->type, 0);
    if (cmd_bind(s, address->addr) == 0 && (address->type == SOCK_DGRAM || skt_listen(s, -1) == 0))
        return s;
    skt_close(s);
    return NULL;
}

static skt *listen_on(const struct cmd_address *address, const struct cmd_settings *settings)
{
    if (!address->ip)
        return listen_other(address);
    if (address->type == SOCK_DGRAM)
        return listen_udp(address, settings);
    return skt_create_server(ip_address(address, settings->family), NULL);
}

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

/* The library's advice on a file that is in the way is for sockets. */
static int fail_to_listen(const struct cmd_address *address)
{
    struct stat file;
    bool in_the_way = errno == EADDRINUSE && !address->ip && address->addr.family == AF_UNIX &&
                      lstat(skt_host(&address->addr), &file) == 0 && !S_ISSOCK(file.st_mode);
    if (!in_the_way)
        return cmd_fail();
    cmd_say("bind %s: there is a file of this name that is no socket", address->text);
    return STATUS_FAILED;
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    struct cmd_peer peer;
    char text[SKT_ADDR_TEXT_MAX + 16];
    int status = cmd_read_address(settings, n, args, &address);
    if (status)
        return status;
    skt *server = listen_on(&address, settings);
    if (!server)
        return fail_to_listen(&address);
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
    .options = "46tievh",
    .help = "  skt listen tcp://:8080                  all addresses, IPv4 and IPv6\n"
            "  skt listen localhost 8080 > file        keep what the peer sends\n"
            "  skt listen tcp://localhost:0 < file     a free port; it says which\n"
            "  skt listen -i 5 udp://:514              until there are 5 s of silence\n"
            "  skt listen unix:/run/app.sock           the file is removed afterwards\n"
            "\n"
            "usage: skt listen [OPTION]... ADDRESS     (for ADDRESS see skt help)\n"
            "\n"
            "Serves one peer.  It ends when both sides have ended; at a terminal, when the\n"
            "peer has.  With datagrams, who sends the first one is the peer, what others\n"
            "send is dropped, and it goes on until it is interrupted, unless --end input or\n"
            "--idle is given.\n",
};
