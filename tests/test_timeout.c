/* test_timeout.c - one timeout bounds the whole call, whatever happens inside. */
#include "check.h"
#include "fake_time.h"
#include "peer.h"
#include "sys.h"
#include "wait.h"
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* The call failed with our own timeout after just so many seconds. */
#define CHECK_TIMED_OUT(call, seconds)                                                                                 \
    do {                                                                                                               \
        fake_time_begin();                                                                                             \
        CHECK_ERRNO(call, ETIMEDOUT);                                                                                  \
        CHECK_INT(skt_error_record()->domain, SKT_ERROR_TIMEOUT);                                                      \
        CHECK(skt_timed_out() && strstr(skt_strerror(), "timed out"));                                                 \
        CHECK_INT(fake_slept, (int64_t)((seconds)*1e9));                                                               \
        fake_time_end();                                                                                               \
    } while (0)

static char byte[1];

static void receiving(void)
{
    skt *pair[2];
    skt_addr from;
    struct iovec iov = { byte, 1 };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt_datagram d = { .data = NULL };
    int fd = -1, msg_flags;
    size_t nfds = 1;
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    CHECK_INT(skt_settimeout(pair[0], 3600), 0);
    CHECK_TIMED_OUT(skt_recv(pair[0], byte, 1, 0), 3600);
    CHECK_TIMED_OUT(skt_recvfrom(pair[0], byte, 1, 0, &from), 3600);
    CHECK_TIMED_OUT(skt_recvmsg(pair[0], &msg, 0), 3600);
    CHECK_TIMED_OUT(skt_recvmmsg(pair[0], &d, 1, byte, 1, 0), 3600);
    CHECK_TIMED_OUT(skt_recv_fds(pair[0], byte, 1, &fd, &nfds, 0, &msg_flags), 3600);
    CHECK_INT(skt_settimeout(pair[0], 0.25), 0);
    CHECK_TIMED_OUT(skt_recv(pair[0], byte, 1, 0), 0.25);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void accepting_and_connecting(void)
{
    skt *server = skt_create_server(skt_abstract("skt-test-timeout", 16), &(skt_server_options){ .backlog = 1 });
    skt *s[4];
    CHECK_INT(skt_settimeout(server, 7), 0);
    CHECK_TIMED_OUT(skt_accept(server, NULL), 7);
    for (int i = 0; i < 4; i++) {
        s[i] = skt_socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_INT(skt_settimeout(s[i], 5), 0);
    }
    CHECK_INT(skt_connect(s[0], skt_abstract("skt-test-timeout", 16)), 0);
    CHECK_INT(skt_connect(s[1], skt_abstract("skt-test-timeout", 16)), 0);
    CHECK_TIMED_OUT(skt_connect(s[2], skt_abstract("skt-test-timeout", 16)), 5);
    CHECK_STR(skt_strerror(), "connect unix-abstract:skt-test-timeout: timed out");
    fake_time_begin();
    CHECK_INT(skt_connect_ex(s[3], skt_abstract("skt-test-timeout", 16)), EAGAIN); /* as in Python */
    fake_time_end();
    for (int i = 0; i < 4; i++)
        skt_close(s[i]);
    skt_close(server);
}

/* connect(2) that never ends, as to a host that does not answer. */
static int black_hole(int fd, const struct sockaddr *sa, socklen_t len)
{
    (void)fd;
    (void)sa;
    (void)len;
    errno = EINPROGRESS;
    return -1;
}

static void black_holes(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    struct skti_sys before = skti_sys;
    CHECK_INT(skt_settimeout(s, 20), 0);
    fake_time_begin();
    skti_sys.connect = black_hole;
    fake_time_silence();
    CHECK_ERRNO(skt_connect(s, skt_inet("127.0.0.1", 80)), ETIMEDOUT);
    CHECK_STR(skt_strerror(), "connect 127.0.0.1:80: timed out");
    CHECK_INT(fake_slept, 20 * SECOND);
    fake_slept = 0;
    CHECK(skt_create_connection("127.0.0.1", 80, 2.5) == NULL && errno == ETIMEDOUT);
    CHECK_STR(skt_strerror(), "connect 127.0.0.1 (127.0.0.1:80): timed out");
    CHECK_INT(fake_slept, 5 * SECOND / 2);
    fake_time_end();
    skti_sys = before;
    skt_close(s);
}

static int kernel_gave_up(int fd, const struct sockaddr *sa, socklen_t len)
{
    (void)fd;
    (void)sa;
    (void)len;
    errno = ETIMEDOUT;
    return -1;
}

static void the_kernels_own_timeout(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    struct skti_sys before = skti_sys;
    CHECK_INT(skt_settimeout(s, 20), 0);
    fake_time_begin();
    skti_sys.connect = kernel_gave_up;
    CHECK_ERRNO(skt_connect(s, skt_inet("127.0.0.1", 80)), ETIMEDOUT);
    CHECK(!skt_timed_out());
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_SYSTEM);
    CHECK_STR(skt_strerror(), "connect 127.0.0.1:80: Connection timed out");
    CHECK_INT(skt_connect_ex(s, skt_inet("127.0.0.1", 80)), ETIMEDOUT);
    fake_time_end();
    skti_sys = before;
    skt_close(s);
}

/* The peer takes a little now and then: each piece would be in time, all of them are not. */
static int slow_reader, writer;

static bool sip(int64_t left)
{
    char some[20000];
    struct pollfd room = { .fd = writer, .events = POLLOUT };
    if (left <= SECOND)
        return false;
    fake_time_pass(SECOND); /* after a second there is room */
    while (poll(&room, 1, 0) == 0)
        CHECK(recv(slow_reader, some, sizeof some, MSG_DONTWAIT) > 0);
    return true;
}

static void one_deadline_for_all_of_sendall(void)
{
    skt *pair[2];
    static char much[8 << 20];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    writer = skt_fileno(pair[0]);
    slow_reader = skt_fileno(pair[1]);
    CHECK_INT(skt_settimeout(pair[0], 10), 0);
    fake_time_begin();
    fake_time_event(sip);
    CHECK_ERRNO(skt_sendall(pair[0], much, sizeof much, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_INT(fake_slept, 10 * SECOND);
    size_t done = skt_error_record()->done;
    fake_time_end();
    CHECK(done > 100000 && done < sizeof much);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void sending_to_the_full(void)
{
    skt *pair[2];
    char name[] = "/tmp/skt-test-XXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 1 << 20) == 0);
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    fill_up(pair[0]);
    CHECK_INT(skt_settimeout(pair[0], 3), 0);
    struct iovec iov = { byte, 1 };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    CHECK_TIMED_OUT(skt_send(pair[0], "x", 1, 0), 3);
    CHECK_TIMED_OUT(skt_sendmsg(pair[0], &msg, 0), 3);
    CHECK_TIMED_OUT(skt_send_fds(pair[0], "x", 1, &fd, 1, 0), 3);
    CHECK_TIMED_OUT(skt_sendfile(pair[0], fd, 0, 0), 3);
    CHECK_INT(skt_error_record()->done, 0);
    close(fd);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* An unconnected datagram socket is always writable, says poll, however full the target. */
static void full_datagram_queue_does_not_spin(void)
{
    skt *target = skt_socket(AF_UNIX, SOCK_DGRAM, 0), *s = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    skt_addr addr;
    skt_datagram d = { .data = byte, .len = 1, .addr = &addr };
    CHECK_INT(skt_bind(target, skt_unix("")), 0);
    CHECK_INT(skt_getsockname(target, &addr), 0);
    while (skt_sendto(s, "x", 1, MSG_DONTWAIT, addr) == 1)
        ;
    CHECK_INT(errno, EAGAIN);
    CHECK_INT(skt_settimeout(s, 1), 0);
    CHECK_TIMED_OUT(skt_sendto(s, "x", 1, 0, addr), 1);
    CHECK(fake_waits < 200); /* 16 ms apart and not a million */
    CHECK_TIMED_OUT(skt_sendmmsg(s, &d, 1, 0), 1);
    skt_close(s);
    skt_close(target);
}

/* ---- Names ---- */

static void names(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    skt_addrinfo *list;
    char host[100];
    silence_resolver();
    CHECK_INT(skt_settimeout(s, 30), 0);
    CHECK_TIMED_OUT(skt_connect(s, skt_inet("name.invalid", 80)), 30);
    CHECK_STR(skt_strerror(), "connect name.invalid: timed out");
    CHECK_TIMED_OUT(skt_create_connection("name.invalid", 80, 12), 12);
    CHECK_TIMED_OUT(skt_getaddrinfo("name.invalid", NULL, 0, 0, 0, 0, 4, &list), 4);
    CHECK_TIMED_OUT(skt_gethostbyname("name.invalid", host, sizeof host, 4), 4);
    release_resolver();
    skt_close(s);
}

/* ---- Setting ---- */

static bool nonblocking(skt *s)
{
    return fcntl(skt_fileno(s), F_GETFL) & O_NONBLOCK;
}

static void modes(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(!nonblocking(s) && skt_getblocking(s) && skt_gettimeout(s) == SKT_NO_TIMEOUT);
    CHECK_INT(skt_settimeout(s, 2.5), 0);
    CHECK(nonblocking(s) && skt_getblocking(s) && skt_gettimeout(s) == 2.5);
    CHECK_INT(skt_settimeout(s, 0), 0);
    CHECK(nonblocking(s) && !skt_getblocking(s) && skt_gettimeout(s) == 0);
    CHECK_INT(skt_setblocking(s, true), 0);
    CHECK(!nonblocking(s) && skt_gettimeout(s) == SKT_NO_TIMEOUT);
    CHECK_INT(skt_setblocking(s, false), 0);
    CHECK(nonblocking(s) && skt_gettimeout(s) == 0);
    CHECK_ERRNO(skt_recv(s, byte, 1, 0), EAGAIN);
    CHECK(!skt_timed_out());
    CHECK_INT(skt_settimeout(s, SKT_NO_TIMEOUT), 0);
    CHECK(!nonblocking(s));
    skt_close(s);
}

static void times_that_are_none(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    const double bad[] = { -0.5, -2, -INFINITY, INFINITY, NAN, 9.1e9, 1e300 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERRNO(skt_settimeout(s, bad[i]), EINVAL);
        CHECK(strstr(skt_strerror(), "is no timeout"));
        CHECK_ERRNO(skt_setdefaulttimeout(bad[i]), EINVAL);
        CHECK_ERRNO(skt_create_connection("127.0.0.1", 80, bad[i]), EINVAL);
    }
    CHECK(skt_gettimeout(s) == SKT_NO_TIMEOUT && skt_getdefaulttimeout() == SKT_NO_TIMEOUT);
    skt_close(s);
}

static void tiny_is_not_none(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(skt_settimeout(s, 1e-12), 0);
    CHECK(skt_gettimeout(s) > 0);
    CHECK_ERRNO(skt_recv(s, byte, 1, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_INT(skt_settimeout(s, 9e9), 0);
    CHECK_TIMED_OUT(skt_recv(s, byte, 1, 0), 9e9);
    skt_close(s);
}

static void default_timeout(void)
{
    skt *pair[2], *dup;
    skt_addr addr;
    CHECK_INT(skt_setdefaulttimeout(3), 0);
    CHECK(skt_getdefaulttimeout() == 3);
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_setdefaulttimeout(SKT_NO_TIMEOUT), 0);
    CHECK(skt_gettimeout(pair[0]) == 3 && nonblocking(pair[0]) && skt_gettimeout(server) == 3);
    CHECK_INT(skt_connect(s, addr), 0);
    skt *conn = skt_accept(server, NULL); /* the default, not the listener's */
    CHECK(skt_gettimeout(conn) == SKT_NO_TIMEOUT && !nonblocking(conn));
    dup = skt_dup(s);
    CHECK(skt_gettimeout(dup) == 3);
    skt *own = skt_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(skt_gettimeout(own) == 0 && skt_type(own) == SOCK_STREAM);
    skt *all[] = { pair[0], pair[1], server, s, conn, dup, own };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        skt_close(all[i]);
}

/* accept, connect and sendfile make the descriptor non-blocking while they wait, and only then. */
static void connect_gives_the_mode_back(void)
{
    skt_addr addr;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, addr), 0);
    CHECK(!nonblocking(s));
    skt_close(s);
    skt_close(server);
}

static void send_file(void *arg)
{
    char name[] = "/tmp/skt-test-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    CHECK(fd >= 0 && unlink(name) == 0 && write(fd, "file", 4) == 4);
    CHECK_INT(skt_sendfile(arg, fd, 0, 0), 4);
    close(fd);
}

static void sendfile_gives_the_mode_back(void)
{
    skt *pair[2];
    struct peer peer;
    char some[4096];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    size_t left = fill_up(pair[0]) + 4;
    start_peer(&peer, send_file, pair[0]);
    wait_until_blocked(&peer);
    CHECK(nonblocking(pair[0]) || skti_alone());
    while (left > 0) {
        ssize_t n = skt_recv(pair[1], some, sizeof some, 0);
        CHECK(n > 0);
        left -= (size_t)n;
    }
    join_peer(&peer);
    CHECK(!nonblocking(pair[0]));
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void detach_gives_a_mode_back(void)
{
    skt_addr addr;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, addr), 0);
    skt_close(skt_accept(server, NULL));
    skt_close(s);
    int fd = skt_detach(server);
    CHECK(fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
    close(fd);
}

static void accept_one(void *arg)
{
    skt *conn = skt_accept(arg, NULL);
    CHECK(conn != NULL);
    skt_close(conn);
}

static void accept_gives_the_mode_back(void)
{
    skt_addr addr;
    skt *server = local_server(&addr);
    struct peer peer[2];
    for (int i = 0; i < 2; i++)
        start_peer(&peer[i], accept_one, server);
    for (int i = 0; i < 2; i++)
        wait_until_blocked(&peer[i]);
    CHECK(nonblocking(server));
    for (int i = 0; i < 2; i++) {
        skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(skt_connect(s, addr), 0);
        skt_close(s);
    }
    for (int i = 0; i < 2; i++)
        join_peer(&peer[i]);
    CHECK(!nonblocking(server));
    skt_close(server);
}

static void waitall(void)
{
    skt *pair[2];
    char buf[8];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_INT(skt_settimeout(pair[0], 6), 0);
    CHECK_INT(skt_sendall(pair[1], "abc", 3, 0), 0);
    fake_time_begin();
    CHECK_INT(skt_recv(pair[0], buf, sizeof buf, MSG_WAITALL), 3); /* what came in time */
    CHECK_INT(fake_slept, 6 * SECOND);
    fake_time_end();
    CHECK_TIMED_OUT(skt_recv(pair[0], buf, sizeof buf, MSG_WAITALL), 6);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "receiving", receiving },
        { "accept, and connect to a full queue", accepting_and_connecting },
        { "connect to hosts that do not answer", black_holes },
        { "the kernel's own ETIMEDOUT is told apart", the_kernels_own_timeout },
        { "one deadline for all of sendall", one_deadline_for_all_of_sendall },
        { "sending to a peer that does not read", sending_to_the_full },
        { "a full datagram queue does not make us spin", full_datagram_queue_does_not_spin },
        { "names", names },
        { "the descriptor's mode goes with the timeout", modes },
        { "times that are none are refused", times_that_are_none },
        { "a tiny timeout is not 0, and a huge one works", tiny_is_not_none },
        { "the default timeout, and who gets it", default_timeout },
        { "connect gives the mode back", connect_gives_the_mode_back },
        { "and so does sendfile", sendfile_gives_the_mode_back },
        { "and a descriptor that is handed back has it", detach_gives_a_mode_back },
        { "accept gives the mode back", accept_gives_the_mode_back,
          ON_THREAD }, /* a task keeps it, and saves two system calls each time */
        { "MSG_WAITALL gives what came in time", waitall },
    };
    return RUN_CASES(cases);
}
