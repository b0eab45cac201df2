/* test_socket.c - making sockets, ending them, and what they say of themselves. */
#include "check.h"
#include "peer.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void made(void)
{
    skt *s = skt_socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    CHECK(s && skt_family(s) == AF_INET6 && skt_type(s) == SOCK_DGRAM && skt_proto(s) == IPPROTO_UDP);
    int fd = skt_fileno(s);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_INT(skt_get_inheritable(s), 0);
    CHECK_INT(skt_set_inheritable(s, true), 0);
    CHECK_INT(skt_get_inheritable(s), 1);
    CHECK(!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
    CHECK_INT(skt_set_inheritable(s, false), 0);
    CHECK_INT(skt_get_inheritable(s), 0);
    CHECK_INT(skt_close(s), 0);
    CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    s = skt_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(skt_type(s) == SOCK_STREAM && skt_gettimeout(s) == 0);
    skt_close(s);
}

static void not_made(void)
{
    CHECK_ERRNO(skt_socket(AF_INET, 77, 0), EINVAL);
    CHECK_STR(skt_strerror(), "socket: Invalid argument (AF_INET, type 77, protocol 0)");
    CHECK_ERRNO(skt_socket(12345, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_STR(skt_strerror(), "socket: Address family not supported by protocol (family 12345, type 1, protocol 0)");
    CHECK_ERRNO(skt_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    skt *pair[2];
    CHECK_ERRNO(skt_socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
    CHECK(!pair[0] && !pair[1]);
}

static void pairs(void)
{
    skt *pair[2];
    char c;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK(skt_family(pair[0]) == AF_UNIX && skt_type(pair[1]) == SOCK_STREAM);
    CHECK_INT(skt_sendall(pair[0], "x", 1, 0), 0);
    CHECK(skt_recv(pair[1], &c, 1, 0) == 1 && c == 'x');
    skt_close(pair[0]);
    CHECK_INT(skt_recv(pair[1], &c, 1, 0), 0);
    skt_close(pair[1]);
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    CHECK(skt_type(pair[0]) == SOCK_SEQPACKET && skt_gettimeout(pair[1]) == 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void adopted(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), file = open("/dev/null", O_RDONLY);
    skt *s = skt_fromfd(fd);
    CHECK(s && skt_fileno(s) == fd && skt_family(s) == AF_INET && skt_type(s) == SOCK_DGRAM);
    CHECK(skt_proto(s) == IPPROTO_UDP && skt_gettimeout(s) == 0);
    CHECK_INT(skt_close(s), 0);
    CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    CHECK_ERRNO(skt_fromfd(-1), EBADF);
    CHECK_STR(skt_strerror(), "fromfd: negative file descriptor: -1");
    CHECK_ERRNO(skt_fromfd(fd), EBADF);
    CHECK_ERRNO(skt_fromfd(file), ENOTSOCK);
    CHECK(fcntl(file, F_GETFD) >= 0);
    close(file);
    CHECK_INT(skt_setdefaulttimeout(4), 0);
    s = skt_fromfd(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_INT(skt_setdefaulttimeout(SKT_NO_TIMEOUT), 0);
    CHECK(skt_gettimeout(s) == 4 && (fcntl(skt_fileno(s), F_GETFL) & O_NONBLOCK));
    skt_close(s);
}

static void adopted_with_what_is_known(void)
{
    skt *s = skt_fromfd_as(socket(AF_INET, SOCK_STREAM, 0), AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 17);
    CHECK(skt_family(s) == AF_INET6 && skt_type(s) == SOCK_DGRAM && skt_proto(s) == 17); /* it is believed */
    skt_close(s);
    s = skt_fromfd_as(socket(AF_INET, SOCK_DGRAM, 0), -1, -1, 5);
    CHECK(skt_family(s) == AF_INET && skt_type(s) == SOCK_DGRAM && skt_proto(s) == 5);
    skt_close(s);
}

/* An adopted descriptor's mode is asked for when a call would wait, each time by another call here. */
static void adopted_never_waits(void)
{
    int fds[2];
    char c;
    skt_addr addr;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    skt *s = skt_fromfd(fds[0]), *blocking = skt_fromfd(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_ERRNO(skt_recv(s, &c, 1, 0), EAGAIN);
    CHECK(skt_gettimeout(s) == 0 && !skt_timed_out());
    skt_close(s);
    close(fds[1]);
    s = skt_fromfd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK(skt_bind(s, skt_inet("127.0.0.1", 0)) == 0 && skt_listen(s, 1) == 0 && skt_getsockname(s, &addr) == 0);
    CHECK_ERRNO(skt_accept(s, NULL), EAGAIN);
    skt *copy = skt_dup(s);
    CHECK(skt_gettimeout(copy) == 0 && skt_gettimeout(s) == 0);
    CHECK_INT(skt_connect(blocking, addr), 0);
    CHECK(skt_gettimeout(blocking) == SKT_NO_TIMEOUT && !(fcntl(skt_fileno(blocking), F_GETFL) & O_NONBLOCK));
    skt_close(blocking);
    skt_close(copy);
    skt_close(s);
}

/* The mode is what the timeout stands for, though somebody else has changed it meanwhile. */
static void mode_is_set_again(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fcntl(skt_fileno(s), F_SETFL, O_NONBLOCK) == 0);
    CHECK_INT(skt_settimeout(s, SKT_NO_TIMEOUT), 0);
    CHECK(!(fcntl(skt_fileno(s), F_GETFL) & O_NONBLOCK));
    CHECK_INT(skt_settimeout(s, 1), 0);
    CHECK(fcntl(skt_fileno(s), F_SETFL, 0) == 0);
    CHECK_INT(skt_settimeout(s, 2), 0);
    CHECK(fcntl(skt_fileno(s), F_GETFL) & O_NONBLOCK);
    skt_close(s);
}

static void doubled(void)
{
    skt *pair[2];
    char c;
    tcp_pair(pair);
    CHECK_INT(skt_settimeout(pair[0], 7), 0);
    skt *twin = skt_dup(pair[0]);
    CHECK(twin && skt_fileno(twin) != skt_fileno(pair[0]) && skt_gettimeout(twin) == 7 &&
          skt_get_inheritable(twin) == 0);
    CHECK_INT(skt_close(pair[0]), 0);
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
    CHECK(skt_recv(twin, &c, 1, 0) == 1);
    skt_close(twin);
    skt_close(pair[1]);
}

static void detached(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    int fd = skt_fileno(s);
    CHECK_INT(skt_detach(s), fd);
    CHECK(fcntl(fd, F_GETFD) >= 0);
    CHECK_ERRNO(skt_fileno(s), EBADF);
    CHECK_ERRNO(skt_close(s), EBADF);
    CHECK_ERRNO(skt_detach(s), EBADF);
    close(fd);
}

static void detached_with_a_file(void)
{
    skt *pair[2];
    char c;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    FILE *file = skt_makefile(pair[0], "r");
    int fd = skt_detach(pair[0]);
    CHECK(fd >= 0 && fgetc(file) == EOF && errno == EBADF);
    CHECK_INT(fclose(file), 0);
    CHECK_INT(skt_sendall(pair[1], "x", 1, 0), 0);
    CHECK_INT(read(fd, &c, 1), 1);
    close(fd);
    skt_close(pair[1]);
}

static void closed(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    char c, text[64];
    CHECK_INT(skt_close(s), 0);
    CHECK_ERRNO(skt_close(s), EBADF);
    CHECK_STR(skt_strerror(), "close: Bad file descriptor (the socket is closed)");
    CHECK_ERRNO(skt_recv(s, &c, 1, 0), EBADF);
    CHECK_STR(skt_strerror(), "recv: Bad file descriptor (the socket is closed)");
    CHECK_ERRNO(skt_fileno(s), EBADF);
    CHECK_STR(skt_repr(s, text, sizeof text), "<skt [closed]>");
    CHECK_STR(skt_repr(NULL, text, sizeof text), "<skt NULL>");
    CHECK_INT(skt_close(NULL), 0);
}

/* A handle that was closed is caught for a while: its struct is the last to be used again. */
static void closed_for_a_while(void)
{
    skt *old = skt_socket(AF_INET, SOCK_STREAM, 0), *later[16];
    skt_close(old);
    for (int i = 0; i < 16; i++) {
        later[i] = skt_socket(AF_INET, SOCK_STREAM, 0);
        CHECK_ERRNO(skt_fileno(old), EBADF);
    }
    for (int i = 0; i < 16; i++)
        skt_close(later[i]);
}

static void many(void)
{
    enum { MANY = 500 };
    skt *s[MANY];
    for (int i = 0; i < MANY; i++)
        CHECK((s[i] = skt_socket(AF_INET, SOCK_DGRAM, 0)) != NULL);
    for (int i = 0; i < MANY; i++)
        CHECK(skt_fileno(s[i]) >= 0 && (i == 0 || s[i] != s[i - 1]));
    for (int i = 0; i < MANY; i++)
        CHECK_INT(skt_close(s[i]), 0);
}

static void shown(void)
{
    char text[400], expected[400], small[8];
    skt_addr addr;
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_inet("127.0.0.1", 0)), 0);
    CHECK_INT(skt_getsockname(s, &addr), 0);
    CHECK_INT(skt_connect(s, skt_inet("127.0.0.1", 9)), 0);
    snprintf(expected, sizeof expected,
             "<skt fd=%d, family=AF_INET, type=SOCK_DGRAM, proto=0, laddr=127.0.0.1:%d, raddr=127.0.0.1:9>",
             skt_fileno(s), skt_port(&addr));
    CHECK_STR(skt_repr(s, text, sizeof text), expected);
    CHECK_INT(strlen(skt_repr(s, small, sizeof small)), 7);
    CHECK(skt_repr(s, NULL, 8) == NULL && skt_repr(s, small, 0) == NULL);
    skt_close(s);
    s = skt_socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
    if (s)
        CHECK(strstr(skt_repr(s, text, sizeof text), "type=SOCK_RAW, proto=1"));
    skt_close(s);
}

static void options(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    int value = -1;
    struct linger linger = { 1, 5 }, got = { 0, 0 };
    socklen_t len = sizeof got;
    CHECK_INT(skt_setsockopt_int(s, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    CHECK(skt_getsockopt_int(s, SOL_SOCKET, SO_KEEPALIVE, &value) == 0 && value == 1);
    CHECK_INT(skt_setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    CHECK(skt_getsockopt(s, SOL_SOCKET, SO_LINGER, &got, &len) == 0 && got.l_linger == 5 && len == sizeof got);
    CHECK_ERRNO(skt_setsockopt_int(s, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
    CHECK_STR(skt_strerror(), "setsockopt: Protocol not available (level 1, option 9999)");
    CHECK_ERRNO(skt_getsockopt_int(s, SOL_SOCKET, 9999, &value), ENOPROTOOPT);
    CHECK_ERRNO(skt_getsockopt_int(s, SOL_SOCKET, SO_KEEPALIVE, NULL), EFAULT);
    CHECK_ERRNO(skt_getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &value, NULL), EFAULT);
    CHECK_ERRNO(skt_getsockopt(s, SOL_SOCKET, SO_LINGER, NULL, &len), EFAULT);
    skt_close(s);
}

/* The options of AF_VSOCK's own level are 64-bit numbers. */
static void wide_options(void)
{
    skt *s = skt_socket(AF_VSOCK, SOCK_STREAM, 0);
    int value = 0;
    if (!s)
        SKIP("no AF_VSOCK here: %s", skt_strerror());
    if (under_qemu()) {
        skt_close(s);
        SKIP("qemu-user knows no options of AF_VSOCK");
    }
    CHECK_INT(skt_setsockopt_int(s, AF_VSOCK, 2, 1 << 20), 0); /* SO_VM_SOCKETS_BUFFER_MAX_SIZE */
    CHECK(skt_getsockopt_int(s, AF_VSOCK, 2, &value) == 0 && value == 1 << 20);
    skt_close(s);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "a socket is what it was made as", made },
        { "what cannot be made is told in a sentence", not_made },
        { "socketpair, Python's defaults", pairs },
        { "fromfd adopts a descriptor", adopted },
        { "socket(fileno=...), with what is known", adopted_with_what_is_known },
        { "an adopted descriptor that is non-blocking never waits", adopted_never_waits },
        { "settimeout sets the mode whatever it was", mode_is_set_again },
        { "dup", doubled },
        { "detach", detached },
        { "detach takes the descriptor from FILEs too", detached_with_a_file },
        { "calls on a closed socket", closed },
        { "a closed handle is caught for a while", closed_for_a_while },
        { "many sockets", many },
        { "repr", shown },
        { "options", options },
        { "options of 64 bits", wide_options },
    };
    return RUN_CASES(cases);
}
