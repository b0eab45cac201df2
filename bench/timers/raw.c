/* raw.c - timers as one writes them by hand: a binary heap beside epoll_wait.
 *
 * Usage: timers-raw COUNT; prints the ns of CPU time that one timer has cost. */
#include "../common.h"
#include <sys/epoll.h>

static uint64_t *heap; /* when each expires; the nearest first */
static size_t used;

static void push(uint64_t when)
{
    size_t at = used++;
    for (; at && heap[(at - 1) / 2] > when; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = when;
}

static void pop(void)
{
    uint64_t last = heap[--used];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < used; at = child) {
        if (child + 1 < used && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= last)
            break;
        heap[at] = heap[child];
    }
    heap[at] = last;
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000, cpu = cpu_ns(), start = now_ns();
    struct epoll_event event;
    int loop = epoll_create1(EPOLL_CLOEXEC);

    heap = calloc(n, sizeof *heap);
    if (!heap || loop < 0)
        die("timers-raw");
    for (uint64_t i = 0; i < n; i++)
        push(start + timer_ns(i, n));
    while (used) {
        uint64_t now = now_ns();
        while (used && heap[0] <= now)
            pop();
        if (used)
            epoll_wait(loop, &event, 1, (int)((heap[0] - now + 999999) / 1000000));
    }
    printf("%.1f\n", (double)(cpu_ns() - cpu) / (double)n);
}
