/* peer.c - whom we talk to: a connection, or the sender of datagrams.
 *
 * A datagram listener is not connected to its peer: connect(2) would choose the
 * address that we answer from by the route, and a peer that wrote to another
 * address of this machine would not know us.  We answer from the address that
 * the peer wrote to. */
#include "cmd.h"
#include <errno.h>
#include <unistd.h>

struct cmd_peer cmd_peer_connected(skt *s)
{
    int type = skt_type(s);
    struct cmd_peer peer = { .sock = s, .messages = type != SOCK_STREAM, .endless = type == SOCK_DGRAM };
    if (skt_getpeername(s, &peer.addr) < 0) /* nobody yet, or no more */
        peer.addr = skt_unix("");
    return peer;
}

void cmd_peer_ask_for_local_address(skt *s)
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

ssize_t cmd_peer_take(skt *s, void *buf, size_t len, int flags, struct cmd_peer *from)
{
    _Alignas(struct cmsghdr) char control[128];
    struct iovec piece = { buf, len };
    *from = cmd_peer_connected(s);
    from->addressed = true;
    skt_msg msg = {
        .iov = &piece, .iovlen = 1, .control = control, .controlsize = sizeof control, .addr = &from->addr
    };
    ssize_t n = skt_recvmsg(s, &msg, flags);
    if (n < 0)
        return -1;
    skt_close_rights(&msg);
    keep_local_address(from, &msg);
    return n;
}

int cmd_peer_await(struct cmd_peer *peer, skt *s)
{
    char byte;
    cmd_peer_ask_for_local_address(s);
    return cmd_peer_take(s, &byte, 1, MSG_PEEK, peer) < 0 ? -1 : 0;
}

char *cmd_peer_name(const struct cmd_peer *peer, char buf[static SKT_ADDR_TEXT_MAX])
{
    const skt_addr *addr = &peer->addr;
    if (addr->family != AF_UNSPEC && (addr->family != AF_UNIX || *skt_host(addr)))
        return skt_addr_text(addr, buf, SKT_ADDR_TEXT_MAX);
    snprintf(buf, SKT_ADDR_TEXT_MAX, "peer"); /* of AF_UNIX, a client that has bound no name */
    return buf;
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

/* The descriptors go with the first byte. */
static int send_with_fds(struct cmd_peer *peer, const void *buf, size_t len)
{
    size_t n = peer->nfds;
    ssize_t sent = skt_send_fds(peer->sock, buf, len, peer->fds, n, 0);
    if (sent < 0)
        return -1;
    peer->nfds = 0;
    return (size_t)sent == len ? 0 : skt_sendall(peer->sock, (const char *)buf + sent, len - (size_t)sent, 0);
}

int cmd_peer_send(struct cmd_peer *peer, const void *buf, size_t len)
{
    int result;
    if (peer->addressed)
        result = send_addressed(peer, buf, len);
    else if (peer->nfds > 0)
        result = send_with_fds(peer, buf, len);
    else
        result = skt_sendall(peer->sock, buf, len, 0);
    if (result == 0)
        cmd_record('>', peer, buf, len);
    return result;
}

const char *cmd_peer_send_error(const struct cmd_peer *peer)
{
    if (peer->addressed && peer->addr.family == AF_UNSPEC) /* an AF_UNIX client that has bound none */
        return "the peer has no address that an answer could be sent to";
    return skt_strerror();
}

/* Tells what came, as far as /proc knows it; it is of use to no other program. */
static void show_and_close(int fd)
{
    char link[32], target[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = '\0';
    cmd_say("the peer has passed a descriptor: %s", n < 0 ? "of what, nobody knows" : target);
    close(fd);
}

static ssize_t recv_with_fds(struct cmd_peer *peer, void *buf, size_t len, int flags)
{
    int fds[64];
    size_t n = COUNT(fds);
    ssize_t got = skt_recv_fds(peer->sock, buf, len, fds, &n, flags, NULL);
    for (size_t i = 0; got >= 0 && i < n; i++)
        show_and_close(fds[i]);
    return got;
}

static ssize_t recv_from_peer(struct cmd_peer *peer, void *buf, size_t len, int flags)
{
    struct cmd_peer from;
    ssize_t n;
    if (!peer->addressed)
        return skt_family(peer->sock) == AF_UNIX ? recv_with_fds(peer, buf, len, flags)
                                                 : skt_recv(peer->sock, buf, len, flags);
    do
        n = cmd_peer_take(peer->sock, buf, len, flags, &from);
    while (n >= 0 && !skt_addr_equal(&from.addr, &peer->addr));
    return n;
}

ssize_t cmd_peer_recv(struct cmd_peer *peer, void *buf, size_t len, int flags)
{
    if (peer->messages)
        flags |= MSG_TRUNC; /* which tells the length of one that was cut */
    ssize_t n = recv_from_peer(peer, buf, len, flags);
    if (n > 0)
        cmd_record('<', peer, buf, (size_t)n < len ? (size_t)n : len);
    return n;
}
