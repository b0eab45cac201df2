/* skt.c - what a switch from one task to another costs, and a task from skt_go to its end.
 *
 * Usage: switch-skt; prints the ns of a switch and the ns of a task. */
#include "../common.h"
#include <skt.h>

#define SWITCHES 5000000
#define TASKS 2000000
#define BATCH 100

static int finished;

static void yields(void *arg)
{
    (void)arg;
    for (int i = 0; i < SWITCHES / 2; i++)
        skt_yield();
    finished++;
}

static void nothing(void *arg)
{
    (void)arg;
    finished++;
}

static void go(void (*fn)(void *), int n)
{
    finished = 0;
    for (int i = 0; i < n; i++)
        if (skt_go(fn, NULL) < 0)
            skt_die("switch-skt");
}

static void wait_for(int n)
{
    while (finished < n)
        skt_yield();
}

static void measure(void *arg)
{
    uint64_t start, switches, tasks;
    (void)arg;
    go(nothing, BATCH);
    wait_for(BATCH);

    skt_group *both = skt_group_new();
    start = now_ns();
    skt_group_go(both, yields, NULL);
    skt_group_go(both, yields, NULL);
    skt_group_wait(both);
    switches = now_ns() - start;
    skt_group_close(both);

    start = now_ns();
    for (int i = 0; i < TASKS / BATCH; i++) {
        go(nothing, BATCH);
        wait_for(BATCH);
    }
    tasks = now_ns() - start;
    printf("%.2f %.2f\n", (double)switches / SWITCHES, (double)tasks / TASKS);
}

int main(void)
{
    if (skt_run(measure, NULL) < 0)
        skt_die("switch-skt");
}
