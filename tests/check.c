/* check.c - the tests' harness: see check.h. */
#include "check.h"
#include "peer.h"
#include "task.h"
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

/* Enough for every body: some have a hundred kilobytes of data there, and sanitizers take twice as much. */
#define STACK ((size_t)1 << 20)

static char current[256] = "?";
static uint64_t schedule; /* of the case that runs in a task */
static bool in_task;      /* the case that runs does so in a task */
static struct schedules { /* of SKT_SCHEDULE */
    uint64_t first, last;
    bool given;
} schedules;
static bool skipped;
static char skip_reason[256];

bool under_qemu(void)
{
    char name[16] = "";
    FILE *file = fopen("/proc/self/comm", "r"); /* exe and cmdline are the program's there too */
    if (file && !fgets(name, sizeof name, file))
        name[0] = '\0';
    if (file)
        fclose(file);
    return !strncmp(name, "qemu-", 5);
}

static const char *error_words(int code)
{
    return strerror(code);
}

/* glibc's words for an error, and this C library's; NULL: not one's beginning. */
static const char *words_here(const char *text, size_t *len)
{
    static const struct {
        const char *glibcs, *(*words)(int code);
        int code;
    } known[] = {
        { "Address already in use", error_words, EADDRINUSE },
        { "Cannot assign requested address", error_words, EADDRNOTAVAIL },
        { "Cannot allocate memory", error_words, ENOMEM },
        { "Connection timed out", error_words, ETIMEDOUT },
        { "File name too long", error_words, ENAMETOOLONG },
        { "Message too long", error_words, EMSGSIZE },
        { "Name or service not known", gai_strerror, EAI_NONAME },
        { "Numerical result out of range", error_words, ERANGE },
        { "Too many open files", error_words, EMFILE },
        { "Temporary failure in name resolution", gai_strerror, EAI_AGAIN },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        *len = strlen(known[i].glibcs);
        if (!strncmp(text, known[i].glibcs, *len))
            return known[i].words(known[i].code);
    }
    return NULL;
}

bool same_text(const char *actual, const char *expected)
{
    while (*expected) {
        size_t len;
        const char *here = words_here(expected, &len);
        if (strncmp(actual, here ? here : expected, here ? strlen(here) : 1) != 0)
            return false;
        actual += here ? strlen(here) : 1;
        expected += here ? len : 1;
    }
    return !*actual;
}

static int count_entries(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

int count_fds(void)
{
    int n = count_entries("/proc/self/fd");
    return n < 0 ? n : n - 1; /* opendir's own */
}

/* ThreadSanitizer has a thread of its own, from the first one on; qemu-user has one from the beginning. */
static int tools_threads;

__attribute__((constructor)) static void count_tools_threads(void)
{
    tools_threads = count_entries("/proc/self/task") - 1;
}

static void *nothing(void *unused)
{
    return unused;
}

static void wake_sanitizer(void)
{
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, nothing, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    tools_threads = 1;
#endif
#endif
    (void)nothing;
}

int count_threads(void)
{
    return count_entries("/proc/self/task") - tools_threads;
}

/* The command by which this program was started, on one line. */
static void print_command(FILE *out)
{
    int c;
    FILE *command = fopen("/proc/self/cmdline", "r");
    while (command && (c = fgetc(command)) != EOF)
        fputc(c ? c : ' ', out);
    if (command)
        fclose(command);
}

void check_failed(const char *file, int line, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "# %s: %s:%d: ", current, file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (in_task) {
        fprintf(stderr, "# to repeat it: SKT_SCHEDULE=%llu ", (unsigned long long)schedule);
        print_command(stderr);
        fputc('\n', stderr);
    }
    printf("not ok - %s\n", current);
    fflush(NULL);
    _exit(1);
}

void check_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(skip_reason, sizeof skip_reason, format, args);
    va_end(args);
    skipped = true;
}

/* ---- On a thread, and in a task ---- */

static void run_on_thread(const struct test_case *c)
{
    c->run();
}

static bool alone; /* the case had no other task than its own */

static void run_first_task(void *arg)
{
    const struct test_case *c = arg;
    c->run();
    alone = skti_scheduler->numbered == 1 && peers_started() == 0;
}

/* Numbers near to each other are to be unlike (splitmix64); 0 is 0: first come, first served. */
static uint64_t seed_of(uint64_t number)
{
    uint64_t x = number * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void run_scheduled(const struct test_case *c)
{
    struct test_case copy = *c;
    const skt_run_options options = { .stack_size = STACK };
    skti_task_seed = seed_of(schedule);
    CHECK_INT(skt_run_with(run_first_task, &copy, &options), 0);
}

/* By all the schedules that are asked for, if they can make a difference. */
static void run_in_task(const struct test_case *c)
{
    in_task = true;
    schedule = schedules.first;
    do
        run_scheduled(c);
    while (!alone && !skipped && schedule++ < schedules.last);
    in_task = false;
}

static void run_case(const struct test_case *c, void (*run)(const struct test_case *c), const char *where)
{
    static size_t number;
    int fds = count_fds(), threads = count_threads();
    snprintf(current, sizeof current, "%s%s", c->what, where);
    skipped = false;
    run(c);
    wait_for_threads(threads); /* one that was joined may stand in /proc for a moment longer */
    if (count_fds() != fds)
        check_failed(__FILE__, __LINE__, "%d descriptors before, %d after", fds, count_fds());
    printf("ok %zu - %s%s%s\n", ++number, current, skipped ? " # SKIP " : "", skipped ? skip_reason : "");
    fflush(stdout);
}

static bool runs_on_thread(const struct test_case *c)
{
    return c->where != IN_TASK && !schedules.given;
}

static bool runs_in_task(const struct test_case *c, enum test_where program)
{
    return c->where != ON_THREAD && program != ON_THREAD;
}

static void read_schedules(void)
{
    char *end;
    const char *text = getenv("SKT_SCHEDULE");
    if (!text)
        return;
    schedules.given = true;
    schedules.first = schedules.last = strtoull(text, &end, 10);
    if (*end == '-')
        schedules.last = strtoull(end + 1, &end, 10);
    CHECK(*text && !*end && schedules.last >= schedules.first);
}

int run_cases(const struct test_case *cases, size_t n, enum test_where where)
{
    size_t lines = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    wake_sanitizer();
    read_schedules();
    for (size_t i = 0; i < n; i++)
        lines += (size_t)runs_on_thread(&cases[i]) + (size_t)runs_in_task(&cases[i], where);
    printf("1..%zu\n", lines);
    for (size_t i = 0; i < n; i++) {
        if (runs_on_thread(&cases[i]))
            run_case(&cases[i], run_on_thread, "");
        if (runs_in_task(&cases[i], where))
            run_case(&cases[i], run_in_task, " (in a task)");
    }
    return 0;
}
