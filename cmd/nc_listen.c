/* nc_listen.c - nc -l: wait for a peer, or with -k for one after the other. */
#include "nc.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The socket ---- */

static skt *bind_one(const struct nc *nc, const skt_addrinfo *row)
{
    skt *s = nc_socket(nc, row->family);
    if (!s)
        return NULL;
    if (!nc->udp)
        skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEADDR, 1);
    if (skt_bind(s, row->addr) == 0 && (nc->udp || skt_listen(s, -1) == 0))
        return s;
    int code = errno;
    skt_close(s);
    errno = code;
    return NULL;
}

/* At the first of the host's addresses that can be had. */
static skt *bind_inet(const struct nc *nc, int port)
{
    skt_addrinfo *list;
    char service[16];
    skt *s = NULL;
    snprintf(service, sizeof service, "%d", port);
    ssize_t n = skt_getaddrinfo(nc->host, service, nc->family, nc_type(nc), 0,
                                AI_PASSIVE | (nc->numeric ? AI_NUMERICHOST : 0), SKT_NO_TIMEOUT, &list);
    if (n < 0) {
        cmd_fail();
        return NULL;
    }
    for (ssize_t i = 0; i < n && !s; i++)
        s = bind_one(nc, &list[i]);
    if (!s)
        cmd_fail();
    skt_freeaddrinfo(list);
    return s;
}

/* A socket's file that nobody listens at any more is in nobody's way. */
static void remove_left_behind(const struct nc *nc)
{
    struct stat file;
    skt *s = lstat(nc->host, &file) == 0 && S_ISSOCK(file.st_mode) ? skt_socket(AF_UNIX, nc_type(nc), 0) : NULL;
    if (s && skt_settimeout(s, 0) == 0 && skt_connect(s, skt_unix(nc->host)) < 0 && errno == ECONNREFUSED)
        unlink(nc->host);
    skt_close(s);
}

static skt *bind_unix(const struct nc *nc)
{
    skt *s = nc_socket(nc, AF_UNIX);
    if (*nc->host != '@')
        remove_left_behind(nc);
    if (s && cmd_bind(s, nc_unix(nc->host)) == 0 && (nc->udp || skt_listen(s, -1) == 0))
        return s;
    cmd_fail();
    skt_close(s);
    return NULL;
}

static void tell_bound(const struct nc *nc, skt *s)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    if (!nc->verbose || skt_getsockname(s, &addr) < 0)
        return;
    if (nc->family == AF_UNIX)
        snprintf(text, sizeof text, "%s", nc->host);
    else
        nc_addr_text(nc, &addr, text, sizeof text);
    if (nc->udp || nc->family == AF_UNIX)
        cmd_tell("Bound on %s", text);
    if (!nc->udp)
        cmd_tell("Listening on %s", text);
}

/* ---- The peers ---- */

static void tell_peer(const struct nc *nc, const skt_addr *peer)
{
    char text[SKT_ADDR_TEXT_MAX];
    if (!nc->verbose)
        return;
    if (nc->family == AF_UNIX)
        snprintf(text, sizeof text, "%s", nc->host);
    else
        nc_addr_text(nc, peer, text, sizeof text);
    cmd_tell("Connection received on %s", text);
}

/* One client or, with -k, all of them; without it others are refused from then on. */
static int serve_streams(const struct nc *nc, skt *server)
{
    int status = STATUS_OK;
    skt_addr peer;
    do {
        skt *s = skt_accept(server, &peer);
        if (!s)
            return cmd_fail();
        if (!nc->keep) {
            skt_shutdown(server, SHUT_RD);
            cmd_remove_socket_file();
        }
        tell_peer(nc, &peer);
        status = nc_talk(nc, s, true);
        skt_close(s);
    } while (nc->keep && status == STATUS_OK);
    return status;
}

/* Who sends the first datagram is the peer.  One that cannot be answered is still heard. */
static int serve_datagrams(const struct nc *nc, skt *server)
{
    skt_addr peer;
    char byte;
    if (nc->keep)
        return nc_talk(nc, server, false);
    if (skt_recvfrom(server, &byte, 1, MSG_PEEK, &peer) < 0)
        return cmd_fail();
    bool connected = skt_connect(server, peer) == 0;
    tell_peer(nc, &peer);
    if (!connected && nc->verbose)
        cmd_say("the peer cannot be answered: %s", skt_strerror());
    return nc_talk(nc, server, connected);
}

int nc_listen(const struct nc *nc, int port)
{
    skt *s = nc->family == AF_UNIX ? bind_unix(nc) : bind_inet(nc, port);
    if (!s)
        return STATUS_FAILED;
    tell_bound(nc, s);
    int status = nc->udp ? serve_datagrams(nc, s) : serve_streams(nc, s);
    skt_close(s);
    return status ? STATUS_FAILED : STATUS_OK;
}
