/* check.c - the tests' harness: see check.h. */
#include "check.h"
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *volatile current;
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

void check_failed(const char *file, int line, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "# %s: %s:%d: ", current ? current : "?", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    printf("not ok - %s\n", current ? current : "?");
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

/* A thread that was joined may stand in /proc for a moment longer, and a
 * detached one ends in its own time: wait, without a limit but the runner's. */
static void wait_for_threads(int before)
{
    struct timespec moment = { .tv_nsec = 200000 };
    for (int i = 0; count_threads() > before && i < 50000; i++)
        nanosleep(&moment, NULL);
    if (count_threads() > before)
        check_failed(__FILE__, __LINE__, "%d threads before, %d after", before, count_threads());
}

static void run_case(const struct test_case *c, size_t number)
{
    int fds = count_fds(), threads = count_threads();
    current = c->what;
    skipped = false;
    c->run();
    wait_for_threads(threads);
    if (count_fds() != fds)
        check_failed(__FILE__, __LINE__, "%d descriptors before, %d after", fds, count_fds());
    printf("ok %zu - %s%s%s\n", number, c->what, skipped ? " # SKIP " : "", skipped ? skip_reason : "");
    fflush(stdout);
}

int run_cases(const struct test_case *cases, size_t n)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    wake_sanitizer();
    printf("1..%zu\n", n);
    for (size_t i = 0; i < n; i++)
        run_case(&cases[i], i + 1);
    return 0;
}
