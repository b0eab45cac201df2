/* relay_hello.c - what goes before the data of a connection: the PROXY header that the client sends, the connection to
 * the upstream side, the header that it gets. */
#include "clock.h"
#include "relay.h"
#include "tcp.h"
#include <errno.h>
#include <string.h>

#define ANOTHER_TRY 0.05 /* seconds, without descriptors: another connection may end */

/* ---- The client's header ---- */

/* Takes the n bytes that were peeked, which belong to the header. */
static int take(skt *s, unsigned char *buf, size_t n)
{
    return skt_recv(s, buf, n, MSG_WAITALL) == (ssize_t)n ? 0 : -1;
}

/* Reads no byte too much, since what follows may go by splice(2).  PROXY_HEADER_MORE: the connection failed or ended
 * before there was a header, errno 0 if it ended. */
static enum proxy_header_state read_header(skt *s, struct proxy_header *header, const char **why)
{
    unsigned char buf[PROXY_HEADER_LONGEST];
    size_t have = 0, used;
    while (have < sizeof buf) {
        ssize_t n = skt_recv(s, buf + have, sizeof buf - have, MSG_PEEK);
        if (n <= 0) {
            errno = n < 0 ? errno : 0;
            return PROXY_HEADER_MORE;
        }
        enum proxy_header_state state = proxy_header_read(buf, have + (size_t)n, header, &used, why);
        if (state == PROXY_HEADER_WRONG)
            return state;
        size_t taken = state == PROXY_HEADER_DONE ? used - have : (size_t)n;
        if (take(s, buf + have, taken) < 0)
            return PROXY_HEADER_MORE;
        if (state == PROXY_HEADER_DONE)
            return state;
        have += taken;
    }
    *why = "it is too long";
    return PROXY_HEADER_WRONG;
}

/* Within the time that is there for connecting: who sends half a header holds nobody up. */
static int accept_header(struct link *link)
{
    struct proxy_header header;
    const char *why;
    skt_deadline d = skt_deadline_begin(link->relay->dial.timeout);
    enum proxy_header_state state = read_header(link->client.sock, &header, &why);
    int code = errno;
    bool late = skt_deadline_end(d);
    if (state == PROXY_HEADER_DONE) {
        if (!header.local) {
            link->source = header.source;
            link->destination = header.destination;
        }
        return 0;
    }
    if (state == PROXY_HEADER_WRONG)
        link_fail(link, "client: this is no PROXY header: %s", why);
    else if (late)
        link_fail(link, "client: no PROXY header has come in %g seconds", link->relay->dial.timeout);
    else
        link_fail(link, "client: %s before there was a PROXY header", code ? strerror(code) : "it ended");
    return -1;
}

/* ---- Upstream ---- */

static int dial(struct link *link)
{
    struct relay *relay = link->relay;
    double until = cmd_now() + relay->dial.timeout;
    int status;
    if (relay->to.stdio) {
        link->upstream.sock = relay_stdio();
        status = link->upstream.sock ? 0 : -1;
    } else {
        while ((status = cmd_try_dial(&relay->to, &relay->dial, &link->upstream.sock)) < 0 &&
               (errno == EMFILE || errno == ENFILE) && cmd_now() < until && skt_sleep(ANOTHER_TRY) == 0)
            ;
    }
    if (status < 0)
        link_fail(link, "upstream: %s", skt_strerror());
    else if (status > 0)
        link_fail(link, "upstream: there can be no connection to %s", relay->to.text);
    return status ? -1 : 0;
}

/* Data goes on as it comes, unless the user says otherwise. */
static int send_header(struct link *link)
{
    unsigned char buf[PROXY_HEADER_LONGEST];
    int version = link->relay->settings->send_proxy, type = link->client.endless ? SOCK_DGRAM : SOCK_STREAM;
    if (!version)
        return 0;
    size_t n = proxy_header_write(version, type, &link->source, &link->destination, buf);
    if (skt_sendall(link->upstream.sock, buf, n, 0) == 0)
        return 0;
    link_fail(link, "upstream: %s", skt_strerror());
    return -1;
}

int link_connect(struct link *link)
{
    link->source = link->client.addr;
    if (link->relay->settings->send_proxy || link->relay->settings->json)
        skt_getsockname(link->client.sock, &link->destination);
    if ((link->relay->settings->accept_proxy && accept_header(link) < 0) || dial(link) < 0)
        return -1;
    link->upstream = relay_peer(link->relay, link->upstream.sock);
    cmd_tcp_no_delay(link->upstream.sock, link->relay->settings);
    if (send_header(link) < 0)
        return -1;
    link->connected = link->active = cmd_now();
    return 0;
}
