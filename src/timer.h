/* timer.h - who is to be woken when: a heap of deadlines, the nearest on top. */
#ifndef SKTI_TIMER_H
#define SKTI_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands in what is to be woken. */
struct skti_timer {
    uint32_t place; /* in the heap, from 1 on; 0: not in it */
};

struct skti_timers {
    struct skti_timer_entry *heap;
    size_t n, room;
};

/* Makes room for n timers at once, so that skti_timer_set cannot fail; false: no memory. */
bool skti_timers_reserve(struct skti_timers *timers, size_t n);
void skti_timers_destroy(struct skti_timers *timers);

/* Lets t expire at `at` nanoseconds, whether it was set before or not. */
void skti_timer_set(struct skti_timers *timers, struct skti_timer *t, int64_t at);
void skti_timer_remove(struct skti_timers *timers, struct skti_timer *t);

/* When t is set to expire; INT64_MAX: it is not set. */
int64_t skti_timer_at(const struct skti_timers *timers, const struct skti_timer *t);

/* When the first expires; INT64_MAX: none is set. */
int64_t skti_timers_next(const struct skti_timers *timers);

/* Takes out one that has expired, or NULL. */
struct skti_timer *skti_timers_expired(struct skti_timers *timers, int64_t now);

#endif
