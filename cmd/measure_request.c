/* measure_request.c - requests and answers over a stream or messages: each connection has one request under way.
 *
 * Without a pace the next request is sent when the answer has come (a closed loop): a server that stops for a second
 * is then asked nothing for a second, and one bad latency stands for all that were not measured (coordinated
 * omission).  With a pace each request has its time, whatever became of the one before; latency counts from that
 * time on:
 *
 *     due      | 1   | 2   | 3   | 4   | 5
 *     sent     1     2 . . . . . 3 4   5          the server stopped while it had 2
 *     latency  -     - - - - - -
 *                          - - - -
 *                                -  */
#include "clock.h"
#include "measure.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD = 16 << 10, /* a longer request is sent while its answer is read: the peer may wait for us to read */
    ROOM = 64 << 10,  /* for an answer whose length is not known */
};

size_t measure_room(const struct measure_plan *plan)
{
    bool known = plan->answer == ANSWER_ECHO || plan->kind->datagrams;
    return known || plan->size >= ROOM ? plan->size + 1 : ROOM;
}

/* ---- Sending ---- */

static int send_all(struct measure_connection *c)
{
    const struct measure_plan *plan = c->plan;
    if (plan->address.type == SOCK_STREAM)
        return skt_sendall(c->s, c->request, plan->size, 0);
    return skt_send(c->s, c->request, plan->size, 0) < 0 ? -1 : 0;
}

static void send_beside(void *arg)
{
    struct measure_connection *c = arg;
    if (send_all(c) < 0)
        measure_fail_call(c);
    c->sending = false;
}

/* An echo has to be this request's and no other's, so its first bytes are its number. */
static int send_request(struct measure_connection *c)
{
    const struct measure_plan *plan = c->plan;
    if (plan->answer == ANSWER_ECHO && !plan->settings->request)
        for (size_t i = 0; i < sizeof c->answered && i < plan->size; i++)
            c->request[i] = (char)(c->answered >> 8 * i);
    c->thread->counts.out += plan->size;
    if (plan->size <= AHEAD || plan->answer == ANSWER_NONE) {
        if (send_all(c) == 0)
            return 0;
        measure_fail_call(c);
        return -1;
    }
    c->sending = true;
    return measure_beside(c, send_beside);
}

/* ---- Answers: 1, 0 if the connection has ended with it, or -1, having failed ---- */

ssize_t measure_recv(struct measure_connection *c, char *buf, size_t len)
{
    ssize_t n = skt_recv(c->s, buf, len, 0);
    if (n > 0)
        c->thread->counts.in += (size_t)n;
    if (n < 0)
        measure_fail_call(c);
    if (n == 0)
        measure_fail(c, "the server closed a connection after %llu answers", (unsigned long long)c->answered);
    return n > 0 ? n : -1;
}

/* With room for more than there should be, which also shows at once that all has been read. */
static int await_echo(struct measure_connection *c)
{
    size_t size = c->plan->size, got = 0;
    while (got < size) {
        ssize_t n = measure_recv(c, c->buffer + got, size + 1 - got);
        if (n < 0)
            return -1;
        got += (size_t)n;
    }
    if (got == size && memcmp(c->buffer, c->request, size) == 0)
        return 1;
    measure_fail(c, "the server's answer is %s; is it no echo server?",
                 got > size ? "longer than the request" : "not what was sent");
    return -1;
}

static int await_line(struct measure_connection *c)
{
    size_t got = 0;
    char *end = NULL;
    while (!end && got < ROOM) {
        ssize_t n = measure_recv(c, c->buffer + got, ROOM - got);
        if (n < 0)
            return -1;
        end = memchr(c->buffer + got, '\n', (size_t)n);
        got += (size_t)n;
    }
    if (end == c->buffer + got - 1)
        return 1;
    if (end)
        measure_fail(c, "the server's answer has more than a line");
    else
        measure_fail(c, "the server's answer has no end of line in %d bytes", ROOM);
    return -1;
}

/* The request has been taken by the system. */
static int await_nothing(struct measure_connection *c)
{
    (void)c;
    return 1;
}

static int (*const answers[])(struct measure_connection *c) = {
    [ANSWER_ECHO] = await_echo,
    [ANSWER_LINE] = await_line,
    [ANSWER_HTTP] = measure_http_answer,
    [ANSWER_NONE] = await_nothing,
};

/* ---- One after the other ---- */

static int open_again(struct measure_connection *c)
{
    skt_close(c->s);
    c->s = NULL;
    c->thread->counts.reconnects++;
    if (measure_open(c) == 0)
        return 0;
    measure_fail_call(c);
    return -1;
}

/* 0, or -1, having failed. */
static int exchange(struct measure_connection *c)
{
    if (c->ended && open_again(c) < 0)
        return -1;
    c->ended = false;
    if (send_request(c) < 0)
        return -1;
    int result = answers[c->plan->answer](c);
    while (c->sending && result >= 0)
        skt_yield();
    c->ended = result == 0;
    return result < 0 ? -1 : 0;
}

/* Requests from number k on whose time came, but not their turn: they have waited at least till now. */
static void count_unsent(struct measure_connection *c, uint64_t k, int64_t end)
{
    for (int64_t due; (due = measure_due(c, k)) < end; k++) {
        c->thread->counts.unsent++;
        cmd_histogram_add(&c->thread->latencies, end - due);
    }
}

/* The time was over, and request k, which was sent, is not answered. */
static void count_unanswered(struct measure_connection *c, uint64_t k, int64_t due)
{
    c->thread->counts.unanswered++;
    cmd_histogram_add(&c->thread->latencies, cmd_now_ns() - due);
    if (c->plan->period > 0)
        count_unsent(c, k + 1, measure_end(c->plan));
}

/* The time of request k; waits for it if there is one. */
static int64_t await_turn(const struct measure_connection *c, uint64_t k, int64_t *now)
{
    if (c->plan->period <= 0)
        return *now;
    int64_t due = measure_due(c, k);
    if (due > *now)
        *now = measure_wait(c, due);
    return due;
}

static void work(struct measure_connection *c)
{
    int64_t now = cmd_now_ns(), due, sent;
    for (uint64_t k = 0;; k++) {
        due = await_turn(c, k, &now);
        sent = now;
        if (due >= measure_end(c->plan) || now >= measure_end(c->plan)) {
            if (c->plan->period > 0)
                count_unsent(c, k, measure_end(c->plan));
            return;
        }
        if (exchange(c) < 0) {
            if (!c->failed)
                count_unanswered(c, k, due);
            return;
        }
        now = cmd_now_ns();
        measure_answered(c, due, sent, now);
    }
}

const struct measure_kind measure_requests = { .name = "requests", .work = work };
