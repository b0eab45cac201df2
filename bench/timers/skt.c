/* skt.c - a task for each timer, which sleeps: there are no timers besides.
 *
 * Usage: timers-skt COUNT; prints the ns of CPU time that one task has cost. */
#include "../common.h"
#include <skt.h>

static uint64_t count;

static void sleeper(void *arg)
{
    skt_sleep((double)timer_ns((uint64_t)(uintptr_t)arg, count) / 1e9);
}

static void start(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < count; i++)
        if (skt_go(sleeper, (void *)(uintptr_t)i) < 0)
            skt_die("timers-skt");
}

int main(int argc, char **argv)
{
    uint64_t cpu = cpu_ns();
    count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    if (skt_run(start, NULL) < 0)
        skt_die("timers-skt");
    printf("%.1f\n", (double)(cpu_ns() - cpu) / (double)count);
}
