/* libevent.c - evtimer, a heap.
 *
 * Usage: timers-libevent COUNT; prints the ns of CPU time that one timer has cost. */
#include "../common.h"
#include <event2/event.h>
#include <event2/event_struct.h>

static void expired(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000, cpu = cpu_ns();
    struct event_base *base = event_base_new();
    struct event *timers = calloc(n, sizeof *timers);

    if (!base || !timers)
        die("timers-libevent");
    for (uint64_t i = 0; i < n; i++) {
        uint64_t us = timer_ns(i, n) / 1000;
        struct timeval after = { .tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000) };
        evtimer_assign(&timers[i], base, expired, NULL);
        evtimer_add(&timers[i], &after);
    }
    event_base_dispatch(base);
    printf("%.1f\n", (double)(cpu_ns() - cpu) / (double)n);
}
