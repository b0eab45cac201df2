/* relay_link.c - a client and its upstream side.
 *
 * Two tasks, one for each direction, in a group.  An end of data is passed on (half-close), and the other direction
 * goes on; a failure ends both, by a reset. */
#include "clock.h"
#include "relay.h"
#include "tcp.h"
#include <stdarg.h>
#include <stdlib.h>

struct cmd_peer relay_peer(const struct relay *relay, skt *s)
{
    int type = skt_type(s);
    if (!relay->unlogged || relay->settings->send_proxy)
        return cmd_peer_connected(s);
    return (struct cmd_peer){ .sock = s, .messages = type != SOCK_STREAM, .endless = type == SOCK_DGRAM };
}

void link_begin(struct link *link, struct relay *relay, const struct cmd_peer *client)
{
    *link = (struct link){ .relay = relay, .client = *client, .begun = cmd_now() };
    link->active = link->begun;
    if (!relay->unlogged)
        clock_gettime(CLOCK_REALTIME, &link->date);
    link->up = (struct flow){ .link = link,
                              .from = &link->client,
                              .to = &link->upstream,
                              .from_name = "client",
                              .to_name = "upstream",
                              .total = &relay->up };
    link->down = (struct flow){ .link = link,
                                .from = &link->upstream,
                                .to = &link->client,
                                .from_name = "upstream",
                                .to_name = "client",
                                .total = &relay->down };
    __atomic_fetch_add(&relay->open, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&relay->total, 1, __ATOMIC_RELAXED);
}

void link_fail(struct link *link, const char *format, ...)
{
    va_list args;
    if (link->why)
        return;
    va_start(args, format);
    if (vasprintf(&link->why, format, args) < 0)
        link->why = NULL;
    va_end(args);
}

static void flow_task(void *arg)
{
    skt_name_task("relay");
    flow_carry(arg);
}

void link_carry(struct link *link)
{
    double idle = link->relay->idle;
    link->flows = skt_group_new();
    if (idle >= 0) {
        skt_settimeout(link->client.sock, idle);
        skt_settimeout(link->upstream.sock, idle);
    }
    if (skt_group_go(link->flows, flow_task, &link->up) < 0 || skt_group_go(link->flows, flow_task, &link->down) < 0) {
        link_fail(link, "%s", skt_strerror());
        link->broken = true;
    } else if (skt_group_wait(link->flows) < 0) {
        link_fail(link, "it was still open when the relay stopped");
        link->broken = true;
    }
    skt_group_close(link->flows);
}

/* A connection that is closed now is reset. */
static void reset(skt *s)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    if (s && cmd_is_tcp(s))
        skt_setsockopt(s, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void link_end(struct link *link)
{
    struct relay *relay = link->relay;
    relay_log(link);
    if (link->broken) {
        if (!link->client.addressed)
            reset(link->client.sock);
        reset(link->upstream.sock);
    }
    skt_close(link->upstream.sock);
    if (relay->once)
        relay->failed |= link->broken || !link->connected;
    __atomic_fetch_sub(&relay->open, 1, __ATOMIC_RELAXED);
    if (link->why)
        __atomic_fetch_add(&relay->failures, 1, __ATOMIC_RELAXED);
    free(link->why);
}
