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

/* Only the thread of the engine touches it, but for `engine` and `errand`. */
struct skti_watch {
    uint32_t engine;  /* number of the engine that watches the descriptor; 0: none does */
    uint32_t asked;   /* EPOLL... that are registered */
    uint32_t ready;   /* POLLIN, POLLOUT: worth a try; POLLHUP: the other end, or an error, has been seen */
    bool errand_sent; /* by skt_close: to wake those who wait */
    struct skti_waitlist in, out;
    struct skti_errand errand;
    void (*finish)(struct skt *s); /* what an errand is to do when the socket has been left */
};

#endif
