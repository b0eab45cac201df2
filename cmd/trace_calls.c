/* trace_calls.c - the diagram as far as calls alone can tell it: where packets may not be seen, or where there are
 * none (Unix sockets).
 *
 * Of our side TCP_INFO tells the state, and how much was sent again; of the other nothing is known. */
#include "trace.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A descriptor's conversation; the number may be another's after it is closed. */
struct called {
    int fd;
    bool connecting; /* a connect goes on by itself */
    unsigned retransmissions;
    struct trace_talk talk;
    struct called *next;
};

struct trace_calls {
    struct trace *trace;
    const char *name;
    struct called *open;
};

/* How a call looks: which side its arrow begins at, and how it is drawn. */
static const struct {
    const char *name;
    int from;
    enum trace_kind kind;
    bool bytes;
} looks[] = {
    { "accept", 1, KIND_OPEN, false },     { "close", 0, KIND_CLOSE, false },   { "connect", 0, KIND_OPEN, false },
    { "getsockopt", 1, KIND_OPEN, false }, { "recv", 1, KIND_DATA, true },      { "recv_pipe", 1, KIND_DATA, true },
    { "recvfrom", 1, KIND_DATA, true },    { "recvmmsg", 1, KIND_DATA, false }, { "recvmsg", 1, KIND_DATA, true },
    { "send", 0, KIND_DATA, true },        { "send_pipe", 0, KIND_DATA, true }, { "sendfile", 0, KIND_DATA, true },
    { "sendmmsg", 0, KIND_DATA, false },   { "sendmsg", 0, KIND_DATA, true },   { "sendto", 0, KIND_DATA, true },
    { "shutdown", 0, KIND_CLOSE, false },
};

struct trace_calls *trace_calls_new(struct trace *trace, const char *name)
{
    struct trace_calls *calls = calloc(1, sizeof *calls);
    if (calls) {
        calls->trace = trace;
        calls->name = name;
    }
    return calls;
}

void trace_calls_free(struct trace_calls *calls)
{
    for (struct called *c = calls ? calls->open : NULL, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(calls);
}

static struct called *new_called(struct trace_calls *calls, const struct trace_event *event)
{
    struct called *c = calloc(1, sizeof *c);
    if (!c)
        return NULL; /* the call counts as not seen */
    c->fd = event->fd;
    c->talk.number = trace_next_number(calls->trace);
    c->talk.protocol = event->protocol;
    c->talk.ours = 0;
    snprintf(c->talk.names[0], sizeof c->talk.names[0], "descriptor %d", c->fd);
    snprintf(c->talk.command, sizeof c->talk.command, "%s", calls->name);
    c->next = calls->open;
    calls->open = c;
    return c;
}

static struct called *find_called(struct trace_calls *calls, const struct trace_event *event)
{
    for (struct called *c = calls->open; c; c = c->next)
        if (c->fd == event->fd)
            return c;
    return strcmp(event->name, "close") != 0 && strcmp(event->name, "getsockopt") != 0 ? new_called(calls, event)
                                                                                       : NULL;
}

static void forget(struct trace_calls *calls, struct called *c)
{
    struct called **place = &calls->open;
    while (*place != c)
        place = &(*place)->next;
    *place = c->next;
    free(c);
}

static void describe(const struct trace_event *event, bool bytes, struct trace_row *row)
{
    snprintf(row->what, sizeof row->what, "%s", event->name);
    if (event->error) {
        row->kind = KIND_ERROR;
        snprintf(row->more, sizeof row->more, "%s", strerror(event->error));
    } else if (bytes && event->result == 0 && row->from == 1 && !event->datagrams) {
        row->kind = KIND_CLOSE;
        row->note = "the end";
    } else if (bytes) {
        row->bytes = event->result;
    } else if (row->kind == KIND_DATA) {
        snprintf(row->more, sizeof row->more, "%lld datagrams", (long long)event->result);
    }
}

/* The library asks how far a connect is that goes on by itself: by SO_ERROR, or by another connect. */
static bool asks_how_far(const struct called *c, const struct trace_event *event)
{
    return !strcmp(event->name, "getsockopt") || (!strcmp(event->name, "connect") && c->connecting);
}

/* What it has come to. */
static bool became(struct called *c, const struct trace_event *event, enum tcp_state before, struct trace_row *row)
{
    c->connecting &= event->error == EALREADY;
    if (event->error == EALREADY || (!event->error && !(event->state == STATE_ESTABLISHED && before != event->state)))
        return false;
    snprintf(row->what, sizeof row->what, "%s", event->error ? "not connected" : "connected");
    return true;
}

/* connect that goes on by itself has not failed. */
static bool goes_on(const struct trace_event *event)
{
    return !strcmp(event->name, "connect") && event->error == EINPROGRESS;
}

static void write_call(struct trace_calls *calls, struct called *c, struct trace_event *event, struct trace_row *row,
                       bool bytes)
{
    enum tcp_state before = c->talk.tcp[0].state;
    bool asks = asks_how_far(c, event);
    if (asks && event->error == EISCONN) /* so it was made */
        event->error = 0;
    if (goes_on(event)) {
        c->connecting = true;
        event->error = 0;
    }
    describe(event, bytes, row);
    if (asks && !became(c, event, before, row))
        return;
    if (*event->peer)
        snprintf(c->talk.names[1], sizeof c->talk.names[1], "%s", event->peer);
    if (event->has_info) {
        c->talk.tcp[0].state = event->state;
        if (event->retransmissions > c->retransmissions) {
            snprintf(row->more, sizeof row->more, "%u retransmitted", event->retransmissions - c->retransmissions);
            row->kind = KIND_AGAIN;
        }
        c->retransmissions = event->retransmissions;
    }
    row->talk = &c->talk;
    row->time = event->time;
    row->states[0] = c->talk.tcp[0].state;
    row->changed[0] = row->states[0] != before;
    trace_write(calls->trace, row);
}

void trace_call(struct trace_calls *calls, const struct trace_event *event)
{
    struct trace_event copy = *event;
    for (size_t i = 0; i < COUNT(looks); i++) {
        if (strcmp(looks[i].name, event->name) != 0)
            continue;
        struct trace_row row = { .from = looks[i].from, .kind = looks[i].kind, .bytes = -1 };
        struct called *c = find_called(calls, event);
        if (!c)
            return;
        write_call(calls, c, &copy, &row, looks[i].bytes);
        if (!strcmp(event->name, "close"))
            forget(calls, c);
        return;
    }
}
