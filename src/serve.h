/* serve.h - what the files of skt_serve share.
 *
 *     serve.c         the threads, and how they stop
 *     acceptor.c      a listener's task, and a task for each connection
 *     stop_signals.c  SIGTERM and SIGINT
 *     handover.c      listeners from a service manager or a previous process, and for the next one */
#ifndef SKTI_SERVE_H
#define SKTI_SERVE_H

#include <signal.h>
#include <skt.h>

#define SKTI_MOST_LISTENERS 64

/* One skt_serve. */
struct skti_serving {
    void (*handler)(skt *conn, void *arg);
    void *arg;
    skt_serve_options options;
    skt *listeners[SKTI_MOST_LISTENERS];
    unsigned listener_count;
    sigset_t blocked;          /* the caller's signals, and so its threads' */
    unsigned threads, running; /* how many there are, and how many have not ended */
    unsigned starting;         /* threads that do not have yet all that they need */
    int started;               /* eventfd, never read: none is; or one has failed */
    unsigned open, waiting;    /* connections; acceptors that wait for one to end */
    int stop, hurry;           /* eventfds, never read: serve no more; nor those there are */
    int done;                  /* eventfd: the last thread has ended */

    /* For each listener, since whoever leaves has to wake all who wait: only one of them may have somebody to serve. */
    struct skti_room {
        int left; /* eventfd: a connection has ended, while the listener's acceptor waits for that */
        bool waiting;
        skt *in_hand; /* accepted when somebody else had just taken the last place */
    } rooms[SKTI_MOST_LISTENERS];
    unsigned room_count; /* that have been made */

    /* For each listener: how many at most came before TCP_NODELAY was set for those who come. */
    unsigned early[SKTI_MOST_LISTENERS];
    int64_t trouble;             /* when descriptors or memory were last found to be out; 0: never */
    skt_group *acceptors;        /* the first thread's: the handover belongs to it */
    bool offering, handing_over; /* our socket is at the path; a process that asked there has the listeners, too */
    bool handed_over;            /* the next process accepts from them */
    int code;                    /* why it stopped, if not on request: an errno, with the acceptor's record */
    skt_error record;
};

/* The part of one thread. */
struct skti_server_thread {
    struct skti_serving *serving;
    unsigned index;                  /* 0: the caller of skt_serve */
    skt_group *acceptors, *handlers; /* the tasks of listeners, and of connections */
};

/* Begins the tasks of a thread that accept. */
void skti_accept_all(struct skti_server_thread *thread);

/* Accepts those who have connected already; waits for nothing but room.  A task of the thread. */
void skti_accept_queued(struct skti_server_thread *thread);

/* Says something to the operator: options.log, or standard error. */
void skti_serving_log(struct skti_serving *serving, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the serving with the caller's last failure, if it is the first. */
void skti_serving_fail(struct skti_serving *serving, int code);

/* Lets SIGTERM and SIGINT set off stop, and the second of them hurry, until the other is called.  Signals that
 * the program handles or ignores itself are left alone. */
void skti_stop_signals(int stop, int hurry);
void skti_stop_signals_end(int stop);

/* ---- handover.c ---- */

/* What was there before, for skt_create_server. */
struct skti_inheritance {
    skt *server; /* a listener, or NULL */
    skt *old;    /* the connection to the previous process, to be told when we accept; or NULL */
    bool moved;  /* it listens at another address */
};

/* 0, or -1 with the record: then there is nothing to be given back. */
int skti_inherit(const skt_addr *addr, const skt_server_options *options, struct skti_inheritance *got);

/* Remembers where the next process is to ask, and whom to tell.  0; or -1, and got->old is still the caller's. */
int skti_offer_at(skt *server, const char *path, const struct skti_inheritance *got);

/* Listeners that came with the server, to be accepted from too: how many, at most max. */
unsigned skti_inherited(skt *server, skt **listeners, unsigned max);

/* Begins, among the acceptors, the task that tells the previous process that we accept, and answers the next one. */
void skti_begin_offer(struct skti_serving *serving);

/* After it has ended: nobody is to ask there, unless the next process answers. */
void skti_end_offer(struct skti_serving *serving);

#endif
