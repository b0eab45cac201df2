/* check.h - the tests' harness: cases, checks and a line of TAP for each.
 *
 * Our own and not a library's because a check has to work in any thread and in any task
 * (no longjmp), and under musl and other processors, for which Debian
 * packages no harness.  A failed check ends the program, so that what is
 * printed last is what was wrong.
 *
 * Every case runs twice from one body, on a thread and in a task.  After each the descriptors and
 * threads are counted: a case that leaves one behind has failed.
 *
 * SKT_SCHEDULE=N in the environment runs the cases in tasks only, and the N picks who goes on
 * where several tasks are ready; N-M does so for each from N to M, where a case has several tasks.
 * A check that fails in a task says how to repeat it. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where a case makes sense; but for EVERYWHERE (0) a comment beside it says why. */
enum test_where { EVERYWHERE, ON_THREAD, IN_TASK };

struct test_case {
    const char *what;
    void (*run)(void);
    enum test_where where; /* may be left out */
};
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Runs the cases and returns main's status, 0: a case that fails ends the program with 1.
 * (TAP says what was skipped; meson takes a 77 for a failure there.) */
int run_cases(const struct test_case *cases, size_t n, enum test_where where);
#define RUN_CASES(cases) run_cases(cases, sizeof(cases) / sizeof(cases)[0], EVERYWHERE)

/* The same for a program whose cases call skt_run themselves. */
#define RUN_CASES_ON_THREAD(cases) run_cases(cases, sizeof(cases) / sizeof(cases)[0], ON_THREAD)

void check_failed(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4), noreturn));
void check_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a text is as expected; the expected one has glibc's words for errors, which stand for this C library's. */
bool same_text(const char *actual, const char *expected);

/* How many descriptors are open in this process, and how many threads there are. */
int count_fds(void);
int count_threads(void);

/* Until there are no more than so many threads: for those that end in their own time. */
void wait_for_threads(int most);

/* Whether the C library is another than glibc: musl, as far as the tests know. */
#ifdef __GLIBC__
#define MUSL 0
#else
#define MUSL 1
#endif

/* Whether qemu-user runs this program: some of Linux is unknown to it. */
bool under_qemu(void);

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            check_failed(__FILE__, __LINE__, "%s (errno %d: %s)", #condition, errno, strerror(errno));                 \
    } while (0)

#define CHECK_INT(actual, expected)                                                                                    \
    do {                                                                                                               \
        long long check_a = (long long)(actual), check_e = (long long)(expected);                                      \
        if (check_a != check_e)                                                                                        \
            check_failed(__FILE__, __LINE__, "%s is %lld, not %lld (errno %d: %s)", #actual, check_a, check_e, errno,  \
                         strerror(errno));                                                                             \
    } while (0)

#define CHECK_STR(actual, expected)                                                                                    \
    do {                                                                                                               \
        const char *check_a = (actual), *check_e = (expected);                                                         \
        if (!check_a || !same_text(check_a, check_e))                                                                  \
            check_failed(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #actual, check_a ? check_a : "(null)",        \
                         check_e);                                                                                     \
    } while (0)

/* The call fails (-1 or NULL) with this errno. */
#define CHECK_ERRNO(call, expected)                                                                                    \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long long check_r = (long long)(call);                                                                         \
        int check_code = errno;                                                                                        \
        if (check_r != -1 && check_r != 0)                                                                             \
            check_failed(__FILE__, __LINE__, "%s is %lld and did not fail", #call, check_r);                           \
        if (check_code != (expected))                                                                                  \
            check_failed(__FILE__, __LINE__, "%s: errno is %d (%s), not %s", #call, check_code, strerror(check_code),  \
                         #expected);                                                                                   \
    } while (0)

/* Ends the case as skipped, and says why. */
#define SKIP(...)                                                                                                      \
    do {                                                                                                               \
        check_skip(__VA_ARGS__);                                                                                       \
        return;                                                                                                        \
    } while (0)

#endif
