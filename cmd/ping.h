/* ping.h - what the files of skt ping share.
 *
 *   ping.c           the command: questions go out at their times, what comes is looked at, until the end
 *   ping_datagram.c  ICMP and UDP: one socket, questions and answers in packets
 *   ping_tcp.c       TCP: a socket for each question, which is to connect
 *   ping_error.c     errors that routers send back, from a socket's error queue
 *   ping_packet.c    the packets' bytes
 *   ping_tally.c     what became of each question
 *   ping_report.c    what is told to people and programs */
#ifndef CMD_PING_H
#define CMD_PING_H

#include "host.h"
#include "ping_packet.h"
#include "ping_tally.h"

enum { PING_ATTEMPTS = 256 }; /* connections of TCP that may be under way */

struct ping;

struct ping_kind {
    const char *name, *unit; /* of what is sent */
    /* Opens what is needed to reach p->peer.  0; -1: it cannot be reached, and the library's record says why; or the
     * exit status, having said why there is no use in trying another address. */
    int (*open)(struct ping *p);
    void (*send)(struct ping *p, uint32_t number);
    /* The descriptors to wait for, at most PING_ATTEMPTS of them, and ... */
    size_t (*watch)(struct ping *p, struct pollfd *fds);
    /* ... what is to be taken once poll has looked at them. */
    void (*receive)(struct ping *p, const struct pollfd *fds, size_t n);
    size_t at_once; /* questions that may be waiting for an answer */
};

extern const struct ping_kind ping_icmp, ping_udp, ping_tcp;

/* A connection that is being made. */
struct ping_attempt {
    skt *sock;
    uint32_t number;
};

struct ping {
    const struct cmd_settings *settings;
    const struct ping_kind *kind;
    struct cmd_address address;
    skt_addr peer;
    int64_t began, interval; /* ns */
    bool stopped;            /* by SIGINT, or because nobody reads our output */
    struct ping_format format;
    skt *sock;                                   /* of ICMP and UDP */
    struct ping_attempt attempts[PING_ATTEMPTS]; /* of TCP, as many as ... */
    size_t under_way;                            /* ... these */
    struct ping_tally tally;
};

/* ---- ping_error.c ---- */

struct ping_error {
    char text[96]; /* in words */
    char from[64]; /* the router's or the host's address; "": this machine's own */
    bool local;    /* not sent, and the call that would have sent it says so too */
    unsigned char quote[576];
    size_t len; /* of the question that it quotes */
};

/* Makes the socket keep errors in its queue; what it cannot do is done without. */
void ping_ask_for_errors(skt *s);

/* Takes an error from the queue; false if there is none. */
bool ping_take_error(skt *s, struct ping_error *error);

/* ---- ping_report.c ---- */

/* What has come for a question; ttl -1: not known. */
struct ping_answer {
    uint32_t number;
    size_t size;
    int ttl;
    int64_t took;
    enum ping_verdict verdict;
};

void ping_tell_begin(const struct ping *p);
void ping_tell_answer(struct ping *p, const struct ping_answer *answer);

/* from: who said so, "" for this machine.  number 0: nobody knows which question it was about. */
void ping_tell_error(struct ping *p, uint32_t number, const char *text, const char *from);
void ping_tell_loss(struct ping *p, uint32_t number);

/* What came of all; final: it is over. */
void ping_tell_summary(struct ping *p, bool final);

/* The line at the bottom of a terminal. */
void ping_show_live(const struct ping *p);

#endif
