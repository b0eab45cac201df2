/* test_stack.c - stacks: used again, too small, too many for the memory there is; a child of a task. */
#include "check.h"
#include "peer.h"
#include "stack.h"
#include "sys.h"
#include "task.h"
#include "task_time.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUARD_INSTALL 102

/* ---- Calls of the table, counted, or made to fail ---- */

static struct skti_sys real;
static size_t calls, fail_at;
static bool failed;
static long blocks;

static bool fails(int code)
{
    calls++;
    if (fail_at == 0 || calls != fail_at)
        return false;
    failed = true;
    errno = code;
    return true;
}

static void *count_block(void *p)
{
    blocks += p != NULL;
    return p;
}

static void *counted_malloc(size_t size)
{
    return fails(ENOMEM) ? NULL : count_block(real.malloc(size));
}

static void *counted_calloc(size_t n, size_t size)
{
    return fails(ENOMEM) ? NULL : count_block(real.calloc(n, size));
}

static void *counted_realloc(void *p, size_t size)
{
    if (fails(ENOMEM))
        return NULL;
    return p ? real.realloc(p, size) : count_block(real.realloc(p, size));
}

static void counted_free(void *p)
{
    blocks -= p != NULL;
    real.free(p);
}

static void *counted_mmap(size_t size, int protection)
{
    return fails(ENOMEM) ? NULL : count_block(real.mmap(size, protection));
}

static int counted_munmap(void *p, size_t size)
{
    blocks--;
    return real.munmap(p, size);
}

static int counted_mprotect(void *p, size_t size, int protection)
{
    return fails(ENOMEM) ? -1 : real.mprotect(p, size, protection);
}

static int counted_madvise(void *p, size_t size, int advice)
{
    return fails(EINVAL) ? -1 : real.madvise(p, size, advice);
}

static int counted_epoll_create1(int flags)
{
    return fails(EMFILE) ? -1 : real.epoll_create1(flags);
}

static int counted_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return fails(ENOMEM) ? -1 : real.epoll_ctl(epoll, operation, fd, event);
}

static int counted_eventfd(unsigned value, int flags)
{
    return fails(EMFILE) ? -1 : real.eventfd(value, flags);
}

static void begin_counting(size_t n)
{
    real = skti_sys;
    calls = 0;
    fail_at = n;
    failed = false;
    blocks = 0;
    skti_sys.malloc = counted_malloc;
    skti_sys.calloc = counted_calloc;
    skti_sys.realloc = counted_realloc;
    skti_sys.free = counted_free;
    skti_sys.mmap = counted_mmap;
    skti_sys.munmap = counted_munmap;
    skti_sys.mprotect = counted_mprotect;
    skti_sys.madvise = counted_madvise;
    skti_sys.epoll_create1 = counted_epoll_create1;
    skti_sys.epoll_ctl = counted_epoll_ctl;
    skti_sys.eventfd = counted_eventfd;
}

static void end_counting(void)
{
    skti_sys = real;
}

/* ---- Used again ---- */

static void nothing(void *unused)
{
    (void)unused;
}

static void a_hundred(void)
{
    for (int i = 0; i < 100; i++)
        go(nothing, NULL);
    skt_yield();
}

static void again_and_again(void *unused)
{
    (void)unused;
    a_hundred();
    calls = 0;
    for (int i = 0; i < 100; i++)
        a_hundred();
    CHECK_INT(calls, 0);
}

static void used_again(void)
{
    run_tasks(nothing, NULL); /* what a thread's first skt_run keeps */
    begin_counting(0);
    run_tasks(again_and_again, NULL);
    CHECK_INT(blocks, 0);
    end_counting();
}

/* ---- Without memory ---- */

static void sleep_and_fail(void *unused)
{
    struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
    (void)unused;
    if (skt_sleep(0) < 0 || skt_poll(fds, 2, 1e-4) < 0)
        CHECK(errno == EMFILE || errno == ENOMEM || errno == ECANCELED);
    CHECK(!skt_fromfd(-1) && errno == EBADF);
    step('.');
}

static int begun;

#define BEGUN 40 /* more than one mapping holds */
static const skt_run_options large = { .stack_size = 1 << 20 };

/* What cannot be had is said, and the rest goes on. */
static void do_everything(void *arg)
{
    skt **pair = arg;
    char c;
    skt_group *g = skt_group_new();
    if (!g)
        CHECK(failed && errno == ENOMEM && same_text(skt_strerror(), "group_new: Cannot allocate memory"));
    for (int i = 0; i < BEGUN; i++) {
        int result = g && i % 2 ? skt_group_go(g, sleep_and_fail, NULL) : skt_go(sleep_and_fail, NULL);
        begun += result == 0;
        if (result < 0)
            CHECK(failed && errno == ENOMEM);
    }
    CHECK_INT(skt_settimeout(pair[0], 1e-4), 0);
    CHECK(skt_recv(pair[0], &c, 1, 0) == -1 && (errno == ETIMEDOUT || (failed && errno == ENOMEM)));
    if (g)
        CHECK_INT(skt_group_close(g), 0);
}

static void without_memory(void)
{
    size_t n = 0;
    do {
        skt *pair[2];
        begun = 0;
        steps_begin();
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        int fds = count_fds();
        begin_counting(++n);
        int result = skt_run_with(do_everything, pair, &large);
        end_counting();
        CHECK_INT(blocks, 0);
        CHECK_INT(count_fds(), fds);
        CHECK(result == 0 || (failed && (errno == ENOMEM || errno == EMFILE)));
        CHECK(result == 0 || !strncmp(skt_strerror(), "run: ", 5));
        if (!failed)
            CHECK_INT(begun, BEGUN);
        skt_close(pair[0]);
        skt_close(pair[1]);
    } while (failed);
    CHECK(n > BEGUN); /* each stack is guarded by a call of its own */
}

/* ---- Too small ---- */

/* Runs fn in a child; what it says to standard error, and its status. */
static int child_says(void (*fn)(void), char *text, size_t size)
{
    int fds[2], status;
    CHECK_INT(pipe(fds), 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        dup2(fds[1], STDERR_FILENO);
        close(fds[1]);
        close(fds[0]);
        fn();
        _exit(0);
    }
    close(fds[1]);
    size_t used = 0;
    ssize_t n;
    while (used < size - 1 && (n = read(fds[0], text + used, size - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    close(fds[0]);
    CHECK_INT(waitpid(child, &status, 0), child);
    return status;
}

static volatile int depth_wanted = 1 << 20; /* so that the compiler does not know */

static int recurse(int depth)
{
    volatile char room[128];
    room[0] = (char)depth;
    int below = depth < depth_wanted ? recurse(depth + 1) : 0;
    return below + room[0];
}

static void overflow(void *name)
{
    skt_name_task(name);
    skt_yield();
    recurse(0);
}

static char name[] = "deep";

static void three_tasks(void *named)
{
    go(nothing, NULL);
    go(overflow, named ? name : NULL);
    go(nothing, NULL);
}

static void overflow_named(void)
{
    skt_run(three_tasks, name);
}

static void overflow_unnamed(void)
{
    skt_run(three_tasks, NULL);
}

static void overflow_beside(void *unused)
{
    (void)unused;
    overflow_named();
}

static void overflow_on_thread(void)
{
    struct peer peer;
    start_thread_peer(&peer, overflow_beside, NULL);
    join_peer(&peer);
}

static int no_guards(void *p, size_t size, int advice)
{
    errno = EINVAL;
    return advice == GUARD_INSTALL ? -1 : madvise(p, size, advice);
}

static int no_protection(void *p, size_t size, int protection)
{
    (void)p, (void)size, (void)protection;
    errno = ENOMEM;
    return -1;
}

static void overflow_with_mprotect(void)
{
    skti_sys.madvise = no_guards;
    skt_run(three_tasks, name);
}

/* Where only a mark is at the lower end, it is found out when the task waits or ends. */
static void overwrite_mark(void *unused)
{
    (void)unused;
    go(nothing, NULL);
    skt_name_task(name);
    memset(skti_stack_low(&skti_scheduler->stacks, skti_scheduler->running->top), 0, 8);
    skt_yield();
    _exit(3); /* not reached */
}

static void overflow_with_mark(void)
{
    skti_sys.madvise = no_guards;
    skti_sys.mprotect = no_protection;
    skt_run(overwrite_mark, NULL);
}

static void check_overflow(void (*fn)(void), const char *sentence)
{
    static char text[65536];
    int status = child_says(fn, text, sizeof text);
    const char *found = strstr(text, "skt: ");
    if (!found || strncmp(found, sentence, strlen(sentence)) != 0)
        check_failed(__FILE__, __LINE__, "the child said: %s (status %x)", text, status);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 0); /* sanitizers exit */
}

static void overflows(void)
{
    static const char *const sentence = "skt: task deep: stack overflow (see stack_size of skt_run_options)\n";
    if (under_qemu())
        SKIP("qemu-user ends the program before the handler of SIGSEGV has its turn on a full stack");
    check_overflow(overflow_named, sentence);
    check_overflow(overflow_unnamed, "skt: task 3: stack overflow (see stack_size of skt_run_options)\n");
    check_overflow(overflow_on_thread, sentence);
    check_overflow(overflow_with_mprotect, sentence);
    check_overflow(overflow_with_mark, "skt: task deep: stack overflow\n");
}

/* A fault that is no overflow is the program's, also a second time. */
static char *trap;
static size_t page;

static void mend(int signo)
{
    (void)signo;
    mprotect(trap, page, PROT_READ | PROT_WRITE);
}

static void fall_into_trap(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        CHECK_INT(mprotect(trap, page, PROT_NONE), 0);
        *(volatile char *)trap = 'x';
        skt_yield();
    }
    step('.');
}

static void mend_and_overflow(void)
{
    struct sigaction action = { .sa_handler = mend, .sa_flags = SA_ONSTACK };
    page = (size_t)sysconf(_SC_PAGESIZE);
    trap = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &action, NULL);
    steps_begin();
    skt_run(fall_into_trap, NULL);
    if (strcmp(steps, ".") != 0)
        _exit(4);
    action.sa_handler = SIG_DFL;
    sigaction(SIGSEGV, &action, NULL);
    skt_run(three_tasks, name);
}

static void other_faults(void)
{
    if (under_qemu())
        SKIP("qemu-user ends the program before its handler of SIGSEGV has its turn");
    check_overflow(mend_and_overflow, "skt: task deep: stack overflow");
}

/* ---- Guards of every kind hold as many tasks as there are ---- */

static void sleep_once(void *unused)
{
    (void)unused;
    CHECK_INT(skt_sleep(1e-3), 0);
    begun++;
}

static void start_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        go(sleep_once, NULL);
}

static void fallbacks(void)
{
    for (int kind = 0; kind < 3; kind++) {
        begun = 0;
        real = skti_sys;
        if (kind > 0)
            skti_sys.madvise = no_guards;
        if (kind > 1)
            skti_sys.mprotect = no_protection;
        run_tasks(start_many, NULL);
        skti_sys = real;
        CHECK_INT(begun, 1000);
    }
}

/* ---- A child of fork(2) ---- */

static skt *pair[2];

static void receive_in_parent(void *unused)
{
    char c;
    (void)unused;
    CHECK_INT(skt_recv(pair[0], &c, 1, 0), 1);
    step('p');
}

static void receive_in_child(void *unused)
{
    char c;
    (void)unused;
    CHECK_INT(skt_recv(pair[0], &c, 1, 0), 1);
    CHECK_INT(skt_sleep(1e-4), 0);
    step('c');
}

static void send_in_child(void *unused)
{
    (void)unused;
    skt_yield();
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
}

static void tasks_in_child(void *unused)
{
    (void)unused;
    go(receive_in_child, NULL);
    go(send_in_child, NULL);
}

static void be_child(void)
{
    char c;
    skt *own[2];
    CHECK(!skt_in_task());
    CHECK_ERRNO(skt_go(nothing, NULL), EPERM);
    CHECK_INT(skt_socketpair(0, 0, 0, own), 0);
    CHECK_INT(skt_settimeout(own[0], 0.001), 0);
    CHECK_ERRNO(skt_recv(own[0], &c, 1, 0), ETIMEDOUT);
    run_tasks(tasks_in_child, NULL);
    CHECK_STR(steps, "c"); /* the parent's task, which waits in the same socket, did not go on here */
    CHECK_INT(skt_close(pair[0]), 0);
}

static void fork_and_wait(void *unused)
{
    int status;
    (void)unused;
    go(receive_in_parent, NULL);
    skt_yield();
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        be_child();
        return; /* the end of the child */
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
}

static void forks(void)
{
    steps_begin();
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    run_tasks(fork_and_wait, NULL);
    CHECK_STR(steps, "p");
    skt_close(pair[0]);
    skt_close(pair[1]);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "a task begins and ends without a call once others have", used_again },
        { "each allocation fails in its turn", without_memory },
        { "guards of three kinds", fallbacks },
        { "an overflow ends the program and names the task", overflows },
        { "other faults are the program's", other_faults },
        { "a child of a task is a plain thread", forks },
    };
    return RUN_CASES_ON_THREAD(cases);
}
