/* test_dump.c - what every task is doing: skt_dump's lines, by a call and by a signal. */
#include "check.h"
#include "peer.h"
#include "task.h"
#include "task_time.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Lines ---- */

static char text[65536];

/* What skt_dump writes. */
static void take_dump(void)
{
    int fds[2];
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    skt_dump(fds[1]);
    close(fds[1]);
    size_t used = 0;
    ssize_t n;
    while ((n = read(fds[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    close(fds[0]);
}

/* The line of a task, as "what", for how long, until when (-1: for ever), and its stack now (0: it runs) and at most.
 */
struct line {
    char what[256];
    double since, until;
    unsigned long now, most;
};

static struct line line_of(const char *task)
{
    struct line l = { .until = -1 };
    char key[64];
    snprintf(key, sizeof key, "\n  task %s ", task);
    const char *at = strstr(text, key);
    if (!at)
        check_failed(__FILE__, __LINE__, "no task %s in:\n%s", task, text);
    at += strlen(key);
    const char *semicolon = strchr(at, ';'), *since = strstr(at, ", for "), *until = strstr(at, ", until in ");
    CHECK(semicolon);
    const char *end = since && since < semicolon ? since : semicolon;
    snprintf(l.what, sizeof l.what, "%.*s", (int)(end - at), at);
    if (since && since < semicolon)
        CHECK_INT(sscanf(since, ", for %lf s", &l.since), 1);
    if (until && until < semicolon)
        CHECK_INT(sscanf(until, ", until in %lf s", &l.until), 1);
    if (sscanf(semicolon, "; stack %lu bytes now, %lu at most\n", &l.now, &l.most) != 2) {
        l.now = 0;
        CHECK_INT(sscanf(semicolon, "; stack %lu at most\n", &l.most), 1);
    }
    return l;
}

static size_t lines(void)
{
    size_t n = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        n++;
    return n;
}

/* ---- Tasks of all kinds ---- */

static skt *ends[2], *tcp[2];
static skt_group *group;

static void receive(void *unused)
{
    char c;
    (void)unused;
    skt_name_task("reader");
    CHECK_INT(skt_recv(ends[0], &c, 1, 0), -1);
}

static void receive_tcp(void *unused)
{
    char c;
    (void)unused;
    skt_name_task("a name that is longer than there is room");
    CHECK_INT(skt_settimeout(tcp[0], 30), 0);
    CHECK_INT(skt_recv(tcp[0], &c, 1, 0), -1);
}

static void send_all(void *unused)
{
    (void)unused;
    skt_name_task("writer");
    fill_up(ends[0]);
    CHECK_INT(skt_send(ends[0], "x", 1, 0), -1);
}

static void sleep_long(void *unused)
{
    volatile char deep[40000];
    (void)unused;
    skt_name_task("sleeper");
    for (size_t i = 0; i < sizeof deep; i += 1000)
        deep[i] = 1;
    CHECK_INT(skt_sleep(1000), -1);
}

static void poll_long(void *unused)
{
    struct pollfd fd = { .fd = -1 };
    (void)unused;
    CHECK_INT(skt_poll(&fd, 1, 1000), -1); /* no name: by number */
}

static void wait_for_group(void *arg)
{
    skt_name_task("waiter");
    CHECK_INT(skt_group_wait(arg), -1);
}

static void be_ready(void *unused)
{
    (void)unused;
    skt_name_task("ready");
    skt_yield();
}

static void look(void *unused)
{
    char expected[256], peer_text[SKT_ADDR_TEXT_MAX];
    skt_addr peer;
    (void)unused;
    skt_name_task("main");
    skt_name_task(NULL);
    group = skt_group_new();
    CHECK_INT(skt_group_go(group, receive, NULL), 0);
    CHECK_INT(skt_group_go(group, receive_tcp, NULL), 0);
    CHECK_INT(skt_group_go(group, send_all, NULL), 0);
    CHECK_INT(skt_group_go(group, sleep_long, NULL), 0);
    CHECK_INT(skt_group_go(group, poll_long, NULL), 0);
    skt_group *other = skt_group_new();
    CHECK_INT(skt_group_go(other, wait_for_group, group), 0);
    CHECK_INT(skt_sleep(2.5), 0);
    go(be_ready, NULL);
    skt_yield();
    errno = 77;
    take_dump();
    CHECK_INT(errno, 77);
    snprintf(expected, sizeof expected, "skt: tasks of process %d, thread %d: 8\n", getpid(), (int)syscall(SYS_gettid));
    CHECK(!strncmp(text, expected, strlen(expected)));
    CHECK_INT(lines(), 9);
    CHECK_STR(line_of("main").what, "runs");
    CHECK_STR(line_of("ready").what, "is ready");
    snprintf(expected, sizeof expected, "waits to receive on descriptor %d", skt_fileno(ends[0]));
    struct line l = line_of("reader");
    CHECK_STR(l.what, expected);
    CHECK(l.since == 2.5 && l.until == -1);
    snprintf(expected, sizeof expected, "waits to send on descriptor %d", skt_fileno(ends[0]));
    CHECK_STR(line_of("writer").what, expected);
    CHECK_INT(skt_getpeername(tcp[0], &peer), 0);
    snprintf(expected, sizeof expected, "waits to receive on descriptor %d, peer %s", skt_fileno(tcp[0]),
             skt_addr_text(&peer, peer_text, sizeof peer_text));
    l = line_of("a name that is longer t");
    CHECK_STR(l.what, expected);
    CHECK(l.since == 2.5 && l.until == 27.5);
    l = line_of("sleeper");
    CHECK_STR(l.what, "waits for time to pass");
    CHECK(l.until == 997.5 && l.most <= 65536 && l.most % (unsigned long)sysconf(_SC_PAGESIZE) == 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
    CHECK(l.now >= 40000 && l.most > l.now); /* AddressSanitizer has arrays elsewhere */
#endif
    CHECK_STR(line_of("6").what, "waits for descriptors");
    CHECK_STR(line_of("waiter").what, "waits for a group of tasks");
    l = line_of("reader");
    CHECK(l.now > 0 && l.now < l.most);
    CHECK_INT(line_of("main").now, 0);
    CHECK_INT(skt_group_close(other), 0);
    CHECK_INT(skt_group_close(group), 0);
    take_dump();
    CHECK_INT(lines(), 2); /* "main" is left */
    skt_dump(-1);          /* nowhere: nothing happens */
}

static void by_call(void)
{
    take_dump();
    CHECK_STR(text, ""); /* no tasks here */
    skt_name_task("nobody");
    CHECK_INT(skt_socketpair(0, 0, 0, ends), 0);
    tcp_pair(tcp);
    task_time_begin();
    run_tasks(look, NULL);
    task_time_end();
    for (int i = 0; i < 2; i++) {
        skt_close(ends[i]);
        skt_close(tcp[i]);
    }
}

/* Stacks of more pages than one look of the kernel's takes in. */
static void touch_much(void *unused)
{
    volatile char deep[1300000];
    (void)unused;
    skt_name_task("large");
    for (size_t i = 0; i < sizeof deep; i += 1000)
        deep[i] = 1;
    take_dump();
}

static void large_stacks(void)
{
    const skt_run_options options = { .stack_size = 2 << 20 };
    CHECK_INT(skt_run_with(touch_much, NULL, &options), 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
    CHECK(line_of("large").most >= 1300000);
#endif
    CHECK(line_of("large").most <= 2 << 20);
}

/* ---- By a signal ---- */

static volatile bool stop;
static int started;

/* Never waits: between its turns no other has one.  (The sanitizers deliver signals in such calls only.) */
static void spin(void *own_name)
{
    struct timespec moment = { .tv_nsec = 1000 };
    skt_name_task(own_name);
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    while (!stop)
        nanosleep(&moment, NULL);
}

static void sleep_for_ever(void *unused)
{
    (void)unused;
    skt_name_task("sleeper");
    skt_sleep(SKT_NO_TIMEOUT);
}

static void spin_beside_sleeper(void *own_name)
{
    go(sleep_for_ever, NULL);
    skt_yield();
    spin(own_name);
}

static void *spin_on_thread(void *own_name)
{
    skt_run(spin_beside_sleeper, own_name);
    return NULL;
}

static void announce_and_sleep(void *unused)
{
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    sleep_for_ever(unused);
}

static void *wait_on_thread(void *unused)
{
    skt_run(announce_and_sleep, unused);
    return NULL;
}

static char names[][8] = { "one", "two" };

/* A program of its own: ThreadSanitizer allows a child of fork(2) no threads. */
static void threads_that_dump(bool by_raise)
{
    pthread_t threads[3];
    CHECK_INT(skt_dump_on_signal(SIGUSR1), 0);
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, spin_on_thread, names[i]), 0);
    CHECK_INT(pthread_create(&threads[2], NULL, wait_on_thread, NULL), 0);
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < 3)
        usleep(100);
    usleep(20000); /* so that the third sleeps in its engine, mostly */
    if (by_raise)
        raise(SIGUSR1);
    else
        kill(getpid(), SIGUSR1);
    for (;;)
        usleep(1000); /* until the parent has seen enough */
}

static void serve_for_ever(skt *conn, void *unused)
{
    char c;
    (void)unused;
    skt_recv(conn, &c, 1, 0);
}

/* Dumps again and again, since its threads may not be there yet. */
static void server_that_dumps(void)
{
    struct itimerval often = { .it_interval.tv_usec = 100000, .it_value.tv_usec = 100000 };
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK_INT(skt_dump_on_signal(SIGALRM), 0);
    CHECK_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
    skt_serve(server, serve_for_ever, NULL, &(skt_serve_options){ .threads = 3 });
    _exit(0);
}

/* Reads until it has seen all of it; a test that hangs has failed. */
static void read_until(int fd, size_t wanted)
{
    size_t used = 0;
    ssize_t n;
    text[0] = '\0';
    while (lines() < wanted && (n = read(fd, text + used, sizeof text - 1 - used)) > 0) {
        used += (size_t)n;
        text[used] = '\0';
    }
}

static size_t count(const char *words)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, words)); at++)
        n++;
    return n;
}

/* Runs this program in that role, until it has written so many lines. */
static void read_lines_of(const char *role, size_t wanted)
{
    int fds[2], status;
    char self[4096] = ""; /* a path: under valgrind the link itself leads to valgrind */
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        execl(self, "test_dump", role, NULL);
        _exit(127);
    }
    close(fds[1]);
    read_until(fds[0], wanted);
    kill(child, SIGKILL);
    CHECK_INT(waitpid(child, &status, 0), child);
    close(fds[0]);
}

static void by_signal(void)
{
    if (under_qemu())
        SKIP("under qemu-user a program cannot run itself again");
    for (int by_raise = 0; by_raise < 2; by_raise++) {
        read_lines_of(by_raise ? "raise" : "kill", 8);
        CHECK_INT(count("skt: tasks of process "), 3);
        CHECK_INT(count("  task one runs; stack "), 1);
        CHECK_INT(count("  task two runs; stack "), 1);
        CHECK_INT(count("  task sleeper "), 3);
    }
}

static void by_signal_in_a_server(void)
{
    if (under_qemu())
        SKIP("under qemu-user a program cannot run itself again");
    unsigned long thread, seen[8];
    size_t threads = 0;
    read_lines_of("serve", 60);
    for (const char *at = text; threads < 8 && (at = strstr(at, ", thread ")); at++) {
        size_t i = 0;
        CHECK_INT(sscanf(at, ", thread %lu: ", &thread), 1);
        while (i < threads && seen[i] != thread)
            i++;
        if (i == threads)
            seen[threads++] = thread;
    }
    CHECK_INT(threads, 3);
    CHECK(count("  task accept waits to receive ") > 0);
}

static void wrong_signals(void)
{
    CHECK_ERRNO(skt_dump_on_signal(SIGKILL), EINVAL);
    CHECK_ERRNO(skt_dump_on_signal(-1), EINVAL);
    CHECK_ERRNO(skt_dump_on_signal(1000), EINVAL);
    CHECK(!strncmp(skt_strerror(), "dump_on_signal: ", 16));
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "serve"))
        server_that_dumps();
    if (argc > 1)
        threads_that_dump(!strcmp(argv[1], "raise"));
    static const struct test_case cases[] = {
        { "a line for each task", by_call },
        { "a stack of many pages", large_stacks },
        { "a signal makes every thread dump, also one that never waits", by_signal },
        { "and every thread of skt_serve", by_signal_in_a_server },
        { "signals that cannot be had", wrong_signals },
    };
    return RUN_CASES_ON_THREAD(cases);
}
