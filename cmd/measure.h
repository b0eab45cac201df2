/* measure.h - what the files of skt measure share.
 *
 *     load (plan, result) -- thread 0, 1 ...  each runs its connections as tasks, and counts for itself
 *                              |    connection, connection ...   a row of kinds says what each does
 *                              '-> at each interval's end its counts are added to the result's; the thread that
 *                                  comes last prints the line
 *
 *     measure.c            the command: what is to be measured
 *     measure_load.c       threads, beginning and end       measure_count.c   intervals, TCP_INFO
     measure_connection.c what all connections do
 *     measure_request.c    requests and answers over streams    measure_http.c    answers of HTTP
 *     measure_bulk.c       streams without answers              measure_datagrams.c
 *     measure_report.c     text and JSON                        measure_plot.c    the picture */
#ifndef CMD_MEASURE_H
#define CMD_MEASURE_H

#include "cmd.h"
#include "flow.h"
#include "histogram.h"
#include <pthread.h>

/* All that is added up. */
struct measure_counts {
    uint64_t requests;   /* that were answered, or of datagrams or without answers: were sent */
    uint64_t in, out;    /* bytes */
    uint64_t unanswered; /* when it was over */
    uint64_t unsent;     /* with a pace: their time had come, but an earlier one was not answered */
    uint64_t refused;    /* HTTP: answers of status 400 and more */
    uint64_t reconnects; /* HTTP: the server closed after an answer */
    /* Datagrams: */
    uint64_t sent, received, reordered, duplicates;
    uint64_t delivered; /* bytes */
};

/* What TCP_INFO says, of all connections together. */
struct measure_tcp {
    int connections;  /* that were asked; 0: it is no TCP */
    double rtt, cwnd; /* seconds, segments: the mean */
    uint64_t retransmits;
};

struct measure_interval {
    double end, seconds; /* since the beginning; its length */
    struct measure_counts counts;
    int64_t median, p99, max; /* ns */
    struct measure_tcp tcp;
    int arrived;                     /* threads that have delivered */
    struct cmd_histogram *latencies; /* until all have */
};

struct measure_plan;
struct measure_connection;

/* What the connections do: one of them for each measurement. */
struct measure_kind {
    const char *name;
    bool bulk; /* bytes count, not requests */
    bool datagrams;
    void (*work)(struct measure_connection *c); /* in a task of its own, until measure_over() or a failure */
};

struct measure_plan {
    const struct cmd_settings *settings;
    const struct measure_kind *kind;
    struct cmd_address address;
    skt *opened;      /* the first connection, until it is the connection's */
    char host[80];    /* HTTP: for the Host field and ... */
    const char *path; /* ... what is asked for */
    char text[256];   /* the address, for messages */
    char *request;    /* what is sent, */
    size_t size;      /* its length; in bulk of a piece */
    enum cmd_answer answer;
    double period;      /* ns between the requests of one connection, or 0 */
    int64_t begin, end; /* of the clock */
};

struct measure_result {
    pthread_mutex_t lock; /* of all that follows, but for what says else */
    struct measure_interval *intervals;
    size_t n, room;
    struct cmd_histogram latencies;     /* from when a request was to be sent, */
    struct cmd_histogram services;      /* with a pace also from when it was */
    struct measure_counts counts, late; /* late: what came after the end */
    struct measure_tcp tcp;
    double jitter;       /* ns: the sum, in the end the mean of the connections' */
    int reporting;       /* connections of datagrams of which it is known what has come */
    double seconds, cpu; /* cpu: of our own, all threads, after all had connected */
    int64_t ended;       /* when the last connection had no more to do, or 0; atomic */
    int status, threads;
    int alive;          /* connections that are at work; atomic */
    int failed;         /* that could not go on */
    char trouble[1024]; /* why the first of them could not, or "" */
};

struct measure_thread {
    struct measure_plan *plan;
    struct measure_result *result;
    struct measure_connection *connections;
    int first, n; /* of all connections */
    int next;     /* the one to be opened */
    int status;   /* if one cannot be: the exit status */
    pthread_t thread;
    pthread_barrier_t *barrier;
    skt_group *group;
    struct measure_counts counts;
    struct cmd_histogram latencies, services;
};

/* What each request needs stands in the first line of the cache: with a thousand connections none of it stays there. */
struct measure_connection {
    struct measure_thread *thread;
    const struct measure_plan *plan;
    skt *s;
    char *request;     /* what it sends: a copy of its own, and in the same piece of memory */
    char *buffer;      /* of measure_room() bytes */
    uint64_t answered; /* or in other words the number of the request */
    int index;         /* among those of all threads */
    bool failed;
    bool sending; /* another task sends, while this one reads */
    bool ended;   /* HTTP: the next request needs a new connection */

    size_t at, held; /* HTTP: bytes in buffer that have not been looked at */
    /* Datagrams: */
    uint64_t run, sequence; /* sequence: how many were sent */
    struct flow flow;       /* what has come back or, in bulk up, what the server says that has come */
    bool reported;          /* if it has said so */
} __attribute__((aligned(64)));

extern const struct measure_kind measure_requests, measure_bulk_up, measure_bulk_down, measure_bulk_both,
    measure_datagrams, measure_datagrams_up, measure_datagrams_both;

/* ---- measure_load.c ---- */

/* Does it all; prints the intervals' lines.  0, or the exit status, having said why nothing was measured. */
int measure_run(struct measure_plan *plan, struct measure_result *result);

/* ---- measure_connection.c ---- */

/* When the clock stops; earlier than planned if we are interrupted. */
int64_t measure_end(const struct measure_plan *plan);

/* Connects; in a task.  0, -1 with the library's record, or a status, having said why. */
int measure_open(struct measure_connection *c);

/* Another task beside the connection's own.  0, or -1, having failed. */
int measure_beside(struct measure_connection *c, void (*fn)(void *connection));

/* The connection cannot go on, for a reason that is not known to the library: what comes behind "ADDRESS: ". */
void measure_fail(struct measure_connection *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A call has failed.  Not a word of it if it is because the time is over. */
void measure_fail_call(struct measure_connection *c);

/* When request k of the connection is to be sent, with a pace. */
int64_t measure_due(const struct measure_connection *c, uint64_t k);

/* Waits until then or until the clock stops, if that is earlier; what time it is. */
int64_t measure_wait(const struct measure_connection *c, int64_t due);

/* A request that was to be sent at due, and was at sent, has been answered now. */
void measure_answered(struct measure_connection *c, int64_t due, int64_t sent, int64_t now);

/* ---- measure_count.c ---- */

/* Adds what the thread has counted since the last time to interval k; the last thread to do so has its line printed. */
void measure_deliver(struct measure_thread *t, size_t k);

/* Adds what came after the end, and what can be known only then. */
void measure_deliver_rest(struct measure_thread *t);

/* When all threads have ended: an interval that not all of them have lived to see is complete, too. */
void measure_complete(const struct measure_plan *plan, struct measure_result *r);

/* ---- measure_request.c ---- */

/* Bytes of a connection's buffer. */
size_t measure_room(const struct measure_plan *plan);

/* As skt_recv, counting; but the end is a failure, too. */
ssize_t measure_recv(struct measure_connection *c, char *buf, size_t len);

/* ---- measure_http.c ---- */

/* Receives an answer.  1, 0 if the server has closed or will close after it, or -1, having failed. */
int measure_http_answer(struct measure_connection *c);

/* What is to be sent, to be freed; NULL: no memory. */
char *measure_http_request(const struct measure_plan *plan);

/* ---- measure_report.c ---- */

void measure_report_begin(const struct measure_plan *plan);
void measure_report_interval(const struct measure_plan *plan, const struct measure_interval *i);
void measure_report_end(const struct measure_plan *plan, const struct measure_result *r);

/* ---- measure_plot.c ---- */

/* Whether there can be a file of this name: before anything is measured. */
int measure_plot_check(const char *path);

/* Nothing was measured: no empty file is to be left. */
void measure_plot_drop(const char *path);

/* Draws the results.  0, or STATUS_FAILED, having said why. */
int measure_plot(const struct measure_plan *plan, const struct measure_result *r);

#endif
