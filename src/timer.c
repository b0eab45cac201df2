/* timer.c - a heap of deadlines: see timer.h.
 *
 * Each entry has up to four below it, entry i those from 4i+1 on: half as deep as a heap of twos. */
#include "timer.h"
#include "sys.h"

struct skti_timer_entry {
    int64_t at;
    struct skti_timer *timer;
};

bool skti_timers_reserve(struct skti_timers *timers, size_t n)
{
    if (n <= timers->room)
        return true;
    size_t room = timers->room ? timers->room : 16;
    while (room < n)
        room *= 2;
    struct skti_timer_entry *heap = skti_sys.realloc(timers->heap, room * sizeof *heap);
    if (!heap)
        return false;
    timers->heap = heap;
    timers->room = room;
    return true;
}

void skti_timers_destroy(struct skti_timers *timers)
{
    skti_sys.free(timers->heap);
    *timers = (struct skti_timers){ 0 };
}

static void put(struct skti_timers *timers, size_t i, struct skti_timer_entry entry)
{
    timers->heap[i] = entry;
    entry.timer->place = (uint32_t)i + 1;
}

/* Puts an entry where i is free, or nearer to the top. */
static void rise(struct skti_timers *timers, size_t i, struct skti_timer_entry entry)
{
    while (i > 0 && entry.at < timers->heap[(i - 1) / 4].at) {
        put(timers, i, timers->heap[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    put(timers, i, entry);
}

static size_t first_below(const struct skti_timers *timers, size_t i)
{
    size_t child = 4 * i + 1, end = child + 4 < timers->n ? child + 4 : timers->n, first = child;
    for (; child < end; child++)
        if (timers->heap[child].at < timers->heap[first].at)
            first = child;
    return first;
}

/* Puts an entry where i is free, or farther from the top. */
static void sink(struct skti_timers *timers, size_t i, struct skti_timer_entry entry)
{
    for (size_t child; (child = first_below(timers, i)) < timers->n && timers->heap[child].at < entry.at; i = child)
        put(timers, i, timers->heap[child]);
    put(timers, i, entry);
}

void skti_timer_set(struct skti_timers *timers, struct skti_timer *t, int64_t at)
{
    struct skti_timer_entry entry = { at, t };
    if (!t->place)
        rise(timers, timers->n++, entry);
    else if (at < timers->heap[t->place - 1].at)
        rise(timers, t->place - 1, entry);
    else
        sink(timers, t->place - 1, entry);
}

void skti_timer_remove(struct skti_timers *timers, struct skti_timer *t)
{
    if (!t->place)
        return;
    size_t i = t->place - 1;
    struct skti_timer_entry last = timers->heap[--timers->n];
    t->place = 0;
    if (last.timer == t)
        return;
    if (i > 0 && last.at < timers->heap[(i - 1) / 4].at)
        rise(timers, i, last);
    else
        sink(timers, i, last);
}

int64_t skti_timer_at(const struct skti_timers *timers, const struct skti_timer *t)
{
    return t->place ? timers->heap[t->place - 1].at : INT64_MAX;
}

int64_t skti_timers_next(const struct skti_timers *timers)
{
    return timers->n ? timers->heap[0].at : INT64_MAX;
}

struct skti_timer *skti_timers_expired(struct skti_timers *timers, int64_t now)
{
    if (timers->n == 0 || timers->heap[0].at > now)
        return NULL;
    struct skti_timer *t = timers->heap[0].timer;
    skti_timer_remove(timers, t);
    return t;
}
