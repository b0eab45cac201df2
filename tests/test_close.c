/* test_close.c - skt_close and skt_detach while other threads are in a call: they
 * return with EBADF and never touch a descriptor that somebody else has been
 * given. */
#include "check.h"
#include "object.h"
#include "peer.h"
#include "sys.h"
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A call that waits in s, and what came of it. */
struct waiting {
    skt *s;
    ssize_t (*call)(skt *s);
    ssize_t result;
    int code;
    char sentence[256];
};

static void wait_in_call(void *arg)
{
    struct waiting *w = arg;
    w->result = w->call(w->s);
    w->code = errno;
    snprintf(w->sentence, sizeof w->sentence, "%s", skt_strerror());
}

/* end: skt_close, or skt_detach by end_by_detach. */
static int end_by_close(skt *s)
{
    return skt_close(s);
}

static int end_by_detach(skt *s)
{
    bool blocking = skt_gettimeout(s) == SKT_NO_TIMEOUT;
    int fd = skt_detach(s);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
    CHECK_INT(!(fcntl(fd, F_GETFL) & O_NONBLOCK), blocking); /* whatever the call had borrowed */
    return close(fd);
}

static void check_woken(skt *s, ssize_t (*call)(skt *s), int (*end)(skt *s))
{
    struct waiting w = { .s = s, .call = call, .result = 0 };
    struct peer peer;
    start_peer(&peer, wait_in_call, &w);
    wait_until_blocked(&peer);
    CHECK_INT(end(s), 0);
    join_peer(&peer);
    CHECK_INT(w.result, -1);
    CHECK_INT(w.code, EBADF);
    CHECK(strstr(w.sentence, "Bad file descriptor"));
}

/* ---- The calls ---- */

static char byte[1];

static ssize_t call_recv(skt *s)
{
    return skt_recv(s, byte, 1, 0);
}

static ssize_t call_recvfrom(skt *s)
{
    skt_addr from;
    return skt_recvfrom(s, byte, 1, 0, &from);
}

static ssize_t call_recvmsg(skt *s)
{
    struct iovec iov = { byte, 1 };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    return skt_recvmsg(s, &msg, 0);
}

static ssize_t call_recvmmsg(skt *s)
{
    skt_datagram d[2] = { { .data = NULL } };
    char two[2];
    return skt_recvmmsg(s, d, 2, two, sizeof two, 0);
}

static ssize_t call_accept(skt *s)
{
    skt *conn = skt_accept(s, NULL);
    return conn ? 0 : -1;
}

static ssize_t call_send(skt *s)
{
    return skt_send(s, "x", 1, 0);
}

static ssize_t call_sendall(skt *s)
{
    char much[100000] = { 0 };
    return skt_sendall(s, much, sizeof much, 0);
}

static ssize_t call_sendfile(skt *s)
{
    char name[] = "/tmp/skt-test-XXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 10 << 20) == 0);
    ssize_t n = skt_sendfile(s, fd, 0, 0);
    int code = errno;
    close(fd);
    errno = code;
    return n;
}

static int (*const ends[])(skt *s) = { end_by_close, end_by_detach };

static void receiving(void)
{
    static ssize_t (*const calls[])(skt * s) = { call_recv, call_recvfrom, call_recvmsg };
    for (size_t end = 0; end < 2; end++)
        for (size_t timeout = 0; timeout < 2; timeout++)
            for (size_t i = 0; i < 3; i++) {
                skt *pair[2];
                tcp_pair(pair);
                CHECK_INT(skt_settimeout(pair[0], timeout ? 1000 : SKT_NO_TIMEOUT), 0);
                check_woken(pair[0], calls[i], ends[end]);
                skt_close(pair[1]);
            }
}

static void datagrams(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_inet("127.0.0.1", 0)), 0);
    check_woken(s, call_recvmmsg, end_by_close);
    s = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_unix("")), 0);
    check_woken(s, call_recvfrom, end_by_close);
}

static void accepting(void)
{
    for (size_t end = 0; end < 2; end++) {
        skt_addr addr;
        check_woken(local_server(&addr), call_accept, ends[end]);
        check_woken(skt_create_server(skt_unix(""), NULL), call_accept, ends[end]);
    }
}

static void sending(void)
{
    static ssize_t (*const calls[])(skt * s) = { call_send, call_sendall, call_sendfile };
    for (size_t i = 0; i < 3; i++) {
        skt *pair[2];
        tcp_pair(pair);
        small_buffers(pair);
        fill_up(pair[0]);
        check_woken(pair[0], calls[i], end_by_close);
        skt_close(pair[1]);
    }
}

/* A listener whose queue is full, so that connect has to wait. */
static ssize_t call_connect(skt *s)
{
    return skt_connect(s, skt_abstract("skt-test-full", 13));
}

static void connecting(void)
{
    skt *server = skt_socket(AF_UNIX, SOCK_STREAM, 0), *first = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(skt_bind(server, skt_abstract("skt-test-full", 13)), 0);
    CHECK_INT(skt_listen(server, 0), 0);
    CHECK_INT(skt_connect(first, skt_abstract("skt-test-full", 13)), 0);
    check_woken(skt_socket(AF_UNIX, SOCK_STREAM, 0), call_connect, end_by_close);
    skt_close(first);
    skt_close(server);
}

/* ---- A look-up that hangs ---- */

static ssize_t call_connect_by_name(skt *s)
{
    return skt_connect(s, skt_inet("name.invalid", 80));
}

static void looking_up(void)
{
    silence_resolver();
    check_woken(skt_socket(AF_INET, SOCK_STREAM, 0), call_connect_by_name, end_by_close);
    release_resolver();
}

/* ---- Without an eventfd to be woken by ---- */

static int no_eventfd(unsigned value, int flags)
{
    (void)value;
    (void)flags;
    errno = EMFILE;
    return -1;
}

static void without_eventfd(void)
{
    int (*real)(unsigned value, int flags) = skti_sys.eventfd;
    skt *pair[2];
    skti_sys.eventfd = no_eventfd;
    tcp_pair(pair);
    check_woken(pair[0], call_recv, end_by_close);
    skt_close(pair[1]);
    skti_sys.eventfd = real;
}

/* ---- Many threads, numbers used again at once ---- */

#define READERS 4
#define ROUNDS 300

static bool stop;

/* Reads from its own socketpair that nobody but it is sent anything through; whoever reads a
 * descriptor that was closed would steal from here. */
static void own_pair(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        skt *pair[2];
        char c;
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        CHECK_INT(skt_settimeout(pair[1], 60), 0);
        CHECK_INT(skt_sendall(pair[0], "m", 1, 0), 0);
        CHECK_INT(skt_recv(pair[1], &c, 1, 0), 1);
        CHECK_INT(c, 'm');
        CHECK_INT(skt_close(pair[0]), 0);
        CHECK_INT(skt_recv(pair[1], &c, 1, 0), 0);
        CHECK_INT(skt_close(pair[1]), 0);
    }
}

static skt *shared;

static void read_shared(void *arg)
{
    (void)arg;
    char c;
    ssize_t n = skt_recv(shared, &c, 1, 0);
    CHECK(n == -1 && errno == EBADF);
}

static void numbers_used_again(void)
{
    struct peer other[2], reader[READERS];
    stop = false;
    for (int i = 0; i < 2; i++)
        start_peer(&other[i], own_pair, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        skt *pair[2];
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        shared = pair[0];
        for (int i = 0; i < READERS; i++)
            start_peer(&reader[i], read_shared, NULL);
        /* All are inside: a handle may not be used for the first time after it was closed. */
        while ((skti_state(shared) & SKTI_USERS) < 1 + READERS)
            skt_yield();
        CHECK_INT(skt_close(pair[0]), 0);
        for (int i = 0; i < READERS; i++)
            join_peer(&reader[i]);
        CHECK_INT(skt_close(pair[1]), 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        join_peer(&other[i]);
}

/* ---- FILEs go on ---- */

static void read_line(void *arg)
{
    char line[16];
    CHECK(fgets(line, sizeof line, arg) && !strcmp(line, "late\n"));
}

static void files_go_on(void)
{
    skt *pair[2];
    struct peer peer;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    FILE *file = skt_makefile(pair[0], "r");
    start_peer(&peer, read_line, file);
    wait_until_blocked(&peer);
    CHECK_INT(skt_close(pair[0]), 0);
    CHECK_INT(skt_sendall(pair[1], "late\n", 5, 0), 0);
    join_peer(&peer);
    CHECK_INT(fclose(file), 0);
    CHECK_INT(skt_recv(pair[1], byte, 1, 0), 0);
    skt_close(pair[1]);
}

/* Only these, since memcheck has descriptors of its own that come and go. */
static int count_eventfds(void)
{
    int n = 0;
    char path[32], target[32];
    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(path, target, sizeof target);
        n += len > 0 && !strncmp(target, "anon_inode:[eventfd]", (size_t)len);
    }
    return n;
}

static void fork_keeps_wakers_apart(void)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    check_woken(pair[0], call_recv, end_by_close); /* an eventfd is kept now: there is a socket left */
    /* Told through memory: memcheck has ideas of its own about the exit status. */
    int *in_child = mmap(NULL, sizeof *in_child, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(in_child != MAP_FAILED);
    int before = count_eventfds();
    pid_t child = fork();
    if (child == 0) {
        *in_child = count_eventfds();
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_INT(*in_child, before - 1);
    munmap(in_child, sizeof *in_child);
    skt_close(pair[1]);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "skt_close and skt_detach wake recv, recvfrom and recvmsg", receiving },
        { "and datagram calls", datagrams },
        { "and accept", accepting },
        { "and send, sendall and sendfile", sending },
        { "and connect", connecting },
        { "and a look-up", looking_up },
        { "also if no eventfd can be had", without_eventfd },
        { "no call touches a number that was given to somebody else", numbers_used_again },
        { "a FILE goes on after skt_close", files_go_on },
        { "a child does not inherit what wakes us", fork_keeps_wakers_apart },
    };
    return RUN_CASES(cases);
}
