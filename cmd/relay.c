/* relay.c - skt relay: whoever comes to one address is connected to another one. */
#include "relay.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT 10.0       /* seconds for connecting and for a PROXY header, unless --timeout says else */
#define DATAGRAM_IDLE 60.0 /* seconds of silence that end a link with datagrams, unless --idle says else */
enum {
    OTHER_DESCRIPTORS = 64, /* for all but connections and pipes */
    DESCRIPTORS_OF_ONE = 2, /* of a connection */
    PIPES_SHARE = 16,       /* of so many descriptors two are a pipe's */
};

static int check_sides(const struct relay *relay)
{
    const struct cmd_address *from = &relay->from, *to = &relay->to;
    if (from->stdio && to->stdio)
        return cmd_misuse("one of the two addresses is -, not both");
    if (to->ip && (!*to->host || to->port == 0))
        return cmd_misuse("'%s': a host and a port above 0 are needed to connect", to->text);
    if (to->listening)
        return cmd_misuse("'%s': descriptor %d is a listener; it has no peer yet", to->text, to->fd);
    if (relay->settings->handover && (from->stdio || from->fd >= 0 || from->type != SOCK_STREAM))
        return cmd_misuse("--handover: '%s' is no address of streams to listen at", from->text);
    if (relay->settings->accept_proxy && (from->stdio || from->type != SOCK_STREAM))
        return cmd_misuse("--accept-proxy: '%s' gets no streams", from->text);
    if (relay->settings->send_proxy && (to->stdio || to->type != SOCK_STREAM))
        return cmd_misuse("--send-proxy: '%s' is no stream", to->text);
    return 0;
}

/* A connection takes two descriptors; more clients than there are descriptors for wait in the listener's queue. */
static void fit_limits(struct cmd_settings *settings)
{
    int descriptors = cmd_raise_descriptor_limit(), pipes = descriptors / PIPES_SHARE / 2;
    relay_limit_pipes((unsigned)pipes);
    int left = descriptors - OTHER_DESCRIPTORS - 2 * (pipes < 64 ? pipes : 64);
    int most = left < 2 * DESCRIPTORS_OF_ONE ? 1 : left / DESCRIPTORS_OF_ONE;
    if (settings->max > most)
        cmd_say("--max %d: only %d are possible with %d descriptors (ulimit -Hn)", settings->max, most, descriptors);
    if (settings->max == 0 || settings->max > most)
        settings->max = most;
}

static bool is_one(const struct cmd_address *address)
{
    return address->stdio || (address->fd >= 0 && !address->listening);
}

static int run(const struct cmd_settings *given, int n, char **args)
{
    static struct relay relay;
    static struct cmd_settings settings;
    if (n != 2)
        return cmd_misuse("relay takes two addresses: where clients come from, and where they are to go");
    settings = *given;
    relay.settings = &settings;
    int status = cmd_read_one_address(&settings, args[0], &relay.from);
    if (status || (status = cmd_read_one_address(&settings, args[1], &relay.to)) || (status = check_sides(&relay)) ||
        (status = relay_open_log(&relay)))
        return status;
    bool datagrams =
        (!relay.from.stdio && relay.from.type == SOCK_DGRAM) || (!relay.to.stdio && relay.to.type == SOCK_DGRAM);
    relay.idle = settings.idle < 0 && datagrams ? DATAGRAM_IDLE : settings.idle;
    relay.timed = relay.idle >= 0 || settings.rate > 0;
    relay.dial = settings;
    if (settings.timeout < 0)
        relay.dial.timeout = CONNECT;
    relay.once = is_one(&relay.to) || (is_one(&relay.from) && relay.from.type != SOCK_DGRAM) || relay.from.stdio;
    relay.live = cmd_is_terminal(STDERR_FILENO);
    fit_limits(&settings);
    atexit(relay_end_pools);
    if (relay.once)
        return relay_one(&relay);
    return relay.from.type == SOCK_DGRAM ? relay_datagrams(&relay) : relay_streams(&relay);
}

const struct command cmd_relay = {
    .name = "relay",
    .run = run,
    .line = "connect whoever comes to one address to another one",
    .options = "accept-proxy send-proxy rate max grace handover log | json timeout idle source interface ttl dscp "
               "option send-buffer receive-buffer ipv4 ipv6 help",
    .operands = "ADDRESS ADDRESS",
    .examples = "  skt relay :8080 example.org:80          TCP, for many at once\n"
                "  skt relay unix:/run/db.sock db:5432     a port as a file\n"
                "  skt relay udp://:53 udp://9.9.9.9:53    UDP, a socket for each client\n"
                "  skt relay --send-proxy v2 :80 web:8080  the server learns who it is\n"
                "  skt relay --rate 64k :80 web:8080       a slow line\n",
    .rules = "Writes a line for each connection to standard error (with --json to output).\n"
             "--timeout for connecting is 10 s, --idle has no limit (datagrams: 60 s).\n",
};
