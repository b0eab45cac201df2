/* bind.c - the server's three calls, bind, listen and accept, and shutdown. */
#include "address.h"
#include "error.h"
#include "io.h"
#include "resolve.h"
#include "socket.h"
#include "sys.h"
#include <errno.h>

int skt_bind(skt *s, skt_addr addr)
{
    skt_addr room;
    int64_t deadline = 0;
    int result = -1;
    if (!skti_enter(s, "bind"))
        return -1;
    const skt_addr *local = skti_resolve(s, "bind", &addr, &room, &deadline);
    if (local) {
        result = skti_sys.bind(skti_fd(s), &local->as.any, local->len);
        if (result < 0)
            skti_fail_in_use("bind", local, s->type, errno);
    }
    skti_leave(s);
    return result;
}

/* listen(2) finds an address in use if two sockets were bound to one with
 * SO_REUSEADDR and the other one listens. */
static int fail_to_listen(skt *s, int code)
{
    skt_addr local;
    socklen_t len = sizeof local.as;
    local.kind = SKTI_ADDR_NONE;
    if (skti_sys.getsockname(skti_fd(s), &local.as.any, &len) == 0)
        skti_addr_received(&local, len, s->proto);
    return skti_fail_in_use("listen", &local, s->type, code);
}

int skt_listen(skt *s, int backlog)
{
    if (!skti_enter(s, "listen"))
        return -1;
    if (backlog < 0)
        backlog = SOMAXCONN < 128 ? SOMAXCONN : 128;
    int result = skti_sys.listen(skti_fd(s), backlog);
    if (result < 0)
        result = fail_to_listen(s, errno);
    else
        s->backlog = backlog;
    skti_leave(s);
    return result;
}

/* AF_ALG has no peers, and older kernels refuse to name one. */
static int accept_fd(skt *s, skt_addr *peer)
{
    struct skti_op op = { .call = SKTI_ACCEPT, .sa = &peer->as.any, .salen = sizeof peer->as };
    if (s->family == AF_ALG) {
        op.sa = NULL;
        op.salen = 0;
    }
    int fd = (int)skti_perform(s, &op, "accept", NULL, NULL);
    if (fd >= 0)
        skti_addr_received(peer, op.salen, s->proto);
    return fd;
}

skt *skt_accept(skt *s, skt_addr *peer)
{
    skt_addr room;
    skt *conn = NULL;
    if (!peer)
        peer = &room;
    if (!skti_enter(s, "accept"))
        return NULL;
    int fd = accept_fd(s, peer);
    if (fd >= 0)
        conn = skti_adopt("accept", fd, s->family, s->type, s->proto);
    if (conn && peer->len > 0)
        skti_remember_peer(conn, &peer->as.any, peer->len);
    skti_leave(s);
    return conn;
}

int skt_accept_fd(skt *s, skt_addr *peer)
{
    skt_addr room;
    if (!skti_enter(s, "accept"))
        return -1;
    int fd = accept_fd(s, peer ? peer : &room);
    skti_leave(s);
    return fd;
}

int skt_shutdown(skt *s, int how)
{
    int result;
    if (!skti_enter(s, "shutdown"))
        return -1;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        result = skti_fail_argument("shutdown", EINVAL, "how is %d: not SHUT_RD, SHUT_WR or SHUT_RDWR", how);
    else if ((result = skti_sys.shutdown(skti_fd(s), how)) < 0)
        skti_fail_on(s, "shutdown", errno, SKTI_SYSTEM);
    skti_leave(s);
    return result;
}
