/* relay.h - what the files of skt relay share.
 *
 *     relay.c           the command: what it was told, and how it begins
 *     relay_streams.c   clients that connect, each in a task of skt_serve
 *     relay_datagrams.c clients that only send datagrams: the sockets they send to
 *     relay_session.c   and each of them
 *     relay_stdio.c     standard input and output as a socket
 *     relay_hello.c     what goes before the data: the PROXY header, and the connection to the upstream side
 *     relay_link.c      a client and its upstream side
 *     relay_flow.c      the data of one direction
 *     relay_pool.c      buffers and pipes for it
 *     relay_log.c       a line for each connection, and the live line
 *
 * "up" is from the client to the upstream side, "down" the other way. */
#ifndef CMD_RELAY_H
#define CMD_RELAY_H

#include "cmd.h"
#include "proxy_header.h"

/* What is asked for, and what has been done so far. */
struct relay {
    const struct cmd_settings *settings;
    struct cmd_address from, to;
    struct cmd_settings dial; /* the settings, with a timeout in any case */
    double idle;              /* seconds, or SKT_NO_TIMEOUT */
    bool once;                /* one of the sides is one connection, and not a place to listen or connect at */
    bool failed;              /* once: it has */
    int log_fd;
    bool unlogged; /* it is /dev/null */
    bool timed;    /* when data passed matters: to --idle or --rate */
    bool live;     /* somebody sees the live line */
    unsigned open; /* the rest is for it, and atomic */
    uint64_t total, failures;
    uint64_t up, down; /* bytes */
};

/* One direction of a link. */
struct flow {
    struct link *link;
    struct cmd_peer *from, *to;
    const char *from_name, *to_name; /* "client", "upstream" */
    uint64_t bytes, *total;          /* ... and the relay's sum */
    double next;                     /* --rate: when the next piece may go */
    bool ended;
    bool spliced, unspliceable; /* now, by a pipe; the kernel cannot */
    unsigned full;              /* pieces that filled the buffer, in a row */
};

/* One client, and whom it is connected to. */
struct link {
    struct relay *relay;
    struct cmd_peer client, upstream;
    skt_addr source, destination; /* the client's address and where it connected to, as told by the PROXY header if one
                                     is accepted */
    struct flow up, down;
    skt_group *flows;
    double begun, connected, active; /* on the monotonic clock; 0: never; active: kept where the relay is timed */
    struct timespec date;            /* of the beginning */
    bool broken;                     /* one side ended without an end of data: so is the other to */
    char *why;                       /* what went wrong, or NULL */
};

/* As cmd_peer_connected, without asking for an address that nobody is going to see. */
struct cmd_peer relay_peer(const struct relay *relay, skt *s);

/* ---- relay_link.c ---- */

/* A link of this client, at its beginning. */
void link_begin(struct link *link, struct relay *relay, const struct cmd_peer *client);

/* Moves data both ways until both sides have ended, one has failed, nothing has passed for too long, or the calling
 * task is cancelled. */
void link_carry(struct link *link);

/* Says what went wrong, if nothing has been said yet. */
void link_fail(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Closes the upstream side, having logged the link; the client's is left to the caller, who closes it soon. */
void link_end(struct link *link);

/* ---- relay_flow.c ---- */

/* One direction alone, in the calling task; it ends the link's group of tasks where it ends all. */
void flow_carry(struct flow *f);

/* Waits as long as --rate wants it after n bytes. */
void flow_pace(struct flow *f, size_t n);

/* n bytes have passed. */
void flow_count(struct flow *f, size_t n);

/* ---- relay_hello.c ---- */

/* Connects to the upstream side, with all that goes before the data.  0, or -1, having told the link why. */
int link_connect(struct link *link);

/* ---- relay_pool.c ---- */

enum { RELAY_BUFFER = 65536, RELAY_LARGE_BUFFER = 262144, RELAY_PIPE = 1048576 };

/* A buffer of RELAY_BUFFER, or RELAY_LARGE_BUFFER if large; NULL with errno. */
char *relay_take_buffer(bool large);
void relay_give_buffer(char *buf, bool large);

/* An empty pipe of RELAY_PIPE bytes; false: none is to be had. */
bool relay_take_pipe(int fds[2]);

/* Gives an empty pipe back. */
void relay_give_pipe(const int fds[2]);

/* Closes one that may not be empty. */
void relay_drop_pipe(const int fds[2]);

/* At most so many pipes. */
void relay_limit_pipes(unsigned n);

/* Frees what is kept. */
void relay_end_pools(void);

/* ---- relay_log.c ---- */

/* 0, or the exit status, having said why. */
int relay_open_log(struct relay *relay);
void relay_log(const struct link *link);

/* The live line; _end returns when it is gone. */
void relay_begin_status(struct relay *relay);
void relay_end_status(void);

/* ---- The kinds of clients: each returns the exit status ---- */

int relay_streams(struct relay *relay);
int relay_datagrams(struct relay *relay);
int relay_one(struct relay *relay); /* the client is one connection */

/* ---- relay_stdio.c ---- */

/* A socket whose other end is standard input and output, carried by tasks of the caller's thread; NULL with the
 * record. */
skt *relay_stdio(void);

/* Once that socket has been closed: waits until all that was sent to it has been written, and says whether it could
 * be. */
bool relay_end_stdio(void);

#endif
