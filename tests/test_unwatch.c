/* test_unwatch.c - what was closed is watched no more, also where others keep the same file open: or each of its
 * packets would wake the thread of an engine that has no use for it. */
#include "check.h"
#include "sys.h"
#include "task_time.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <skt.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static skt *pair[2];

static int count_in(const char *number)
{
    char path[300], line[256];
    int n = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%s", number);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        n += strncmp(line, "tfd:", 4) == 0;
    if (file)
        fclose(file);
    return n;
}

/* How many descriptors the epolls of this process watch (proc(5)). */
static int count_watched(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/fdinfo");
    CHECK(folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        n += count_in(entry->d_name);
    if (folder)
        closedir(folder);
    return n;
}

static void receive_all(void *unused)
{
    char buf[8];
    (void)unused;
    while (skt_recv(pair[0], buf, sizeof buf, 0) > 0)
        ;
    step('.');
}

/* One end is watched; `share` gives its file to somebody who keeps it; then it is closed. */
static void closed_after(int (*share)(skt *s), void (*end)(int shared))
{
    int before = count_watched();
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    go(receive_all, NULL);
    settle();
    CHECK_INT(count_watched(), before + 1);
    int shared = share(pair[0]);
    CHECK_INT(count_watched(), before + 1);
    CHECK_INT(skt_close(pair[0]), 0);
    settle();
    CHECK_INT(count_watched(), before);
    end(shared);
    skt_close(pair[1]);
}

static int keep_alone(skt *s)
{
    (void)s;
    return 0;
}

static void nothing(int unused)
{
    (void)unused;
}

static int copy_by_number(skt *s)
{
    int copy = fcntl(skt_fileno(s), F_DUPFD_CLOEXEC, 0);
    CHECK(copy >= 0);
    return copy;
}

static void close_copy(int copy)
{
    CHECK_INT(close(copy), 0);
}

static skt *copies[2];

static int copy_by_library(skt *s)
{
    CHECK((copies[0] = skt_dup(s)));
    CHECK((copies[1] = skt_dup(copies[0])));
    return 0;
}

static void close_copies(int unused)
{
    (void)unused;
    skt_close(copies[0]);
    skt_close(copies[1]);
}

static int lend(skt *s)
{
    pid_t child = fork();
    (void)s;
    if (child == 0) {
        pause();
        _exit(0);
    }
    CHECK(child > 0);
    return child;
}

static void end_child(int child)
{
    CHECK_INT(kill(child, SIGKILL), 0);
    CHECK_INT(waitpid(child, NULL, 0), child);
}

static void close_in_every_way(void *unused)
{
    (void)unused;
    closed_after(keep_alone, nothing);
    closed_after(copy_by_number, close_copy);
    closed_after(copy_by_library, close_copies);
    closed_after(lend, end_child);
    closed_after(keep_alone, nothing); /* since there are others now, who may have what was open */
}

static void closing(void)
{
    steps_begin();
    run_tasks(close_in_every_way, NULL);
    CHECK_STR(steps, ".....");
}

/* An inheritable one is a program's that is started without fork(2), too (vfork, posix_spawn). */
static int inherit(skt *s)
{
    CHECK_INT(skt_set_inheritable(s, true), 0);
    return 0;
}

static int removed;
static int (*real_ctl)(int epoll, int operation, int fd, struct epoll_event *event);

static int count_removals(int epoll, int operation, int fd, struct epoll_event *event)
{
    removed += operation == EPOLL_CTL_DEL;
    return real_ctl(epoll, operation, fd, event);
}

static void close_and_count(void *unused)
{
    (void)unused;
    real_ctl = skti_sys.epoll_ctl;
    skti_sys.epoll_ctl = count_removals;
    closed_after(keep_alone, nothing);
    CHECK_INT(removed, 0); /* close(2) does it */
    closed_after(inherit, nothing);
    CHECK_INT(removed, 1);
    skti_sys.epoll_ctl = real_ctl;
}

static void calls(void)
{
    run_tasks(close_and_count, NULL);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "a system call for it only where others may have the file", calls },
        { "what was closed is watched no more, whoever has it", closing },
    };
    return RUN_CASES_ON_THREAD(cases);
}
