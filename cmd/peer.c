/* peer.c - whom we talk to: a connection, or the sender of datagrams.
 *
 * A datagram listener is not connected to its peer: connect(2) would choose the
 * address that we answer from by the route, and a peer that wrote to another
 * address of this machine would not know us.  We answer from the address that
 * the peer wrote to. */
#include "cmd.h"
#include <errno.h>

struct cmd_peer cmd_peer_connected(skt *s)
{
    int type = skt_type(s);
    return (struct cmd_peer){ .sock = s, .messages = type != SOCK_STREAM, .endless = type == SOCK_DGRAM };
}

/* Asks for the address that datagrams come to; where the kernel cannot tell, it
 * chooses the one that we answer from. */
static void ask_for_local_address(skt *s)
{
    if (skt_family(s) == AF_INET)
        skt_setsockopt_int(s, IPPROTO_IP, IP_PKTINFO, 1);
    if (skt_family(s) == AF_INET6)
        skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* Keeps the address that msg came to, in the form in which it is sent from. */
static void keep_local_address(struct cmd_peer *peer, const skt_msg *msg)
{
    skt_msg reply = { .control = peer->control, .controlsize = sizeof peer->control };
    skt_addr local;
    if (skt_get_pktinfo(msg, &local, NULL) == 0 && skt_put_pktinfo(&reply, &local, 0) == 0)
        peer->controllen = reply.controllen;
}

int cmd_peer_await(struct cmd_peer *peer, skt *s)
{
    _Alignas(struct cmsghdr) char control[128];
    char byte;
    struct iovec piece = { &byte, 1 };
    skt_msg msg = {
        .iov = &piece, .iovlen = 1, .control = control, .controlsize = sizeof control, .addr = &peer->addr
    };
    *peer = cmd_peer_connected(s);
    peer->addressed = true;
    ask_for_local_address(s);
    if (skt_recvmsg(s, &msg, MSG_PEEK) < 0)
        return -1;
    keep_local_address(peer, &msg);
    return 0;
}

/* What the kernel says of a source address that is not this machine's own. */
static bool is_no_source(int code)
{
    return code == EINVAL || code == ENETUNREACH || code == EADDRNOTAVAIL;
}

/* What came to a broadcast or multicast address cannot be answered from it: then
 * the kernel is to choose. */
static int send_addressed(struct cmd_peer *peer, const void *buf, size_t len)
{
    struct iovec piece = { (void *)buf, len };
    skt_msg msg = { .iov = &piece,
                    .iovlen = 1,
                    .control = peer->control,
                    .controlsize = sizeof peer->control,
                    .controllen = peer->controllen,
                    .addr = &peer->addr };
    ssize_t n = skt_sendmsg(peer->sock, &msg, 0);
    if (n < 0 && is_no_source(errno) && peer->controllen > 0) {
        peer->controllen = msg.controllen = 0;
        n = skt_sendmsg(peer->sock, &msg, 0);
    }
    return n < 0 ? -1 : 0;
}

int cmd_peer_send(struct cmd_peer *peer, const void *buf, size_t len)
{
    if (peer->addressed)
        return send_addressed(peer, buf, len);
    return skt_sendall(peer->sock, buf, len, 0);
}

const char *cmd_peer_send_error(const struct cmd_peer *peer)
{
    if (peer->addressed && peer->addr.family == AF_UNSPEC) /* an AF_UNIX client that has bound none */
        return "the peer has no address that an answer could be sent to";
    return skt_strerror();
}

ssize_t cmd_peer_recv(struct cmd_peer *peer, void *buf, size_t len)
{
    int flags = MSG_DONTWAIT | (peer->messages ? MSG_TRUNC : 0); /* which tells the length of one that was cut */
    skt_addr from;
    ssize_t n;
    if (!peer->addressed)
        return skt_recv(peer->sock, buf, len, flags);
    do
        n = skt_recvfrom(peer->sock, buf, len, flags, &from);
    while (n >= 0 && !skt_addr_equal(&from, &peer->addr));
    return n;
}
