/* test_many_tasks.c - 300000 sleeping tasks in one process, and what each takes of its memory. */
#include "check.h"
#include "task_time.h"
#include <skt.h>
#include <stdlib.h>
#include <unistd.h>

#define MANY 300000
#ifdef BY_UCONTEXT
#define MOST_BYTES 9216 /* swapcontext(3) leaves a kilobyte at each switch: a second page */
#else
#define MOST_BYTES 5120 /* for each */
#endif

static bool watched(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#endif
#endif
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "valgrind");
}

/* A number of kilobytes in a file of /proc; 0: none. */
static size_t kilobytes(const char *path, const char *key)
{
    char line[256];
    size_t value = 0;
    FILE *f = fopen(path, "r");
    CHECK(f);
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)))
            value = strtoul(line + strlen(key), NULL, 10);
    fclose(f);
    return value;
}

/* The process's own: pages, and the tables that lead to them. */
static size_t own_memory(void)
{
    return (kilobytes("/proc/self/status", "RssAnon:") + kilobytes("/proc/self/status", "VmPTE:")) * 1024;
}

static int asleep, awake;

static void sleep_well(void *unused)
{
    char buf[1024];
    (void)unused;
    memset(buf, asleep & 127, sizeof buf); /* a handler's buffer */
    asleep++;
    CHECK_INT(skt_sleep(1000), 0);
    CHECK(buf[0] == buf[1023]);
    awake++;
}

static void start_all(void *unused)
{
    (void)unused;
    size_t before = own_memory();
    for (int i = 0; i < MANY; i++)
        if (skt_go(sleep_well, NULL) < 0)
            check_failed(__FILE__, __LINE__, "task %d was refused: %s", i, skt_strerror());
    while (asleep < MANY)
        skt_yield();
    size_t each = (own_memory() - before) / MANY;
    printf("# %zu bytes each\n", each);
    if (each > MOST_BYTES)
        check_failed(__FILE__, __LINE__, "%zu bytes for each task", each);
    CHECK_INT(skt_sleep(1), 0);
    CHECK_INT(awake, 0);
}

static void sleepers(void)
{
    if (watched() || under_qemu())
        SKIP("under a sanitizer, valgrind or qemu-user memory is not the library's own");
    if (kilobytes("/proc/meminfo", "MemAvailable:") < 3u << 20)
        SKIP("less than 3 GiB of memory");
    task_time_begin();
    run_tasks(start_all, NULL);
    task_time_end();
    CHECK_INT(awake, MANY);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "300000 tasks sleep, none is refused, and each takes little memory", sleepers },
    };
    return RUN_CASES_ON_THREAD(cases);
}
