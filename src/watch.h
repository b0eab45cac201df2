/* watch.h - what the scheduler keeps inside each socket.
 *
 * Apart from the scheduler's own headers, so that socket code sees none of them. */
#ifndef SKTI_WATCH_H
#define SKTI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct skt;
struct skti_task;

/* Tasks that wait for the same thing, in the order in which they came. */
struct skti_waitlist {
    struct skti_task *first;
};

/* Something that another thread asks a scheduler's thread to do. */
struct skti_errand {
    struct skti_errand *next;
    void (*run)(struct skti_errand *errand);
};

/* Only the thread of the engine touches it, but for `engine`, `dry` and the errand. */
struct skti_watch {
    struct skti_waitlist in;
    uint32_t engine;          /* number of the engine that watches the descriptor; 0: none does */
    uint8_t asked;            /* POLLIN, POLLOUT: of which the engine tells */
    uint8_t ready;            /* POLLIN, POLLOUT: worth a try; POLLHUP: the other end, or an error, has been seen */
    uint8_t dry;              /* POLLIN, POLLOUT: of which it does not tell yet, and the last try took all (a hint) */
    bool errand_sent;         /* by skt_close: to wake those who wait */
    struct skti_waitlist out; /* less often in use: in the next line of the cache */
    struct skti_errand errand;
    void (*finish)(struct skt *s); /* what an errand is to do when the socket has been left */
};

#endif
