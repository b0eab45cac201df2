/* relay_session.c - a client that only sends datagrams: a link whose upward direction is fed by whoever receives them
 * all. */
#include "relay_session.h"
#include "clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUEUE = 262144, /* bytes that may wait for a client's connection to be made, or for its room */
    MANY = 4096,    /* clients at once, unless --max says else */
};

/* What waits to go up. */
struct chunk {
    struct chunk *next;
    size_t len;
    char data[];
};

struct session {
    struct session *next; /* in its slot */
    struct thread *thread;
    struct link link;
    bool ready;   /* connected, and nothing waits: datagrams go up at once */
    bool sending; /* a task sends what waits */
    struct chunk *first, **end;
    size_t waiting;
};

/* ---- Who is it? ---- */

static unsigned slot_of(const skt_addr *addr)
{
    socklen_t len;
    const unsigned char *bytes = (const unsigned char *)skt_addr_sockaddr(addr, &len);
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (socklen_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return (hash ^ hash >> 16) % RELAY_SLOTS;
}

static struct session *find(const struct thread *t, const skt_addr *addr)
{
    for (struct session *s = t->slots[slot_of(addr)]; s; s = s->next)
        if (skt_addr_equal(&s->link.client.addr, addr))
            return s;
    return NULL;
}

static void forget(struct session *s)
{
    struct session **at = &s->thread->slots[slot_of(&s->link.client.addr)];
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->thread->clients--;
    s->thread->full_told = false;
    while (s->first) {
        struct chunk *chunk = s->first;
        s->first = chunk->next;
        free(chunk);
    }
    free(s);
}

/* ---- Up ---- */

/* More than waits already is dropped, as a socket does. */
static void enqueue(struct session *s, const char *buf, size_t len)
{
    struct chunk *chunk = s->waiting + len <= QUEUE ? malloc(sizeof *chunk + len) : NULL;
    if (!chunk)
        return;
    *chunk = (struct chunk){ .len = len };
    memcpy(chunk->data, buf, len);
    *s->end = chunk;
    s->end = &chunk->next;
    s->waiting += len;
}

/* Sends what waits, and what comes meanwhile.  (The link is here as long as its tasks are.) */
static void send_waiting(struct session *s)
{
    struct cmd_peer *to = &s->link.upstream;
    int result = 0;
    s->sending = true;
    while (s->first && result == 0) {
        struct chunk *chunk = s->first;
        s->first = chunk->next;
        if (!s->first)
            s->end = &s->first;
        s->waiting -= chunk->len;
        result = cmd_peer_send(to, chunk->data, chunk->len);
        if (result == 0)
            flow_count(&s->link.up, chunk->len);
        else if (errno != ECANCELED)
            link_fail(&s->link, "upstream: %s", skt_strerror());
        free(chunk);
    }
    s->sending = false;
    s->ready = result == 0;
    if (result < 0)
        skt_group_cancel(s->link.flows);
}

static void send_task(void *arg)
{
    send_waiting(arg);
}

/* Above --rate datagrams are lost, which is what a slow line does. */
static bool is_too_fast(struct flow *f, size_t len)
{
    int64_t rate = f->link->relay->settings->rate;
    double now = cmd_now();
    if (rate == 0)
        return false;
    if (f->next > now + 0.1)
        return true;
    f->next = (f->next > now ? f->next : now) + (double)len / (double)rate;
    return false;
}

static void send_up(struct session *s, const char *buf, size_t len)
{
    struct link *link = &s->link;
    if (is_too_fast(&link->up, len))
        return;
    if (!s->ready || !link->upstream.endless) {
        enqueue(s, buf, len);
        if (s->ready && !s->sending && skt_group_go(link->flows, send_task, s) == 0)
            s->sending = true;
        return;
    }
    if (skt_send(link->upstream.sock, buf, len, MSG_DONTWAIT) >= 0)
        flow_count(&link->up, len);
    else if (errno == ECONNREFUSED) {
        link_fail(link, "upstream: %s", skt_strerror());
        skt_group_cancel(link->flows);
    }
}

/* ---- A client's task ---- */

static void down_task(void *arg)
{
    struct session *s = arg;
    skt_name_task("relay");
    flow_carry(&s->link.down);
    skt_group_cancel(s->link.flows);
}

static void carry(struct session *s)
{
    struct link *link = &s->link;
    skt_settimeout(link->upstream.sock, link->relay->idle);
    link->flows = skt_group_new();
    link->up.ended = true; /* its end is not seen */
    if (skt_group_go(link->flows, down_task, s) < 0 || skt_group_go(link->flows, send_task, s) < 0)
        link_fail(link, "%s", skt_strerror());
    else if (skt_group_wait(link->flows) < 0)
        link_fail(link, "it was still open when the relay stopped");
    s->ready = false;
    skt_group_close(link->flows);
    link->flows = NULL;
}

static void session_task(void *arg)
{
    struct session *s = arg;
    skt_name_task("client");
    if (link_connect(&s->link) == 0)
        carry(s);
    link_end(&s->link);
    forget(s);
}

static struct session *begin(struct thread *t, const struct cmd_peer *from)
{
    int max = t->relay->settings->max;
    if (t->clients >= (max ? (unsigned)max : MANY)) {
        if (!t->full_told)
            cmd_say("no new client until one is silent for long enough (%u are known)", t->clients);
        t->full_told = true;
        return NULL;
    }
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->thread = t;
    s->end = &s->first;
    link_begin(&s->link, t->relay, from);
    unsigned slot = slot_of(&from->addr);
    s->next = t->slots[slot];
    t->slots[slot] = s;
    t->clients++;
    return s;
}

void session_take(struct thread *t, const struct cmd_peer *from, const char *buf, size_t len)
{
    struct session *s = find(t, &from->addr);
    if (s) {
        memcpy(s->link.client.control, from->control, sizeof from->control); /* it may know us by another address now */
        s->link.client.controllen = from->controllen;
        send_up(s, buf, len);
        return;
    }
    if (!(s = begin(t, from)))
        return;
    send_up(s, buf, len);
    if (skt_group_go(t->tasks, session_task, s) == 0)
        return;
    link_fail(&s->link, "%s", skt_strerror());
    link_end(&s->link);
    forget(s);
}
