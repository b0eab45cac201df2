/* transfer_link.c - the connections of a transfer, one after the other while they break (--retry). */
#include "tcp.h"
#include "terminal.h"
#include "transfer.h"
#include <string.h>

/* ---- ADDRESS beside other arguments ---- */

/* Every ADDRESS has a colon, and no port has: so "localhost 9000" is told from an address and a file. */
int transfer_address(const struct cmd_settings *settings, int *n, char **args, bool at_end, struct cmd_address *address)
{
    int count = *n, words = 1;
    if (count > 0 && !strchr(args[at_end ? count - 1 : 0], ':') && strcmp(args[at_end ? count - 1 : 0], "-") != 0)
        words = 2;
    *n = words < count ? words : count;
    int status = cmd_read_address(settings, *n, at_end ? args + count - *n : args, address);
    if (status == 0 && address->type != SOCK_STREAM)
        return cmd_misuse("'%s': a file goes over a stream: tcp://, unix:, vsock://", address->text);
    return status;
}

/* ---- Connections ---- */

struct link {
    const struct cmd_address *address;
    const struct cmd_settings *settings;
    skt *server; /* or NULL: we connect */
};

static int open_server(struct link *link)
{
    char text[SKT_ADDR_TEXT_MAX + 16];
    int status = cmd_listen_at(link->address, link->settings, &link->server);
    if (status)
        return status;
    cmd_address_of(link->address, link->server, text, sizeof text);
    cmd_say("listening on %s", text);
    return skt_settimeout(link->server, link->settings->timeout) < 0 ? cmd_fail() : STATUS_OK;
}

static int next_connection(const struct link *link, skt **s)
{
    if (!link->server)
        return cmd_dial_until(link->address, link->settings, s);
    *s = skt_accept(link->server, NULL);
    return *s ? STATUS_OK : cmd_fail();
}

/* A listener cannot know who comes: a stranger does not end it. */
static bool tries_again(const struct link *link, const struct transfer_wire *w)
{
    bool may = w->outcome == TRANSFER_BROKEN || (w->outcome == TRANSFER_STRANGER && link->server);
    return may && link->settings->retry >= 0 && (link->address->fd < 0 || link->server);
}

static int talk_over_each(const struct link *link, struct transfer_wire *w, transfer_talk *talk, void *arg)
{
    for (;;) {
        skt *s = NULL;
        int status = next_connection(link, &s);
        if (status)
            return status;
        cmd_tcp_keep_alive(s, 30, 10); /* a peer whose machine is gone says nothing more */
        transfer_wire_begin(w, s, link->settings->idle);
        talk(w, arg);
        skt_close(s);
        cmd_status_clear();
        if (w->outcome == TRANSFER_DONE)
            return STATUS_OK;
        cmd_say("%s%s", w->why, tries_again(link, w) ? "; trying again" : "");
        if (!tries_again(link, w))
            return STATUS_FAILED;
        if (!link->server)
            skt_sleep(link->settings->retry);
    }
}

int transfer_run(const struct cmd_address *address, bool listening, const struct cmd_settings *settings,
                 transfer_talk *talk, void *arg)
{
    static struct transfer_wire wire; /* large */
    struct link link = { .address = address, .settings = settings };
    int status = listening ? open_server(&link) : STATUS_OK;
    if (status)
        return status;
    transfer_watch_signals();
    status = talk_over_each(&link, &wire, talk, arg);
    skt_close(link.server);
    return status;
}
