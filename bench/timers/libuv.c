/* libuv.c - uv_timer_t, a heap with a resolution of a millisecond.
 *
 * Usage: timers-libuv COUNT; prints the ns of CPU time that one timer has cost. */
#include "../common.h"
#include <uv.h>

static void expired(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000, cpu = cpu_ns();
    uv_timer_t *timers = calloc(n, sizeof *timers);

    if (!timers)
        die("calloc");
    for (uint64_t i = 0; i < n; i++) {
        uv_timer_init(uv_default_loop(), &timers[i]);
        uv_timer_start(&timers[i], expired, timer_ns(i, n) / 1000000, 0);
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    printf("%.1f\n", (double)(cpu_ns() - cpu) / (double)n);
}
