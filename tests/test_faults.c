/* test_faults.c - every system call and every allocation of every public function fails in its turn,
 * once and from then on for ever, with every errno that it documents: nothing
 * crashes, leaks or is sent twice, and the error is the right one.
 *
 * A scenario is prepared in peace, acts under fault, and is cleared away in
 * peace.  Run as `test_faults`, alone in its process, and as `test_faults threads`, beside a second thread,
 * where waiting, closing and look-ups take other ways. */
#include "check.h"
#include "faults.h"
#include "peer.h"
#include "sys.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define PORT_NOBODY_HAS 1
#define DATA 3000

struct ctx {
    skt *a, *b, *c; /* what the scenario needs; all are closed at the end */
    FILE *file;
    int fd;
    skt_addr addr;
    size_t sent_before; /* bytes that were sent in peace */
};

struct scenario {
    const char *name;
    void (*prepare)(struct ctx *x);
    int (*act)(struct ctx *x); /* 0, or -1 with errno */
    const char *ignores;       /* calls whose failure the act may survive, for a reason */
    bool stream_to_b;          /* a sends DATA bytes of the pattern to b: what came is checked */
    bool begins_tasks;         /* on a thread only, since it calls skt_run itself */
};

static char pattern[DATA], buf[2 * DATA];

/* ---- Preparations ---- */

static void nothing(struct ctx *x)
{
    (void)x;
}

static void prepare_pair(struct ctx *x)
{
    skt *pair[2];
    tcp_pair(pair);
    x->a = pair[0];
    x->b = pair[1];
    CHECK_INT(skt_settimeout(x->a, 0.02), 0);
    CHECK_INT(skt_settimeout(x->b, 0.02), 0);
}

static void prepare_blocking_pair(struct ctx *x)
{
    prepare_pair(x);
    CHECK_INT(skt_settimeout(x->a, SKT_NO_TIMEOUT), 0);
}

static void prepare_data(struct ctx *x)
{
    prepare_pair(x);
    CHECK_INT(skt_sendall(x->b, pattern, DATA, 0), 0);
    struct timespec moment = { .tv_nsec = 100000 };
    while (skt_recv(x->a, buf, DATA, MSG_PEEK) < DATA)
        nanosleep(&moment, NULL);
}

static void prepare_unix_pair(struct ctx *x)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    x->a = pair[0];
    x->b = pair[1];
    CHECK_INT(skt_settimeout(x->a, 0.02), 0);
    CHECK_INT(skt_settimeout(x->b, 0.02), 0);
    x->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void prepare_fds(struct ctx *x)
{
    prepare_unix_pair(x);
    CHECK_INT(skt_send_fds(x->b, "f", 1, &x->fd, 1, 0), 1);
}

static void prepare_socket(struct ctx *x)
{
    x->a = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(x->a, 1), 0);
}

static void prepare_server(struct ctx *x)
{
    prepare_socket(x);
    x->b = local_server(&x->addr);
    CHECK_INT(skt_settimeout(x->b, 0.02), 0);
}

static void prepare_waiting_client(struct ctx *x)
{
    prepare_server(x);
    CHECK_INT(skt_connect(x->a, x->addr), 0);
}

static void prepare_udp(struct ctx *x)
{
    x->a = skt_socket(AF_INET, SOCK_DGRAM, 0);
    x->b = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(x->b, skt_inet("127.0.0.1", 0)), 0);
    CHECK_INT(skt_getsockname(x->b, &x->addr), 0);
    CHECK_INT(skt_settimeout(x->a, 0.02), 0);
    CHECK_INT(skt_settimeout(x->b, 0.02), 0);
}

static void prepare_udp_data(struct ctx *x)
{
    prepare_udp(x);
    for (int i = 0; i < 3; i++)
        CHECK_INT(skt_sendto(x->a, "data", 4, 0, x->addr), 4);
}

static void prepare_file(struct ctx *x)
{
    char name[] = "/tmp/skt-test-XXXXXX";
    prepare_pair(x);
    x->fd = mkostemp(name, O_CLOEXEC);
    CHECK(x->fd >= 0 && unlink(name) == 0 && write(x->fd, pattern, DATA) == DATA);
}

static void prepare_pipe(struct ctx *x)
{
    int fds[2];
    prepare_pair(x);
    CHECK(pipe2(fds, O_CLOEXEC) == 0 && write(fds[1], pattern, DATA) == DATA);
    close(fds[1]);
    x->fd = fds[0];
}

static void prepare_writer(struct ctx *x)
{
    prepare_pair(x);
    x->file = skt_makefile(x->a, "w");
    CHECK(x->file != NULL);
}

static void prepare_reader(struct ctx *x)
{
    prepare_data(x);
    x->file = skt_makefile(x->a, "r");
    CHECK(x->file != NULL);
}

static void prepare_both(struct ctx *x)
{
    prepare_data(x);
    x->file = skt_makefile(x->a, "rw");
    CHECK(x->file != NULL);
}

/* ---- Acts ---- */

static int count_of(ssize_t n, ssize_t wanted)
{
    if (n >= 0)
        CHECK_INT(n, wanted);
    return n < 0 ? -1 : 0;
}

static int act_socket(struct ctx *x)
{
    x->a = skt_socket(AF_INET, SOCK_STREAM, 0);
    return x->a ? 0 : -1;
}

static int act_socket_nonblocking(struct ctx *x)
{
    CHECK_INT(skt_setdefaulttimeout(1), 0);
    x->a = skt_socket(AF_INET, SOCK_STREAM, 0);
    int code = errno;
    CHECK_INT(skt_setdefaulttimeout(SKT_NO_TIMEOUT), 0);
    errno = code;
    return x->a ? 0 : -1;
}

static int act_socketpair(struct ctx *x)
{
    skt *pair[2];
    if (skt_socketpair(0, 0, 0, pair) < 0) {
        CHECK(!pair[0] && !pair[1]);
        return -1;
    }
    x->a = pair[0];
    x->b = pair[1];
    return 0;
}

static int act_fromfd(struct ctx *x)
{
    int fd = dup(skt_fileno(x->a));
    x->c = skt_fromfd(fd);
    if (!x->c) {
        int code = errno;
        CHECK_INT(close(fd), 0); /* still ours */
        errno = code;
    }
    return x->c ? 0 : -1;
}

/* With a default timeout the descriptor's mode changes. */
static int act_fromfd_default(struct ctx *x)
{
    CHECK_INT(skt_setdefaulttimeout(1), 0);
    int result = act_fromfd(x), code = errno;
    CHECK_INT(skt_setdefaulttimeout(SKT_NO_TIMEOUT), 0);
    errno = code;
    return result;
}

static int act_dup(struct ctx *x)
{
    x->c = skt_dup(x->a);
    return x->c ? 0 : -1;
}

static int act_close(struct ctx *x)
{
    skt *s = x->a;
    x->a = NULL;
    return skt_close(s);
}

static int act_detach(struct ctx *x)
{
    skt *s = x->a;
    x->a = NULL;
    int fd = skt_detach(s), code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return fd < 0 ? -1 : 0;
}

static int act_bind(struct ctx *x)
{
    return skt_bind(x->a, skt_inet("127.0.0.1", 0));
}

static int act_listen(struct ctx *x)
{
    return skt_listen(x->a, 1);
}

static int act_accept(struct ctx *x)
{
    x->c = skt_accept(x->b, NULL);
    return x->c ? 0 : -1;
}

static int act_connect(struct ctx *x)
{
    return skt_connect(x->a, x->addr);
}

static int act_connect_by_name(struct ctx *x)
{
    return skt_connect(x->a, skt_inet("localhost", skt_port(&x->addr)));
}

static int act_connect_ex(struct ctx *x)
{
    int code = skt_connect_ex(x->a, x->addr);
    errno = code;
    return code ? -1 : 0;
}

static int act_create_connection(struct ctx *x)
{
    x->c = skt_create_connection("localhost", skt_port(&x->addr), 1);
    return x->c ? 0 : -1;
}

static int act_create_connection_from(struct ctx *x)
{
    x->c = skt_create_connection_from("127.0.0.1", skt_port(&x->addr), SKT_NO_TIMEOUT, skt_inet("127.0.0.1", 0));
    return x->c ? 0 : -1;
}

static int set_ttl(skt *s, void *arg)
{
    (void)arg;
    return skt_setsockopt_int(s, IPPROTO_IP, IP_TTL, 7);
}

static int act_create_connection_with(struct ctx *x)
{
    skt_connection_options options = { .family = AF_INET, .prepare = set_ttl };
    x->c = skt_create_connection_with("127.0.0.1", skt_port(&x->addr), SKT_NO_TIMEOUT, &options);
    return x->c ? 0 : -1;
}

static int act_create_server(struct ctx *x)
{
    x->a = skt_create_server(skt_inet("127.0.0.1", 0), &(skt_server_options){ .reuse_port = true });
    return x->a ? 0 : -1;
}

static int act_create_server_by_name(struct ctx *x)
{
    x->a = skt_create_server(skt_name("localhost", 0), NULL);
    return x->a ? 0 : -1;
}

static int act_create_dual_server(struct ctx *x)
{
    x->a = skt_create_server(skt_name("", 0), NULL);
    return x->a ? 0 : -1;
}

static int act_send(struct ctx *x)
{
    return count_of(skt_send(x->a, pattern, DATA, 0), DATA);
}

static int act_sendall(struct ctx *x)
{
    return skt_sendall(x->a, pattern, DATA, 0);
}

static int act_sendmsg(struct ctx *x)
{
    struct iovec iov[2] = { { pattern, 1000 }, { pattern + 1000, DATA - 1000 } };
    skt_msg msg = { .iov = iov, .iovlen = 2 };
    return count_of(skt_sendmsg(x->a, &msg, 0), DATA);
}

static int act_sendfile(struct ctx *x)
{
    return count_of(skt_sendfile(x->a, x->fd, 0, 0), DATA);
}

static int act_send_pipe(struct ctx *x)
{
    ssize_t n = 0, sum = 0;
    while (sum < DATA && (n = skt_send_pipe(x->a, x->fd, DATA)) > 0)
        sum += n;
    return n < 0 ? -1 : count_of(sum, DATA);
}

/* A file that the kernel cannot send by itself. */
static ssize_t no_sendfile(int out, int in, off_t *offset, size_t count)
{
    (void)out, (void)in, (void)offset, (void)count;
    errno = EINVAL;
    return -1;
}

static int act_sendfile_by_copies(struct ctx *x)
{
    ssize_t (*usual)(int out, int in, off_t *offset, size_t count) = skti_sys.sendfile;
    skti_sys.sendfile = no_sendfile;
    int result = act_sendfile(x);
    skti_sys.sendfile = usual;
    return result;
}

static int act_write_file(struct ctx *x)
{
    bool failed = fwrite(pattern, 1, DATA, x->file) != DATA || fflush(x->file) != 0;
    return failed ? -1 : 0;
}

static int act_write_both(struct ctx *x)
{
    char line[4];
    if (fread(line, 1, 4, x->file) != 4 || memcmp(line, pattern, 4) != 0)
        return -1;
    return fwrite(pattern, 1, DATA, x->file) == DATA ? 0 : -1;
}

static int act_sendto(struct ctx *x)
{
    return count_of(skt_sendto(x->a, "data", 4, 0, x->addr), 4);
}

static int act_sendmmsg(struct ctx *x)
{
    skt_datagram d[6];
    for (int i = 0; i < 6; i++)
        d[i] = (skt_datagram){ .data = pattern, .len = i < 4 ? 100 : 50, .addr = &x->addr };
    ssize_t n = skt_sendmmsg(x->a, d, 6, 0);
    if (n >= 0 && n < 6)
        CHECK(skt_error_record()->code != 0);
    return n < 6 ? -1 : 0;
}

static int act_recv(struct ctx *x)
{
    ssize_t n = skt_recv(x->a, buf, DATA, 0);
    if (n >= 0)
        CHECK(n == DATA && !memcmp(buf, pattern, DATA));
    return n < 0 ? -1 : 0;
}

static int act_recv_nothing(struct ctx *x)
{
    ssize_t n = skt_recv(x->a, buf, 1, 0);
    CHECK_INT(n, -1);
    return -1;
}

static int act_recv_whole(struct ctx *x)
{
    ssize_t n = skt_recv(x->a, buf, DATA, MSG_WAITALL);
    if (n >= 0)
        CHECK(n == DATA && !memcmp(buf, pattern, DATA));
    return n < 0 ? -1 : 0;
}

static int act_recvfrom(struct ctx *x)
{
    skt_addr from;
    return count_of(skt_recvfrom(x->b, buf, DATA, 0, &from), 4);
}

static int act_recvmsg(struct ctx *x)
{
    struct iovec iov = { buf, DATA };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    return count_of(skt_recvmsg(x->b, &msg, 0), 4);
}

static int act_recvmmsg(struct ctx *x)
{
    skt_datagram d[4] = { { .data = NULL } };
    ssize_t n = skt_recvmmsg(x->b, d, 4, buf, DATA, 0);
    if (n >= 0)
        CHECK((n == 3 || n == 1) && d[0].len == 4); /* one by one without recvmmsg(2) */
    return n < 0 ? -1 : 0;
}

static int act_send_fds(struct ctx *x)
{
    return count_of(skt_send_fds(x->a, "f", 1, &x->fd, 1, 0), 1);
}

static int act_recv_fds(struct ctx *x)
{
    int fds[2], msg_flags;
    size_t n = 2;
    ssize_t got = skt_recv_fds(x->a, buf, 1, fds, &n, 0, &msg_flags);
    if (got >= 0) {
        CHECK_INT(n, 1);
        close(fds[0]);
    }
    return count_of(got, 1);
}

static int act_makefile(struct ctx *x)
{
    x->file = skt_makefile(x->a, "rw");
    return x->file ? 0 : -1;
}

static int act_read_file(struct ctx *x)
{
    clearerr(x->file);
    size_t n = fread(buf, 1, DATA, x->file);
    if (n == DATA)
        CHECK(!memcmp(buf, pattern, DATA));
    return n == DATA ? 0 : -1;
}

static int act_shutdown(struct ctx *x)
{
    return skt_shutdown(x->a, SHUT_WR);
}

static int act_names_of_both_ends(struct ctx *x)
{
    skt_addr addr;
    return skt_getsockname(x->a, &addr) < 0 || skt_getpeername(x->a, &addr) < 0 ? -1 : 0;
}

static int act_options(struct ctx *x)
{
    int value;
    return skt_setsockopt_int(x->a, SOL_SOCKET, SO_KEEPALIVE, 1) < 0 ||
                   skt_getsockopt_int(x->a, SOL_SOCKET, SO_KEEPALIVE, &value) < 0
               ? -1
               : 0;
}

static int act_modes(struct ctx *x)
{
    return skt_setblocking(x->a, true) < 0 || skt_settimeout(x->a, 2) < 0 || skt_set_inheritable(x->a, true) < 0 ||
                   skt_get_inheritable(x->a) < 0
               ? -1
               : 0;
}

static int act_getaddrinfo(struct ctx *x)
{
    skt_addrinfo *list;
    (void)x;
    ssize_t n = skt_getaddrinfo("localhost", "80", 0, SOCK_STREAM, 0, 0, 5, &list);
    if (n >= 0)
        skt_freeaddrinfo(list);
    return n < 0 ? -1 : 0;
}

static int act_getnameinfo(struct ctx *x)
{
    char host[NI_MAXHOST];
    (void)x;
    return skt_getnameinfo(skt_inet("127.0.0.1", 80), NI_NUMERICSERV, host, sizeof host, NULL, 0, 5);
}

static int act_hosts(struct ctx *x)
{
    char text[64];
    (void)x;
    skt_hostent *h = skt_gethostbyname_ex("localhost", 5);
    if (!h)
        return -1;
    skt_freehostent(h);
    h = skt_gethostbyaddr("127.0.0.1", 5);
    if (!h)
        return -1;
    skt_freehostent(h);
    return skt_gethostbyname("localhost", text, sizeof text, 5) ? 0 : -1;
}

static int act_own_name(struct ctx *x)
{
    char name[256];
    (void)x;
    return skt_gethostname(name, sizeof name) < 0 || skt_getfqdn(NULL, name, sizeof name, 5) < 0 ? -1 : 0;
}

static int act_small_lookups(struct ctx *x)
{
    char name[64];
    (void)x;
    if (skt_getservbyname("http", "tcp") < 0 || skt_getservbyport(80, "tcp", name, sizeof name) < 0 ||
        skt_getprotobyname("udp") < 0 || skt_if_nametoindex("lo") == 0 || skt_if_indextoname(1, name, sizeof name) < 0)
        return -1;
    skt_interface *list = skt_if_nameindex();
    skt_freenameindex(list);
    return list ? 0 : -1;
}

static int act_sethostname(struct ctx *x)
{
    char name[256];
    (void)x;
    CHECK_INT(gethostname(name, sizeof name), 0);
    return skt_sethostname(name);
}

static int act_interface(struct ctx *x)
{
    (void)x;
    x->a = skt_socket(AF_PACKET, SOCK_DGRAM, 0);
    return x->a && skt_bind(x->a, skt_packet("lo", 0, 0, 0, NULL, 0)) == 0 ? 0 : -1;
}

/* The sentence looks for who holds the address; whatever fails there, there is a sentence. */
static int act_sentence(struct ctx *x)
{
    CHECK_INT(skt_bind(x->a, x->addr), -1);
    CHECK(errno != EADDRINUSE || strstr(skt_strerror(), strerror(EADDRINUSE)));
    return -1;
}

static int act_repr(struct ctx *x)
{
    char text[600];
    CHECK(skt_repr(x->a, text, sizeof text) == text && strstr(text, "<skt fd="));
    return 0;
}

/* A talk between two tasks, each of which waits for the other. */
struct talk {
    skt *pair[2];
    int code; /* the first failure's errno */
};

static void note_failure(struct talk *talk)
{
    if (!talk->code)
        talk->code = errno;
    skt_shutdown(talk->pair[0], SHUT_RDWR); /* whoever waits */
}

static void answer(void *arg)
{
    struct talk *talk = arg;
    char c;
    for (int i = 0; i < 3; i++) {
        ssize_t n = skt_recv(talk->pair[1], &c, 1, 0);
        if (n < 0 || (n == 1 && skt_sendall(talk->pair[1], "a", 1, 0) < 0))
            note_failure(talk);
        if (n < 1)
            return;
    }
}

static void ask(void *arg)
{
    struct talk *talk = arg;
    char c;
    if (skt_go(answer, talk) < 0) {
        note_failure(talk);
        return;
    }
    for (int i = 0; i < 3; i++) {
        ssize_t n = -1;
        if (skt_sendall(talk->pair[0], "q", 1, 0) < 0 || (n = skt_recv(talk->pair[0], &c, 1, 0)) < 0)
            note_failure(talk);
        if (n < 1)
            return;
    }
    struct pollfd fds[2] = { { .fd = skt_fileno(talk->pair[0]), .events = POLLOUT }, { .fd = -1 } };
    if (skt_sleep(0.0001) < 0 || skt_poll(fds, 2, 1) != 1)
        note_failure(talk);
}

static int act_run(struct ctx *x)
{
    struct talk talk = { .pair = { x->a, x->b } };
    if (skt_run(ask, &talk) < 0)
        return -1;
    errno = talk.code;
    return talk.code ? -1 : 0;
}

/* ---- The scenarios ---- */

/* Waiting does without these; a helper of an earlier look-up may still be there. */
#define WAKING "eventfd read write pthread_create close "

static const struct scenario scenarios[] = {
    { "socket", nothing, act_socket, "", false },
    { "socket with a default timeout", nothing, act_socket_nonblocking, "", false },
    { "socketpair", nothing, act_socketpair, "", false },
    /* a socket without a peer has none to remember */
    { "fromfd", prepare_pair, act_fromfd, "getpeername", false },
    { "fromfd with a default timeout", prepare_blocking_pair, act_fromfd_default, "getpeername", false },
    { "dup", prepare_pair, act_dup, "", false },
    { "close", prepare_pair, act_close, "", false },
    { "detach", prepare_pair, act_detach, "", false },
    { "bind", prepare_socket, act_bind, "", false },
    { "listen", prepare_socket, act_listen, "", false },
    { "accept", prepare_waiting_client, act_accept, WAKING, false },
    { "connect", prepare_server, act_connect, WAKING, false },
    { "connect by name", prepare_server, act_connect_by_name, WAKING "getaddrinfo ", false },
    { "connect_ex", prepare_server, act_connect_ex, WAKING, false },
    /* other addresses may do; digits are tried first; a connection to itself is looked for */
    { "create_connection", prepare_server, act_create_connection,
      WAKING "getaddrinfo socket connect getsockopt close getsockname getpeername ", false },
    { "create_connection_from", prepare_server, act_create_connection_from,
      WAKING "getaddrinfo setsockopt getsockname getpeername ", false },
    { "create_connection_with", prepare_server, act_create_connection_with,
      WAKING "getaddrinfo getsockname getpeername ", false },
    /* SO_REUSEADDR is not necessary */
    { "create_server", nothing, act_create_server, "setsockopt ", false },
    { "create_server by name", nothing, act_create_server_by_name, WAKING "setsockopt getaddrinfo ", false },
    /* without IPv6, IPv4 alone */
    { "create_server, dual", nothing, act_create_dual_server, "socket setsockopt close ", false },
    { "send", prepare_pair, act_send, WAKING, true },
    { "sendall", prepare_pair, act_sendall, WAKING, true },
    { "sendmsg", prepare_pair, act_sendmsg, WAKING, true },
    /* what sendfile(2) does not take is copied */
    { "sendfile", prepare_file, act_sendfile, WAKING "sendfile ", true },
    { "sendfile, by copies", prepare_file, act_sendfile_by_copies, WAKING, true },
    { "send_pipe", prepare_pipe, act_send_pipe, WAKING, true },
    { "writing to a FILE", prepare_writer, act_write_file, WAKING, true },
    { "reading and writing one FILE", prepare_both, act_write_both, WAKING, false },
    { "sendto", prepare_udp, act_sendto, WAKING, false },
    /* UDP_SEGMENT and sendmmsg(2) are done without */
    { "sendmmsg", prepare_udp, act_sendmmsg, WAKING "sendmmsg ", false },
    { "recv", prepare_data, act_recv, WAKING, false },
    { "recv that times out", prepare_pair, act_recv_nothing, WAKING, false },
    { "recv with MSG_WAITALL", prepare_data, act_recv_whole, WAKING, false },
    { "recvfrom", prepare_udp_data, act_recvfrom, WAKING, false },
    { "recvmsg", prepare_udp_data, act_recvmsg, WAKING, false },
    { "recvmmsg", prepare_udp_data, act_recvmmsg, WAKING "recvmmsg getsockopt ", false },
    { "send_fds", prepare_unix_pair, act_send_fds, WAKING, false },
    { "recv_fds", prepare_fds, act_recv_fds, WAKING, false },
    { "makefile", prepare_pair, act_makefile, "", false },
    { "reading a FILE", prepare_reader, act_read_file, WAKING, false },
    { "shutdown", prepare_pair, act_shutdown, "", false },
    { "getsockname and getpeername", prepare_pair, act_names_of_both_ends, "", false },
    { "options", prepare_pair, act_options, "", false },
    { "modes", prepare_pair, act_modes, "", false },
    { "getaddrinfo", nothing, act_getaddrinfo, WAKING "getaddrinfo ", false },
    { "getnameinfo", nothing, act_getnameinfo, WAKING, false },
    { "hosts", nothing, act_hosts, WAKING "getaddrinfo ", false },
    /* the machine's name does where it cannot be qualified */
    { "own name", nothing, act_own_name,
      WAKING "getaddrinfo gethostbyaddr pthread_create malloc calloc realloc ppoll epoll_ctl epoll_create1 ", false },
    { "small look-ups", nothing, act_small_lookups, "", false },
    { "sethostname", nothing, act_sethostname, "", false },
    { "an interface's name", nothing, act_interface, "", false },
    { "the sentence", prepare_server, act_sentence, "", false },
    { "repr", prepare_pair, act_repr, "getsockname getpeername ", false },
    /* stacks do without guards, overflows without a handler */
    { "run and go", prepare_unix_pair, act_run, WAKING "malloc madvise mprotect munmap ", false, true },
};

/* ---- Running them ---- */

static void clear_away(struct ctx *x)
{
    if (x->file)
        fclose(x->file);
    skt_close(x->a);
    skt_close(x->b);
    skt_close(x->c);
    if (x->fd >= 0)
        close(x->fd);
}

static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

/* Calls that are repeated or waited for. */
static bool passes_by(int call, int code)
{
    return (code == EINTR || code == EAGAIN) && call != F_close && call != F_start_thread;
}

/* The errno that the public function has for code of call. */
static const struct scenario *running;

static bool is_right(int call, int code, int seen)
{
    if (call == F_getaddrinfo || call == F_getnameinfo)
        return seen == (code == EAI_MEMORY ? ENOMEM : code == EAI_SYSTEM ? ENFILE : EHOSTUNREACH);
    if (call == F_gethostbyname || call == F_gethostbyaddr)
        return seen == EHOSTUNREACH;
    if (MUSL && running->act == act_read_file && seen == EIO)
        return code == EAGAIN; /* its stdio reads on after the timeout */
    return seen == code || (code == EAGAIN && seen == ETIMEDOUT);
}

/* b has got the first bytes of the pattern, all of them if the sending succeeded. */
static void check_stream(struct ctx *x, bool succeeded)
{
    size_t got = 0;
    ssize_t n;
    CHECK_INT(skt_settimeout(x->b, 5), 0);
    if (x->file)
        fclose(x->file);
    x->file = NULL;
    CHECK_INT(skt_shutdown(x->a, SHUT_WR), 0);
    while ((n = skt_recv(x->b, buf + got, sizeof buf - got, 0)) > 0)
        got += (size_t)n;
    CHECK_INT(n, 0);
    CHECK(got <= DATA && !memcmp(buf, pattern, got));
    if (succeeded)
        CHECK_INT(got, DATA);
}

static int threads_expected = 1;

/* Counts are short for no reason.  From the kernel, TCP's are not, and a task takes them for a sign that it
 * has to wait, until somebody has asked for the descriptor (skt_fileno). */
static bool pieces;

static void fault_at(size_t n, int call, int code, bool for_ever)
{
    const struct scenario *s = running;
    struct ctx x = { .fd = -1 };
    int fds = count_fds();
    s->prepare(&x);
    if (pieces)
        CHECK_INT(skt_fileno(x.a) >= 0, 1);
    errno = 0;
    faults_arm(call == F_NONE ? 0 : n, call, code, for_ever);
    int result = s->act(&x), seen = errno;
    faults_disarm();
    if (!fault_happened())
        call = F_NONE; /* threads took other turns this time */
    if (call != F_NONE && result < 0 && !is_right(call, code, seen) && !listed(s->ignores, fault_name(call)) &&
        s->act != act_recv_nothing && s->act != act_sentence)
        check_failed(__FILE__, __LINE__, "%s: call %zu, %s, failed with %d%s, and we with %d (%s): %s", s->name, n,
                     fault_name(call), code, for_ever ? " for ever" : "", seen, strerror(seen), skt_strerror());
    if (MUSL && s->act == act_read_file)
        call = F_NONE; /* its stdio reads on: what was wanted had come */
    if (call != F_NONE && result >= 0 && !passes_by(call, code) && !listed(s->ignores, fault_name(call)))
        check_failed(__FILE__, __LINE__, "%s: call %zu, %s, failed with %d%s, and we did not", s->name, n,
                     fault_name(call), code, for_ever ? " for ever" : "");
    if (result < 0)
        CHECK_INT(*skt_strerror() != '\0', 1);
    if (s->stream_to_b)
        check_stream(&x, result == 0);
    clear_away(&x);
    wait_for_threads(threads_expected); /* a helper whose look-up was abandoned ends by itself */
    if (count_fds() != fds)
        check_failed(__FILE__, __LINE__, "%s: call %zu, %s, failed with %d: %d descriptors before, %d after", s->name,
                     n, call == F_NONE ? "none" : fault_name(call), code, fds, count_fds());
}

/* What stays allocated for good: the pool of structs. */
static void check_memory(long before)
{
    if (fault_allocations() != before)
        check_failed(__FILE__, __LINE__, "%s: %ld allocations before, %ld after", running->name, before,
                     fault_allocations());
}

/* The search for an address' holder reads all of /proc: hundreds of calls, all alike. */
#define MOST_PLACES 60

/* The tables of a task's engine are allocated at the first wait for what is no socket's, as of a look-up that is not
 * done at once; they stay. */
static void warm_engine(void)
{
    int fds[2];
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    struct pollfd fd = { .fd = fds[0], .events = POLLIN };
    CHECK_INT(skt_poll(&fd, 1, 1e-4), 0);
    close(fds[0]);
    close(fds[1]);
}

static void run_scenario(void)
{
    if (running->begins_tasks && skt_in_task())
        return;
    CHECK_ERRNO(skt_inet_pton(-1, "", buf), EAFNOSUPPORT); /* a task's record is allocated at its first failure */
    warm_engine();
    fault_at(0, F_NONE, 0, false); /* warms up the rest */
    wait_for_threads(threads_expected);
    long before = fault_allocations();
    fault_at(0, F_NONE, 0, false);
    size_t calls = fault_count() < MOST_PLACES ? fault_count() : MOST_PLACES;
    for (size_t n = 1; n <= calls; n++) {
        fault_at(0, F_NONE, 0, false);
        int call = fault_call_at(n);
        if (call == F_NONE)
            continue; /* this time there were fewer: waiting differs */
        for (const int *code = fault_codes(call); *code; code++) {
            fault_at(n, call, *code, false);
            if (*code != EINTR) /* for ever would be for ever */
                fault_at(n, call, *code, true);
        }
    }
    check_memory(before);
}

static void run_all(void)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        running = &scenarios[i];
        run_scenario();
    }
}

static void signals_change_nothing(void)
{
    faults_interrupt(true);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        running = &scenarios[i];
        if (!running->begins_tasks || !skt_in_task())
            fault_at(0, F_NONE, 0, false);
    }
    faults_interrupt(false);
}

static void pieces_of_any_length(void)
{
    static int (*const acts[])(struct ctx *
                               x) = { act_sendall,    act_sendfile,  act_sendfile_by_copies, act_send_pipe,
                                      act_write_file, act_read_file, act_write_both,         act_recv_whole };
    for (size_t limit = 1; limit <= DATA; limit = limit < 40 ? limit + 1 : limit * 2 - 17)
        for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
            for (size_t j = 0; j < sizeof acts / sizeof *acts; j++) {
                if (scenarios[i].act != acts[j])
                    continue;
                running = &scenarios[i];
                faults_limit(limit);
                pieces = true;
                fault_at(0, F_NONE, 0, false);
                pieces = false;
                faults_limit(0);
            }
}

/* ---- What the turns above do not come to ---- */

static void *no_calloc(size_t n, size_t size)
{
    (void)n, (void)size;
    errno = ENOMEM;
    return NULL;
}

#define FAILS_WHOLE(call, code)                                                                                        \
    do {                                                                                                               \
        int fds = count_fds();                                                                                         \
        CHECK_ERRNO(call, code);                                                                                       \
        CHECK_INT(count_fds(), fds);                                                                                   \
    } while (0)

/* The pool has structs left wherever a call begins; here they are all taken. */
static void no_struct_for_a_socket(void)
{
    enum { MOST = 500 };
    void *(*usual)(size_t n, size_t size) = skti_sys.calloc;
    skt *held[MOST], *pair[2], *none[2];
    skt_addr addr;
    int n = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    skt *server = local_server(&addr);
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    skti_sys.calloc = no_calloc;
    while (n < MOST && (held[n] = skt_socket(AF_INET, SOCK_DGRAM, 0)))
        n++;
    CHECK(n < MOST && errno == ENOMEM);
    CHECK_STR(skt_strerror(), "socket: Cannot allocate memory");
    FAILS_WHOLE(skt_socket(AF_INET, SOCK_STREAM, 0), ENOMEM);
    FAILS_WHOLE(skt_socketpair(0, 0, 0, none), ENOMEM);
    FAILS_WHOLE(skt_fromfd(fd), ENOMEM);
    FAILS_WHOLE(skt_dup(server), ENOMEM);
    FAILS_WHOLE(skt_create_server(skt_inet("127.0.0.1", 0), NULL), ENOMEM);
    FAILS_WHOLE(skt_create_connection("127.0.0.1", skt_port(&addr), 1), ENOMEM);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(client, &addr.as.any, addr.len), 0);
    for (int i = 0; i < 2; i++) /* that of create_connection, too */
        FAILS_WHOLE(skt_accept(server, NULL), ENOMEM);
    CHECK_INT(skt_close(held[--n]), 0);
    FAILS_WHOLE(skt_socketpair(0, 0, 0, none), ENOMEM); /* one of the two has its struct */
    skti_sys.calloc = usual;
    while (n > 0)
        skt_close(held[--n]);
    close(client);
    close(fd);
    skt_close(pair[0]);
    skt_close(pair[1]);
    skt_close(server);
}

/* A thread that only exists: with it, we are not alone in the process. */
static int gate[2];

static void exist(void *arg)
{
    char c;
    (void)arg;
    CHECK_INT(read(gate[0], &c, 1), 0);
}

static void open_gate(struct peer *peer)
{
    CHECK_INT(pipe2(gate, O_CLOEXEC), 0);
    start_thread_peer(peer, exist, NULL);
}

static void close_gate(struct peer *peer)
{
    close(gate[1]);
    join_peer(peer);
    close(gate[0]);
}

static int no_mode(int fd, int on)
{
    (void)fd, (void)on;
    errno = ENOTTY;
    return -1;
}

/* Without a timeout, and beside other threads, these borrow O_NONBLOCK. */
static void a_mode_that_cannot_be_borrowed(void)
{
    int (*usual)(int fd, int on) = skti_sys.set_nonblocking;
    bool alone = threads_expected == 1;
    struct peer peer;
    skt_addr addr;
    if (alone)
        open_gate(&peer);
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    skti_sys.set_nonblocking = no_mode;
    CHECK_ERRNO(skt_connect(s, addr), ENOTTY);
    CHECK_ERRNO(skt_accept(server, NULL), ENOTTY);
    skti_sys.set_nonblocking = usual;
    CHECK_INT(skt_connect(s, addr), 0);
    skt_close(s);
    skt_close(server);
    if (alone)
        close_gate(&peer);
}

/* Before Linux 5.11 the kernel has only whole milliseconds. */
static int no_pwait2(int epoll, struct epoll_event *events, int n, const struct timespec *timeout)
{
    (void)epoll, (void)events, (void)n, (void)timeout;
    errno = ENOSYS;
    return -1;
}

static void without_epoll_pwait2(void)
{
    int (*usual)(int epoll, struct epoll_event *events, int n, const struct timespec *timeout) = skti_sys.epoll_pwait2;
    struct timespec from, to;
    skt *pair[2];
    skti_sys.epoll_pwait2 = no_pwait2;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_INT(skt_settimeout(pair[0], 0.0105), 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    CHECK_ERRNO(skt_recv(pair[0], buf, 1, 0), ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &to);
    CHECK((to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec >= 10500000);
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
    CHECK_INT(skt_recv(pair[0], buf, 1, 0), 1);
    skt_close(pair[0]);
    skt_close(pair[1]);
    skti_sys.epoll_pwait2 = usual;
}

/* Every name is this machine's: no test asks a server. */
static int only_localhost(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    struct addrinfo numeric = *hints;
    if (hints->ai_flags & AI_NUMERICHOST)
        return getaddrinfo(host, service, hints, list);
    numeric.ai_flags |= AI_NUMERICHOST;
    return getaddrinfo(hints->ai_family == AF_INET6 ? "::1" : "127.0.0.1", service, &numeric, list);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "every call fails in its turn, once and for ever", run_all },
        { "signals change nothing but time", signals_change_nothing },
        { "pieces of any length come out whole", pieces_of_any_length },
        { "no struct is left for another socket", no_struct_for_a_socket },
        { "a mode that cannot be borrowed", a_mode_that_cannot_be_borrowed },
        /* threads do not use it */
        { "without epoll_pwait2", without_epoll_pwait2, IN_TASK },
    };
    struct peer peer;
    for (size_t i = 0; i < DATA; i++)
        pattern[i] = (char)(i * 7 + i / 256);
    skti_sys.getaddrinfo = only_localhost;
    faults_install();
    bool threads = argc > 1 && !strcmp(argv[1], "threads");
    if (threads) {
        open_gate(&peer);
        threads_expected = 2;
    }
    int status = RUN_CASES(cases);
    if (threads)
        close_gate(&peer);
    faults_remove();
    return status;
}
