/* ping_tally.h - which questions have gone, and what became of each. */
#ifndef CMD_PING_TALLY_H
#define CMD_PING_TALLY_H

#include "histogram.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PING_WINDOW = 4096, /* questions that are remembered; an answer to an older one is nobody's */
    PING_RECENT = 512,  /* results that are kept for the sparkline */
};

enum ping_state { PING_NONE, PING_WAITING, PING_ANSWERED, PING_LATE, PING_LOST, PING_FAILED };

struct ping_probe {
    enum ping_state state;
    int64_t sent; /* ns, monotonic */
};

/* Numbers begin with 1.  All zeros is an empty one, but for timeout. */
struct ping_tally {
    int64_t timeout;            /* ns until a question counts as lost */
    uint32_t sent;              /* the number of the last one, too */
    uint32_t oldest;            /* no number below it is waiting */
    uint64_t waiting;           /* neither answered nor lost nor failed */
    uint64_t answered;          /* in time */
    uint64_t late, lost;        /* after the timeout; never */
    uint64_t failed;            /* with an error: it came back, or could not be sent */
    uint64_t duplicates;        /* answers to what was answered */
    double recent[PING_RECENT]; /* seconds, NaN for what has no answer; by number */
    struct ping_probe probes[PING_WINDOW];
    struct cmd_histogram times; /* of all that came, late ones too */
};

/* Whether the next may be sent: that it would not overwrite one that is waiting. */
bool ping_tally_has_room(const struct ping_tally *t);

/* The next question is sent at this time; its number. */
uint32_t ping_tally_send(struct ping_tally *t, int64_t now);

/* The full number of which these are the lowest 16 bits, or 0: none in the window. */
uint32_t ping_tally_number(const struct ping_tally *t, uint32_t low);

/* The question of this number, if it is remembered, or NULL. */
struct ping_probe *ping_tally_probe(struct ping_tally *t, uint32_t number);

enum ping_verdict { PING_IN_TIME, PING_TOO_LATE, PING_DUPLICATE, PING_STRANGE };

/* An answer has come at this time; in *took the time since the question. */
enum ping_verdict ping_tally_answer(struct ping_tally *t, uint32_t number, int64_t at, int64_t *took);

/* An error has come instead, or nothing could be sent.  false: it had ended already. */
bool ping_tally_fail(struct ping_tally *t, uint32_t number);

/* The number of one that is lost by now, or 0; call it until it is 0. */
uint32_t ping_tally_expire(struct ping_tally *t, int64_t now);

/* When the next one will be lost; INT64_MAX if none is waiting. */
int64_t ping_tally_next_loss(struct ping_tally *t);

/* The share of questions that were not answered, of all that are over; 0 if none is. */
double ping_tally_loss(const struct ping_tally *t);

#endif
