/* test_unwatch.c - what was closed is watched no more, also where others keep the same file open: or each of its
 * packets would wake the thread of an engine that has no use for it. */
#include "check.h"
#include "object.h"
#include "peer.h"
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

/* What the caller's prepare did to the new socket, is not forgotten. */
static int share_early(skt *s, void *unused)
{
    (void)unused;
    return skt_set_inheritable(s, true);
}

static void connect_and_close(void *unused)
{
    const skt_connection_options options = { .prepare = share_early };
    skt_addr addr;
    (void)unused;
    skt *server = local_server(&addr);
    int before = count_watched();
    pair[0] = skt_create_connection_with("127.0.0.1", skt_port(&addr), 10, &options);
    go(receive_all, NULL);
    settle();
    CHECK_INT(count_watched(), before + 1);
    int copy = fcntl(skti_fd(pair[0]), F_DUPFD_CLOEXEC, 0);
    CHECK_INT(skt_close(pair[0]), 0);
    settle();
    CHECK_INT(count_watched(), before);
    close(copy);
    skt_close(server);
}

static void prepared(void)
{
    run_tasks(connect_and_close, NULL);
}

/* Where nobody could know of another who has the file open, the engine is told of its events still: its struct is
 * another engine's by then, and nothing is to come of them there. */
static skt *old, *held[2], *news[2];
static int copy_of_old, come_to; /* atomic: who has come how far */

static void come(int where)
{
    __atomic_store_n(&come_to, where, __ATOMIC_RELEASE);
}

static void wait_until_come(int where, struct peer *peer)
{
    while (__atomic_load_n(&come_to, __ATOMIC_ACQUIRE) < where)
        let_pass(0.0001);
    wait_until_blocked(peer);
}

static void close_and_stay(void *unused)
{
    char c;
    (void)unused;
    old = pair[0];
    go(receive_all, NULL);
    settle();
    copy_of_old = fcntl(skti_fd(old), F_DUPFD_CLOEXEC, 0);
    CHECK_INT(skt_close(old), 0);
    come(1);
    CHECK_INT(skt_recv(held[0], &c, 1, 0), 1);
    CHECK_INT(skt_sendall(held[0], "y", 1, 0), 0);
    CHECK_INT(skt_recv(held[0], &c, 1, 0), 0);
}

static void wait_in_the_same(void *unused)
{
    skt *others[300][2];
    pthread_t me = pthread_self();
    size_t n = 0;
    char c;
    (void)unused;
    for (;;) {
        CHECK(n < sizeof others / sizeof *others);
        CHECK_INT(skt_socketpair(0, 0, 0, others[n]), 0);
        if (others[n][0] == old || others[n][1] == old)
            break;
        n++;
    }
    news[0] = old;
    news[1] = others[n][others[n][0] == old];
    come(2);
    CHECK_INT(skt_recv(news[0], &c, 1, 0), 1);
    CHECK(pthread_equal(pthread_self(), me));
    for (size_t i = 0; i <= n; i++) {
        skt_close(others[i][0]);
        skt_close(others[i][1]);
    }
}

static void run_peer(void *fn)
{
    CHECK_INT(skt_run(*(void (**)(void *))fn, NULL), 0);
}

static void late_events(void)
{
    void (*fns[])(void *) = { close_and_stay, wait_in_the_same };
    struct peer peers[2];
    char c;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_INT(skt_socketpair(0, 0, 0, held), 0);
    start_thread_peer(&peers[0], run_peer, &fns[0]);
    wait_until_come(1, &peers[0]);
    start_thread_peer(&peers[1], run_peer, &fns[1]);
    wait_until_come(2, &peers[1]);
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
    CHECK_INT(skt_sendall(held[1], "x", 1, 0), 0);
    CHECK_INT(skt_recv(held[1], &c, 1, 0), 1); /* so the first has seen both */
    CHECK_INT(skt_sendall(news[1], "z", 1, 0), 0);
    join_peer(&peers[1]);
    skt_close(held[1]);
    join_peer(&peers[0]);
    skt_close(held[0]);
    skt_close(pair[1]);
    close(copy_of_old);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "a system call for it only where others may have the file", calls },
        { "nor where it was shared before it was connected", prepared },
        { "events of a file that somebody else has open reach nobody", late_events },
        { "what was closed is watched no more, whoever has it", closing },
    };
    return RUN_CASES_ON_THREAD(cases);
}
