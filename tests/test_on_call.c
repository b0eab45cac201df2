/* test_on_call.c - skt_on_call: the program is told of the library's system calls, and pays for it only meanwhile. */
#include "check.h"
#include "peer.h"
#include "sys.h"
#include <skt.h>
#include <stdlib.h>
#include <unistd.h>

/* What was told, a word for each call. */
static struct {
    char text[1000];
    skt_call last;
    skt_addr addr;
} told;

static void note_call(const skt_call *call, void *arg)
{
    CHECK(arg == &told);
    size_t len = strlen(told.text);
    if (call->error == EAGAIN)
        return; /* when there is nothing depends on who was first */
    snprintf(told.text + len, sizeof told.text - len, "%s%s=%lld", len ? " " : "", call->name,
             call->error ? -(long long)call->error : (long long)call->result);
    told.last = *call;
    told.last.addr = NULL;
    if (call->addr)
        told.addr = *call->addr;
    errno = EXDEV; /* the call's own is kept */
}

static void listen_to_calls(void)
{
    memset(&told, 0, sizeof told);
    skt_on_call(note_call, &told);
}

static void expect_told(const char *text)
{
    skt_on_call(NULL, NULL);
    CHECK_STR(told.text, text);
}

static void names_results_sizes(void)
{
    skt *pair[2];
    char buf[100];
    tcp_pair(pair);
    listen_to_calls();
    CHECK_INT(skt_send(pair[0], "hello", 5, 0), 5);
    CHECK_INT((int)told.last.size, 5);
    CHECK_INT(told.last.fd, skt_fileno(pair[0]));
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, 0), 5);
    CHECK_INT((int)told.last.size, (int)sizeof buf);
    CHECK_INT(skt_shutdown(pair[0], SHUT_WR), 0);
    CHECK_INT((int)told.last.size, SHUT_WR);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, 0), 0);
    expect_told("send=5 recv=5 shutdown=0 recv=0");
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void failures_and_errno(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    char buf[20];
    listen_to_calls();
    CHECK_INT(skt_recv(s, buf, sizeof buf, 0), -1);
    CHECK_INT(errno, ENOTCONN);
    CHECK_INT(told.last.error, ENOTCONN);
    snprintf(buf, sizeof buf, "recv=-%d", ENOTCONN);
    expect_told(buf);
    skt_close(s);
}

static void addresses(void)
{
    skt *a = skt_socket(AF_INET, SOCK_DGRAM, 0), *b = skt_socket(AF_INET, SOCK_DGRAM, 0);
    skt_addr addr;
    char buf[10];
    CHECK(skt_bind(a, skt_inet("127.0.0.1", 0)) == 0 && skt_bind(b, skt_inet("127.0.0.1", 0)) == 0);
    CHECK_INT(skt_getsockname(a, &addr), 0);
    listen_to_calls();
    CHECK_INT(skt_sendto(b, "x", 1, 0, addr), 1);
    CHECK(skt_addr_equal(&told.addr, &addr));
    CHECK_INT(skt_recvfrom(a, buf, sizeof buf, 0, &addr), 1);
    CHECK(skt_port(&addr) > 0);
    CHECK(skt_addr_equal(&told.addr, &addr));
    skt_on_call(NULL, NULL);
    skt_close(a);
    skt_close(b);
}

static void times(void)
{
    struct timespec before, after;
    skt *pair[2];
    tcp_pair(pair);
    listen_to_calls();
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_INT(skt_send(pair[0], "x", 1, 0), 1);
    clock_gettime(CLOCK_MONOTONIC, &after);
    skt_on_call(NULL, NULL);
    double from = (double)before.tv_sec + (double)before.tv_nsec / 1e9;
    double to = (double)after.tv_sec + (double)after.tv_nsec / 1e9;
    CHECK(told.last.began >= from - 1e-6 && told.last.seconds >= 0);
    CHECK(told.last.began + told.last.seconds <= to + 1e-6);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void a_connection_from_start_to_end(void)
{
    skt_addr addr;
    listen_to_calls();
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK_INT(skt_getsockname(server, &addr), 0);
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, addr), 0);
    skt *conn = skt_accept(server, NULL);
    CHECK_INT(skt_close(conn), 0);
    CHECK_INT(skt_close(s), 0);
    CHECK_INT(skt_close(server), 0);
    skt_on_call(NULL, NULL);
    static const char *const calls[] = { "socket=", "bind=0", "listen=0", "connect=", "accept=", "close=0" };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        CHECK(strstr(told.text, calls[i]) != NULL);
}

static void messages_and_files(void)
{
    skt *pair[2];
    char data[] = "hello", buf[100];
    struct iovec iov = { data, 5 };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt_datagram d[2] = { { data, 5, NULL, 0 }, { data, 3, NULL, 0 } };
    int pipes[2];
    FILE *file = tmpfile();
    CHECK_INT(pipe(pipes), 0);
    CHECK(file && fwrite(data, 1, 5, file) == 5 && fflush(file) == 0);
    listen_to_calls();
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    CHECK_INT(skt_setsockopt_int(pair[0], SOL_SOCKET, SO_SNDBUF, 65536), 0);
    CHECK_INT(skt_sendmsg(pair[0], &msg, 0), 5);
    CHECK_INT((int)told.last.size, 5);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 5);
    CHECK_INT(skt_sendmmsg(pair[0], d, 2, 0), 2);
    CHECK_INT(skt_recvmmsg(pair[1], d, 2, buf, sizeof buf, 0), 2);
    CHECK_INT((int)told.last.result, 2);
    skt_close(pair[0]);
    skt_close(pair[1]);
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_INT(skt_sendfile(pair[0], fileno(file), 0, 5), 5);
    CHECK_INT(skt_recv_pipe(pair[1], pipes[1], 5), 5);
    CHECK_INT(told.last.fd, skt_fileno(pair[1]));
    CHECK_INT(skt_send_pipe(pair[0], pipes[0], 5), 5);
    CHECK_INT(told.last.fd, skt_fileno(pair[0]));
    skt_on_call(NULL, NULL);
    static const char *const calls[] = { "socketpair=0", "setsockopt=0", "sendmsg=5",   "recvmsg=5",   "sendmmsg=2",
                                         "recvmmsg=2",   "sendfile=5",   "recv_pipe=5", "send_pipe=5", "close=0" };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        CHECK(strstr(told.text, calls[i]) != NULL);
    skt_close(pair[0]);
    skt_close(pair[1]);
    close(pipes[0]);
    close(pipes[1]);
    fclose(file);
}

/* A connection that is made meanwhile: SO_ERROR tells how that went. */
static void pending_errors(void)
{
    skt_addr addr;
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK_INT(skt_getsockname(server, &addr), 0);
    skt_close(server); /* nobody listens there */
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    int code = 0;
    CHECK_INT(skt_settimeout(s, 0), 0);
    CHECK_ERRNO(skt_connect(s, addr), EINPROGRESS);
    listen_to_calls();
    CHECK_INT(skt_getsockopt_int(s, SOL_SOCKET, SO_ERROR, &code), 0);
    CHECK(code == ECONNREFUSED && told.last.error == ECONNREFUSED && told.last.result == 0);
    skt_on_call(NULL, NULL);
    skt_close(s);
}

/* What stands in the table without a hook is what stood there before it, and hooks change places. */
static void costs_nothing_without_a_hook(void)
{
    struct skti_sys before = skti_sys;
    listen_to_calls();
    CHECK(skti_sys.recv != before.recv && skti_sys.malloc == before.malloc);
    struct skti_sys with = skti_sys;
    listen_to_calls();
    CHECK(!memcmp(&skti_sys, &with, sizeof with));
    skt_on_call(NULL, NULL);
    skt_on_call(NULL, NULL);
    CHECK(!memcmp(&skti_sys, &before, sizeof before));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "names, descriptors, results, sizes", names_results_sizes },
        { "failures, and errno stays", failures_and_errno },
        { "addresses given and told", addresses },
        { "times", times },
        { "messages, batches and files", messages_and_files },
        { "what SO_ERROR tells", pending_errors },
        { "a connection from its start to its end", a_connection_from_start_to_end },
        { "without a hook the table is as before", costs_nothing_without_a_hook },
    };
    return RUN_CASES(cases);
}
