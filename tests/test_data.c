/* test_data.c - bytes and datagrams over TCP, UDP and AF_UNIX. */
#include "check.h"
#include "object.h"
#include "peer.h"
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUCH (4 << 20)

static char *block(void)
{
    char *data = malloc(MUCH);
    CHECK(data != NULL);
    for (size_t i = 0; i < MUCH; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    return data;
}

/* What arrives, until the peer ends. */
struct sink {
    skt *s;
    char *data;
    size_t n;
};

static void receive_all(void *arg)
{
    struct sink *sink = arg;
    ssize_t n;
    while ((n = skt_recv(sink->s, sink->data + sink->n, MUCH + 1 - sink->n, 0)) > 0)
        sink->n += (size_t)n;
    CHECK_INT(n, 0);
}

static void check_bulk(skt *from, skt *to, int (*transmit)(skt *s, const char *data))
{
    char *data = block();
    struct sink sink = { .s = to, .data = malloc(MUCH + 1) };
    struct peer peer;
    start_peer(&peer, receive_all, &sink);
    CHECK_INT(transmit(from, data), 0);
    CHECK_INT(skt_shutdown(from, SHUT_WR), 0);
    join_peer(&peer);
    CHECK(sink.n == MUCH && !memcmp(sink.data, data, MUCH));
    free(sink.data);
    free(data);
}

static int by_sendall(skt *s, const char *data)
{
    return skt_sendall(s, data, MUCH, 0);
}

static int by_send(skt *s, const char *data)
{
    for (size_t done = 0; done < MUCH;) {
        ssize_t n = skt_send(s, data + done, MUCH - done, 0);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

static int by_sendfile(skt *s, const char *data)
{
    char name[] = "/tmp/skt-test-XXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && write(fd, data, MUCH) == MUCH);
    CHECK_INT(skt_sendfile(s, fd, 0, MUCH / 2), MUCH / 2);
    CHECK_INT(skt_sendfile(s, fd, MUCH / 2, 0), MUCH / 2); /* to the end */
    CHECK_INT(skt_sendfile(s, fd, MUCH, 0), 0);
    CHECK_INT(lseek(fd, 0, SEEK_CUR), MUCH); /* where write left it */
    return close(fd);
}

/* 0, 1, 2 ... of what the pipe holds at a time. */
static int by_pipe(skt *s, const char *data)
{
    int fds[2];
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    for (size_t done = 0, held = 0; done < MUCH; held = 0) {
        size_t wanted = MUCH - done < 4096 ? MUCH - done : 4096;
        CHECK_INT(write(fds[1], data + done, wanted), wanted);
        while (held < wanted) {
            ssize_t n = skt_send_pipe(s, fds[0], held % 3 ? 1000 : SSIZE_MAX);
            if (n < 0)
                return -1;
            held += (size_t)n;
        }
        done += wanted;
    }
    CHECK_ERRNO(skt_send_pipe(s, fds[0], 1), EAGAIN); /* whatever the timeout */
    close(fds[1]);
    CHECK_INT(skt_send_pipe(s, fds[0], 1), 0);
    return close(fds[0]);
}

static int by_makefile(skt *s, const char *data)
{
    FILE *file = skt_makefile(s, "wb");
    CHECK_INT(fwrite(data, 1, MUCH, file), MUCH);
    return fclose(file);
}

static void bulk(void)
{
    static int (*const ways[])(skt * s, const char *data) = { by_sendall, by_send, by_sendfile, by_pipe, by_makefile };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int timeout = 0; timeout < 2; timeout++)
            for (int tcp = 0; tcp < 2; tcp++) {
                skt *pair[2];
                if (tcp)
                    tcp_pair(pair);
                else
                    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
                small_buffers(pair);
                CHECK_INT(skt_settimeout(pair[0], timeout ? 60 : SKT_NO_TIMEOUT), 0);
                check_bulk(pair[0], pair[1], ways[i]);
                skt_close(pair[0]);
                skt_close(pair[1]);
            }
}

static void peek_and_waitall(void)
{
    skt *pair[2];
    char buf[8] = "";
    tcp_pair(pair);
    CHECK_INT(skt_sendall(pair[0], "abc", 3, 0), 0);
    CHECK_INT(skt_recv(pair[1], buf, 1, MSG_PEEK), 1);
    CHECK_INT(skt_recv(pair[1], buf, 0, 0), 0);
    CHECK_INT(skt_recv(pair[1], buf, 2, MSG_WAITALL), 2);
    CHECK(!memcmp(buf, "ab", 2));
    CHECK_INT(skt_sendall(pair[0], "de", 2, 0), 0);
    CHECK_INT(skt_shutdown(pair[0], SHUT_WR), 0);
    skt_addr from;
    CHECK_INT(skt_recvfrom(pair[1], buf, 8, MSG_WAITALL, &from), 3); /* the end came first */
    CHECK(!memcmp(buf, "cde", 3));
    CHECK_INT(skt_recv(pair[1], buf, 8, MSG_WAITALL), 0);
    CHECK_ERRNO(skt_recv(pair[0], buf, 8, MSG_DONTWAIT), EAGAIN);
    CHECK(!skt_timed_out());
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void out_of_band(void)
{
    skt *pair[2];
    char c = 0;
    tcp_pair(pair);
    CHECK_ERRNO(skt_recv(pair[1], &c, 1, MSG_OOB), EINVAL);
    CHECK_INT(skt_send(pair[0], "!", 1, MSG_OOB), 1);
    struct pollfd urgent = { .fd = skt_fileno(pair[1]), .events = POLLPRI };
    CHECK_INT(poll(&urgent, 1, 10000), 1);
    CHECK(skt_recv(pair[1], &c, 1, MSG_OOB) == 1 && c == '!');
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void resets(void)
{
    skt *pair[2];
    struct linger reset = { 1, 0 };
    char c;
    tcp_pair(pair);
    skt_addr peer;
    char expected[100], addr[64];
    CHECK_INT(skt_getpeername(pair[1], &peer), 0);
    CHECK_INT(skt_setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    skt_close(pair[0]);
    CHECK_ERRNO(skt_recv(pair[1], &c, 1, 0), ECONNRESET);
    snprintf(expected, sizeof expected, "recv %s: Connection reset by peer", skt_addr_text(&peer, addr, sizeof addr));
    CHECK_STR(skt_strerror(), expected);
    CHECK_ERRNO(skt_sendall(pair[1], "x", 1, 0), EPIPE); /* and no SIGPIPE */
    CHECK_ERRNO(skt_send(pair[1], "x", 1, 0), EPIPE);
    CHECK_ERRNO(skt_shutdown(pair[1], 17), EINVAL);
    CHECK_STR(skt_strerror(), "shutdown: how is 17: not SHUT_RD, SHUT_WR or SHUT_RDWR");
    skt_close(pair[1]);
}

static void refused(void)
{
    skt_addr addr;
    char expected[100], text[64];
    skt_close(local_server(&addr));
    skt_addr_text(&addr, text, sizeof text);
    snprintf(expected, sizeof expected, "connect %s: Connection refused", text);
    for (int timeout = 0; timeout < 2; timeout++) {
        skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(skt_settimeout(s, timeout ? 10 : SKT_NO_TIMEOUT), 0);
        CHECK_ERRNO(skt_connect(s, addr), ECONNREFUSED);
        CHECK_STR(skt_strerror(), expected);
        CHECK(skt_error_record()->has_addr && skt_addr_equal(&skt_error_record()->addr, &addr));
        skt_close(s);
        s = skt_socket(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(skt_connect_ex(s, addr), ECONNREFUSED);
        skt_close(s);
    }
}

static void connecting_without_waiting(void)
{
    skt_addr addr;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(skt_connect(s, addr), EINPROGRESS);
    struct pollfd ready = { .fd = skt_fileno(s), .events = POLLOUT };
    CHECK_INT(poll(&ready, 1, 10000), 1);
    CHECK_INT(skt_connect_ex(s, addr), 0);
    CHECK_INT(skt_connect_ex(s, addr), EISCONN);
    skt_close(s);
    skt_close(server);
}

static void names_of_both_ends(void)
{
    skt *pair[2];
    skt_addr a, b;
    tcp_pair(pair);
    CHECK(skt_getsockname(pair[0], &a) == 0 && skt_getpeername(pair[1], &b) == 0 && skt_addr_equal(&a, &b));
    CHECK(skt_getpeername(pair[0], &a) == 0 && skt_getsockname(pair[1], &b) == 0 && skt_addr_equal(&a, &b));
    CHECK_STR(skt_host(&a), "127.0.0.1");
    skt_close(pair[0]);
    skt_close(pair[1]);
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_getpeername(s, &a), ENOTCONN);
    CHECK_ERRNO(skt_getsockname(s, NULL), EFAULT);
    skt_close(s);
}

static void udp(void)
{
    skt *server = skt_socket(AF_INET, SOCK_DGRAM, 0), *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    skt_addr addr, from, own;
    static char big[70000];
    char buf[10];
    CHECK_INT(skt_bind(server, skt_inet("127.0.0.1", 0)), 0);
    CHECK_INT(skt_getsockname(server, &addr), 0);
    CHECK_INT(skt_sendto(s, "hello", 5, 0, addr), 5);
    CHECK_INT(skt_recvfrom(server, buf, 3, MSG_TRUNC, &from), 5); /* the length there was */
    CHECK_INT(skt_getsockname(s, &own), 0);
    CHECK_INT(skt_port(&from), skt_port(&own));
    CHECK_INT(skt_sendto(server, "", 0, 0, from), 0); /* an empty datagram is one too */
    CHECK_INT(skt_recvfrom(s, buf, sizeof buf, 0, &from), 0);
    CHECK(skt_addr_equal(&from, &addr));
    CHECK_INT(skt_connect(s, addr), 0);
    CHECK_INT(skt_sendall(s, "", 0, 0), 0);
    CHECK_INT(skt_send(s, NULL, 0, 0), 0);
    CHECK_INT(skt_recvfrom(server, buf, 0, 0, NULL), 0);
    CHECK_INT(skt_recvfrom(server, buf, 10, 0, NULL), 0);
    CHECK_ERRNO(skt_sendto(s, big, sizeof big, 0, addr), EMSGSIZE);
    skt_close(server);
    CHECK_INT(skt_send(s, "x", 1, 0), 1);
    CHECK_INT(skt_settimeout(s, 10), 0);
    CHECK_ERRNO(skt_recv(s, buf, 1, 0), ECONNREFUSED); /* ICMP tells a connected socket */
    skt_close(s);
}

static void unix_names(void)
{
    char path[] = "/tmp/skt-test-XXXXXX", file[64], buf[4];
    skt_addr from, own;
    CHECK(mkdtemp(path) != NULL);
    snprintf(file, sizeof file, "%s/s", path);
    skt *a = skt_socket(AF_UNIX, SOCK_DGRAM, 0), *b = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(a, skt_unix(file)), 0);
    CHECK_INT(skt_sendto(b, "x", 1, 0, skt_unix(file)), 1); /* from an unnamed one */
    CHECK_INT(skt_recvfrom(a, buf, 1, 0, &from), 1);
    CHECK_STR(skt_host(&from), "");
    CHECK_ERRNO(skt_sendto(a, "x", 1, 0, from), EINVAL);
    CHECK_STR(skt_strerror(), "sendto: the address is empty");
    CHECK_INT(skt_bind(b, skt_unix("")), 0); /* the kernel chooses an abstract name */
    CHECK_INT(skt_getsockname(b, &own), 0);
    CHECK_INT(strlen(skt_host(&own)), 5);
    CHECK_INT(skt_sendto(a, "y", 1, 0, own), 1);
    CHECK_INT(skt_recvfrom(b, buf, 1, 0, &from), 1);
    CHECK_STR(skt_host(&from), file);
    CHECK_INT(skt_connect(b, skt_unix(file)), 0);
    CHECK(skt_getpeername(b, &from) == 0 && !strcmp(skt_host(&from), file));
    skt_close(a);
    skt_close(b);
    CHECK(unlink(file) == 0 && rmdir(path) == 0);
}

static void seqpacket(void)
{
    skt *pair[2];
    char buf[10];
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    CHECK_INT(skt_sendall(pair[0], "one", 3, 0), 0);
    CHECK_INT(skt_sendall(pair[0], "three", 5, 0), 0);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, 0), 3);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, 0), 5);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void by_name(void)
{
    skt_addr addr;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, skt_name("127.0.0.1", skt_port(&addr))), 0);
    skt_close(s);
    s = skt_socket(AF_INET6, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_name("", 0)), 0); /* the family is the socket's */
    CHECK_INT(skt_getsockname(s, &addr), 0);
    CHECK_STR(skt_host(&addr), "::");
    CHECK_ERRNO(skt_bind(s, skt_inet("127.0.0.1", 0)), EAFNOSUPPORT);
    skt_close(s);
    skt_close(server);
    s = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_connect(s, skt_name("localhost", 80)), EAFNOSUPPORT);
    CHECK_STR(skt_strerror(), "connect: a socket of this family has no host and port: localhost");
    skt_close(s);
}

static void files_that_are_not_sent(void)
{
    skt *pair[2];
    char buf[100];
    int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC), folder = open("/", O_RDONLY | O_CLOEXEC);
    tcp_pair(pair);
    ssize_t n = skt_sendfile(pair[0], fd, 0, 0);
    CHECK(n > 0 && skt_recv(pair[1], buf, sizeof buf, 0) == n);
    CHECK_INT(skt_sendfile(pair[0], fd, 0, 2), 2);
    CHECK_ERRNO(skt_sendfile(pair[0], -1, 0, 0), EBADF);
    CHECK_ERRNO(skt_sendfile(pair[0], folder, 0, 0), EISDIR);
    CHECK_ERRNO(skt_sendfile(pair[0], fd, -1, 0), EINVAL);
    CHECK_INT(skt_settimeout(pair[0], 0), 0);
    CHECK_ERRNO(skt_sendfile(pair[0], fd, 0, 0), EINVAL);
    CHECK(strstr(skt_strerror(), "non-blocking"));
    skt_close(pair[0]);
    skt_close(pair[1]);
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERRNO(skt_sendfile(s, fd, 0, 0), EINVAL);
    CHECK_STR(skt_strerror(), "sendfile: only stream sockets send files");
    skt_close(s);
    close(fd);
    close(folder);
}

/* ---- Into a pipe ---- */

static void send_much(void *arg)
{
    char *data = block();
    CHECK_INT(skt_sendall(arg, data, MUCH, 0), 0);
    CHECK_INT(skt_shutdown(arg, SHUT_WR), 0);
    free(data);
}

/* All that comes, through a pipe that now and then is full. */
static void receive_by_pipe(skt *s, char *data)
{
    int fds[2];
    size_t done = 0, pieces = 0;
    ssize_t n, held = 0;
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    CHECK(fcntl(fds[1], F_SETPIPE_SZ, 4096) == 4096);
    while ((n = skt_recv_pipe(s, fds[1], SSIZE_MAX)) != 0) {
        if (n < 0)
            CHECK(errno == EAGAIN && held > 0);
        else
            held += n;
        if (n > 0 && ++pieces % 3)
            continue; /* which may be too much */
        CHECK_INT(read(fds[0], data + done, (size_t)held), held);
        done += (size_t)held;
        held = 0;
    }
    close(fds[1]);
    CHECK_INT(read(fds[0], data + done, (size_t)held + 1), held);
    CHECK_INT(done + (size_t)held, MUCH);
    close(fds[0]);
}

static void into_a_pipe(void)
{
    char *data = block(), *got = malloc(MUCH + 1);
    for (int tcp = 0; tcp < 2; tcp++)
        for (int timeout = 0; timeout < 2; timeout++) {
            struct peer peer;
            skt *pair[2];
            if (tcp)
                tcp_pair(pair);
            else
                CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
            CHECK_INT(skt_settimeout(pair[1], timeout ? 60 : SKT_NO_TIMEOUT), 0);
            start_peer(&peer, send_much, pair[0]);
            receive_by_pipe(pair[1], got);
            join_peer(&peer);
            CHECK(!memcmp(data, got, MUCH));
            skt_close(pair[0]);
            skt_close(pair[1]);
        }
    free(data);
    free(got);
}

static void pipes_refused(void)
{
    int fds[2], file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    skt *pair[2], *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    char c;
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_ERRNO(skt_recv_pipe(s, fds[1], 1), EINVAL);
    CHECK_STR(skt_strerror(), "recv_pipe: only stream sockets move data through pipes");
    CHECK_ERRNO(skt_send_pipe(s, fds[0], 1), EINVAL);
    CHECK_INT(skt_recv_pipe(pair[0], fds[1], 0), 0);
    CHECK_INT(skt_settimeout(pair[0], 0.02), 0);
    CHECK_ERRNO(skt_recv_pipe(pair[0], fds[1], 1), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_INT(skt_settimeout(pair[0], 0), 0);
    CHECK_ERRNO(skt_recv_pipe(pair[0], fds[1], 1), EAGAIN);
    CHECK_INT(skt_settimeout(pair[0], SKT_NO_TIMEOUT), 0);
    CHECK_INT(skt_send(pair[1], "x", 1, 0), 1);
    CHECK_ERRNO(skt_recv_pipe(pair[0], -1, 1), EBADF);
    CHECK_ERRNO(skt_recv_pipe(pair[0], file, 1), EBADF); /* not for writing */
    CHECK_INT(skt_recv_pipe(pair[0], fds[1], 1), 1);
    CHECK_INT(read(fds[0], &c, 1), 1);
    skt_close(pair[1]);
    CHECK_INT(write(fds[1], "y", 1), 1);
    CHECK_ERRNO(skt_send_pipe(pair[0], fds[0], 1), EPIPE); /* and no SIGPIPE */
    CHECK_INT(skt_recv_pipe(pair[0], fds[1], 1), 0);
    skt_close(pair[0]);
    skt_close(s);
    close(fds[0]);
    close(fds[1]);
    close(file);
}

/* ---- A task that never has to wait ---- */

static void sleep_a_moment(void *arg)
{
    CHECK_INT(skt_sleep(0.005), 0);
    *(bool *)arg = true;
}

static void endless_data(void)
{
    skt *pair[2];
    struct peer peer;
    bool woken = false;
    char c;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    start_peer(&peer, sleep_a_moment, &woken);
    for (int i = 0; i < 1000000 && !woken; i++) {
        CHECK_INT(skt_send(pair[0], "x", 1, 0), 1);
        CHECK_INT(skt_recv(pair[1], &c, 1, 0), 1);
    }
    CHECK(woken);
    join_peer(&peer);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void arrive(skt *s)
{
    /* not by skt_fileno, after which nothing is taken for granted */
    CHECK_INT(poll(&(struct pollfd){ .fd = skti_fd(s), .events = POLLIN }, 1, -1), 1);
}

/* A task takes it that a new connection has nothing to say yet: where it has, no call is to miss that. */
static void a_greeting(ssize_t (*receive)(skt *s, char *buf))
{
    skt_addr addr;
    char buf[8] = "";
    skt *server = local_server(&addr), *s = skt_create_connection("127.0.0.1", skt_port(&addr), 10);
    skt *conn = skt_accept(server, NULL);
    CHECK_INT(skt_sendall(conn, "hello", 5, 0), 0);
    arrive(s);
    CHECK_INT(receive(s, buf), 5);
    CHECK_STR(buf, "hello");
    CHECK_INT(skt_sendall(s, "hi", 2, 0), 0);
    CHECK_INT(skt_recv(conn, buf, sizeof buf, 0), 2);
    CHECK_INT(skt_recv(conn, buf, sizeof buf, MSG_DONTWAIT), -1);
    CHECK_INT(skt_shutdown(s, SHUT_WR), 0);
    CHECK_INT(skt_recv(conn, buf, sizeof buf, 0), 0);
    skt_close(conn);
    arrive(s);
    CHECK_INT(receive(s, buf), 0);
    skt_close(s);
    skt_close(server);
}

static ssize_t greeted_plainly(skt *s, char *buf)
{
    return skt_recv(s, buf, 8, 0);
}

static ssize_t greeted_peeking(skt *s, char *buf)
{
    return skt_recv(s, buf, 8, MSG_PEEK) < 0 ? -1 : skt_recv(s, buf, 8, MSG_DONTWAIT);
}

static ssize_t greeted_at_once(skt *s, char *buf)
{
    return skt_recv(s, buf, 8, MSG_DONTWAIT);
}

static ssize_t greeted_in_no_time(skt *s, char *buf)
{
    skt_deadline d = skt_deadline_begin(0);
    ssize_t n = skt_recv(s, buf, 8, 0);
    skt_deadline_end(d);
    return n;
}

static ssize_t greeted_without_waiting(skt *s, char *buf)
{
    CHECK_INT(skt_settimeout(s, 0), 0);
    return skt_recv(s, buf, 8, 0);
}

static ssize_t greeted_from(skt *s, char *buf)
{
    return skt_recvfrom(s, buf, 8, 0, NULL);
}

static ssize_t greeted_by_message(skt *s, char *buf)
{
    struct iovec iov = { buf, 8 };
    return skt_recvmsg(s, &(skt_msg){ .iov = &iov, .iovlen = 1 }, 0);
}

static ssize_t greeted_whole(skt *s, char *buf)
{
    return skt_recv(s, buf, 5, MSG_WAITALL);
}

/* recv(2) waits for what was asked for, poll(2) for the mark. */
static ssize_t greeted_below_the_mark(skt *s, char *buf)
{
    CHECK_INT(skt_setsockopt_int(s, SOL_SOCKET, SO_RCVLOWAT, 10), 0);
    return skt_recv(s, buf, 5, 0);
}

static void nothing_is_said(void)
{
    skt_addr addr;
    char c;
    skt *server = local_server(&addr), *s = skt_create_connection("127.0.0.1", skt_port(&addr), 10);
    CHECK_ERRNO(skt_recv(s, &c, 1, MSG_DONTWAIT), EAGAIN);
    skt_close(s);
    s = skt_create_connection("127.0.0.1", skt_port(&addr), 10);
    CHECK_INT(skt_settimeout(s, 0), 0);
    CHECK_ERRNO(skt_recv(s, &c, 1, 0), EAGAIN);
    CHECK(!skt_timed_out());
    skt_close(s);
    skt_close(server);
}

static void greetings(void)
{
    nothing_is_said();
    a_greeting(greeted_below_the_mark);
    a_greeting(greeted_plainly);
    a_greeting(greeted_peeking);
    a_greeting(greeted_at_once);
    a_greeting(greeted_in_no_time);
    a_greeting(greeted_without_waiting);
    a_greeting(greeted_from);
    a_greeting(greeted_by_message);
    a_greeting(greeted_whole);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "what a new connection says first", greetings },
        { "megabytes through small buffers, in every way", bulk },
        { "MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, no bytes at all", peek_and_waitall },
        { "MSG_OOB", out_of_band },
        { "a reset, and sending after it", resets },
        { "refused", refused },
        { "connecting without waiting", connecting_without_waiting },
        { "names of both ends", names_of_both_ends },
        { "datagrams over UDP", udp },
        { "AF_UNIX: paths, chosen names and none", unix_names },
        { "SOCK_SEQPACKET keeps messages apart", seqpacket },
        { "names take the socket's family", by_name },
        { "sendfile's refusals, and files that are copied", files_that_are_not_sent },
        { "into a pipe", into_a_pipe },
        { "what pipes refuse", pipes_refused },
        /* threads are the kernel's to be fair to */
        { "a task that always has data does not keep others from waking", endless_data, IN_TASK },
    };
    return RUN_CASES(cases);
}
