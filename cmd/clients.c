/* clients.c - the list of clients, and what is to be sent to each: a client that reads slowly must not
 * hold up those that do not. */
#include "clock.h"
#include "crowd.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MUCH = 1 << 20 }; /* bytes that wait for a client before senders wait for it too */
#define PATIENCE 10.0    /* seconds that senders wait for a client, unless --idle says else */
#define PAUSE 0.01

struct chunk {
    struct chunk *next;
    size_t len;
    char data[];
};

/* ---- The list ---- */

struct client *crowd_add(struct crowd *crowd, const struct cmd_peer *peer)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        cmd_say("no memory is left for another client");
        return NULL;
    }
    *c = (struct client){ .crowd = crowd, .peer = *peer, .active = cmd_now(), .holders = 1, .listed = true };
    c->end = &c->first;
    cmd_peer_name(peer, c->name);
    c->next = crowd->clients;
    crowd->clients = c;
    crowd->n++;
    if (crowd->settings->verbose)
        cmd_say("%s has come", c->name);
    return c;
}

static void throw_away(struct client *c)
{
    while (c->first) {
        struct chunk *chunk = c->first;
        c->first = chunk->next;
        free(chunk);
    }
    c->end = &c->first;
    c->waiting = 0;
}

void crowd_release(struct client *c)
{
    if (--c->holders > 0)
        return;
    throw_away(c);
    if (!c->peer.addressed)
        skt_close(c->peer.sock);
    skt_close(c->program);
    free(c);
}

void crowd_remove(struct client *c)
{
    struct client **at = &c->crowd->clients;
    if (!c->listed)
        return;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->listed = false;
    c->crowd->n--;
    if (c->crowd->settings->verbose)
        cmd_say("%s has gone", c->name);
    crowd_release(c);
}

/* ---- Sending ---- */

/* Ends the client's connection: its reader sees that. */
static void drop(struct client *c)
{
    throw_away(c);
    skt_shutdown(c->peer.sock, SHUT_RDWR);
}

/* The task that sends what is waiting. */
static void send_waiting(void *arg)
{
    struct client *c = arg;
    while (c->first) {
        struct chunk *chunk = c->first;
        c->first = chunk->next;
        if (!c->first)
            c->end = &c->first;
        int result = cmd_peer_send(&c->peer, chunk->data, chunk->len);
        c->waiting -= c->waiting < chunk->len ? c->waiting : chunk->len; /* it may have been dropped meanwhile */
        free(chunk);
        c->active = cmd_now();
        if (result < 0)
            drop(c);
    }
    c->sending = false;
    if (c->crowd->input_ended)
        skt_shutdown(c->peer.sock, SHUT_WR);
    crowd_release(c);
}

static double patience_with(const struct client *c)
{
    double idle = c->crowd->settings->idle;
    return idle >= 0 ? idle : PATIENCE;
}

void crowd_let_finish(struct client *c)
{
    double since = cmd_now();
    while (c->sending && cmd_now() - fmax(since, c->active) <= patience_with(c))
        skt_sleep(PAUSE);
    if (c->sending)
        drop(c);
}

static void wait_for_room(struct client *c)
{
    double patience = patience_with(c), since = cmd_now();
    while (c->waiting >= MUCH && c->listed) {
        if (cmd_now() - fmax(since, c->active) > patience) {
            cmd_say("%s takes nothing more, and is dropped", c->name);
            drop(c);
            return;
        }
        skt_sleep(PAUSE);
    }
}

static void start_sending(struct client *c)
{
    if (c->sending)
        return;
    c->holders++;
    c->sending = true;
    if (skt_go(send_waiting, c) == 0)
        return;
    cmd_say("%s: %s", c->name, skt_strerror());
    c->holders--; /* the caller holds it too */
    c->sending = false;
    drop(c);
}

static void enqueue(struct client *c, const void *buf, size_t len)
{
    struct chunk *chunk = malloc(sizeof *chunk + len);
    if (!chunk) {
        cmd_say("no memory is left for what %s is to get: it is dropped", c->name);
        drop(c);
        return;
    }
    *chunk = (struct chunk){ .len = len };
    memcpy(chunk->data, buf, len);
    *c->end = chunk;
    c->end = &chunk->next;
    c->waiting += len;
    start_sending(c);
}

void crowd_send(struct client *c, const void *buf, size_t len)
{
    c->active = c->peer.addressed ? cmd_now() : c->active;
    if (c->peer.addressed) { /* a datagram waits for nobody */
        if (cmd_peer_send(&c->peer, buf, len) < 0)
            cmd_say("%s", cmd_peer_send_error(&c->peer));
        return;
    }
    wait_for_room(c);
    if (c->listed)
        enqueue(c, buf, len);
}

/* Those that are there now, each held, in an array to be freed. */
static struct client **hold_all(const struct crowd *crowd, size_t *n)
{
    struct client **all = malloc((crowd->n + 1) * sizeof *all);
    *n = 0;
    if (!all)
        cmd_say("no memory is left to send to all");
    for (struct client *c = crowd->clients; c && all; c = c->next) {
        c->holders++;
        all[(*n)++] = c;
    }
    return all;
}

void crowd_send_all(struct crowd *crowd, const struct client *but, const void *buf, size_t len)
{
    size_t n;
    struct client **all = hold_all(crowd, &n);
    for (size_t i = 0; i < n; i++) {
        if (all[i] != but && all[i]->listed)
            crowd_send(all[i], buf, len);
        crowd_release(all[i]);
    }
    free(all);
}

void crowd_end_output(struct client *c)
{
    if (!c->sending && !c->peer.addressed)
        skt_shutdown(c->peer.sock, SHUT_WR);
}

bool crowd_is_sending(const struct crowd *crowd)
{
    for (const struct client *c = crowd->clients; c; c = c->next)
        if (c->sending)
            return true;
    return false;
}
