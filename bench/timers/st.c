/* st.c - State Threads: a thread for each timer, which sleeps.
 *
 * Usage: timers-st COUNT; prints the ns of CPU time that one thread has cost. */
#include "../common.h"
#include <st.h>

#define STACK 8192

static uint64_t count, left;

static void *sleeper(void *arg)
{
    st_usleep(timer_ns((uint64_t)(uintptr_t)arg, count) / 1000);
    left--;
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t cpu = cpu_ns();
    left = count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    if (st_set_eventsys(ST_EVENTSYS_POLL) < 0 || st_init() < 0)
        die("st_init");
    for (uint64_t i = 0; i < count; i++)
        if (!st_thread_create(sleeper, (void *)(uintptr_t)i, 0, STACK))
            die("st_thread_create");
    while (left)
        st_usleep(10000);
    printf("%.1f\n", (double)(cpu_ns() - cpu) / (double)count);
}
