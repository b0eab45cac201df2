/* st.c - State Threads: what a switch costs, and a thread from its start to its end.
 *
 * st_usleep(0) is its only way to yield: it goes through the queue of sleepers.
 *
 * Usage: switch-st; prints the ns of a switch and the ns of a thread. */
#include "../common.h"
#include <st.h>

#define SWITCHES 1000000
#define THREADS 1000000
#define BATCH 100

static int finished;

static void *yields(void *arg)
{
    for (int i = 0; i < SWITCHES / 2; i++)
        st_usleep(0);
    finished++;
    return arg;
}

static void *nothing(void *arg)
{
    finished++;
    return arg;
}

static void go(void *(*fn)(void *), int n)
{
    finished = 0;
    for (int i = 0; i < n; i++)
        if (!st_thread_create(fn, NULL, 0, 8192))
            die("st_thread_create");
}

static void wait_for(int n)
{
    while (finished < n)
        st_usleep(0);
}

int main(void)
{
    uint64_t start, switches, threads;
    if (st_set_eventsys(ST_EVENTSYS_POLL) < 0 || st_init() < 0)
        die("st_init");
    go(nothing, BATCH);
    wait_for(BATCH);

    start = now_ns();
    go(yields, 1);
    yields(NULL);
    wait_for(2);
    switches = now_ns() - start;

    start = now_ns();
    for (int i = 0; i < THREADS / BATCH; i++) {
        go(nothing, BATCH);
        wait_for(BATCH);
    }
    threads = now_ns() - start;
    printf("%.2f %.2f\n", (double)switches / SWITCHES, (double)threads / THREADS);
}
