/* relay_datagrams.c - clients that only send datagrams: nobody tells us of their beginning and end.
 *
 *     socket of the relay  --- who is it? --->  the client's link  --->  upstream
 *                          <------------------------------------------  (a flow of relay_link.c)
 *
 * Each sender gets a link with an upstream socket of its own, so that answers find their way, until nothing has passed
 * for the idle time.  A thread for each core has its own socket at the address; the kernel keeps a client with one
 * of them.  What a thread has, only its tasks touch. */
#include "relay.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1024,     /* of the table of clients */
    MESSAGE = 262144, /* the longest message, as in pump.c */
    QUEUE = 262144,   /* bytes that may wait for a client's connection to be made, or for its room */
    MANY = 4096,      /* clients at once, unless --max says else */
    MOST_THREADS = 64,
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

struct thread {
    struct relay *relay;
    skt *server;
    skt_group *tasks;
    struct session *slots[SLOTS];
    unsigned clients;
    bool full_told;
    pthread_t id;
};

/* ---- Who is it? ---- */

static unsigned slot_of(const skt_addr *addr)
{
    socklen_t len;
    const unsigned char *bytes = (const unsigned char *)skt_addr_sockaddr(addr, &len);
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (socklen_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return (hash ^ hash >> 16) % SLOTS;
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
    double now = relay_now();
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

/* ---- All of them ---- */

static void take(struct thread *t, const struct cmd_peer *from, const char *buf, size_t len)
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

static void receive_all(void *arg)
{
    struct thread *t = arg;
    char *buf = malloc(MESSAGE);
    t->tasks = skt_group_new();
    cmd_peer_ask_for_local_address(t->server);
    for (ssize_t n; buf && t->tasks;) {
        struct cmd_peer from;
        n = cmd_peer_take(t->server, buf, MESSAGE, MSG_TRUNC, &from);
        if (n < 0 && errno == EBADF)
            break; /* closed, by stop() */
        if (n >= 0 && n <= MESSAGE)
            take(t, &from, buf, (size_t)n);
    }
    skt_group_close(t->tasks);
    free(buf);
}

static void *run_thread(void *arg)
{
    if (skt_run(receive_all, arg) < 0)
        cmd_say("%s", skt_strerror());
    return NULL;
}

/* More sockets at the first one's address, where its family shares addresses.  How many there are. */
static unsigned make_servers(struct thread *threads, unsigned n)
{
    skt *first = threads[0].server;
    skt_addr local;
    int v6only = 0;
    if ((skt_family(first) != AF_INET && skt_family(first) != AF_INET6) || skt_getsockname(first, &local) < 0 ||
        skt_setsockopt_int(first, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return 1;
    if (local.family == AF_INET6)
        skt_getsockopt_int(first, IPPROTO_IPV6, IPV6_V6ONLY, &v6only);
    for (unsigned i = 1; i < n; i++) {
        skt *s = skt_socket(local.family, SOCK_DGRAM, 0);
        threads[i] = (struct thread){ .relay = threads[0].relay, .server = s };
        if (!s || cmd_prepare(s, threads[0].relay->settings) < 0 ||
            (local.family == AF_INET6 && skt_setsockopt_int(s, IPPROTO_IPV6, IPV6_V6ONLY, v6only) < 0) ||
            skt_setsockopt_int(s, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || skt_bind(s, local) < 0) {
            skt_close(s);
            return i;
        }
    }
    return n;
}

static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (unsigned)n;
}

/* Until SIGTERM or SIGINT; the threads begin with both blocked. */
static void run_threads(struct thread *threads, unsigned n)
{
    sigset_t stop;
    int number;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    unsigned running = 0;
    while (running < n && pthread_create(&threads[running].id, NULL, run_thread, &threads[running]) == 0)
        running++;
    if (running > 0)
        sigwait(&stop, &number);
    for (unsigned i = 0; i < n; i++)
        skt_close(threads[i].server);
    for (unsigned i = 0; i < running; i++)
        pthread_join(threads[i].id, NULL);
}

int relay_datagrams(struct relay *relay)
{
    char text[SKT_ADDR_TEXT_MAX + 16];
    skt *server;
    int status = cmd_listen_at(&relay->from, relay->settings, &server);
    if (status)
        return status;
    struct thread *threads = calloc(MOST_THREADS, sizeof *threads);
    if (!threads) {
        cmd_say("no memory is left");
        return STATUS_FAILED;
    }
    threads[0] = (struct thread){ .relay = relay, .server = server };
    unsigned n = make_servers(threads, cores());
    cmd_address_of(&relay->from, server, text, sizeof text);
    cmd_say("relaying %s to %s", text, relay->to.text);
    relay_begin_status(relay);
    run_threads(threads, n);
    relay_end_status();
    free(threads);
    return STATUS_OK;
}
