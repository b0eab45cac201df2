/* test_bad_input.c - every public function, called wrongly: a clear error, and never a crash. */
#include "bad_input.h"
#include "check.h"
#include "peer.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <linux/tipc.h>
#include <math.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOO_MUCH ((size_t)SSIZE_MAX + 1)
#define BDADDR "01:23:45:67:89:ab"

static const char *header_path;

/* ---- What the macros of bad_input.h need ---- */

static struct {
    const char *function;
    bool without_socket;
} noted[256];
static size_t n_noted;

static bool was_noted(const char *function, size_t len, bool without_socket)
{
    for (size_t i = 0; i < n_noted; i++)
        if (strlen(noted[i].function) == len && !strncmp(noted[i].function, function, len) &&
            (noted[i].without_socket || !without_socket))
            return true;
    return false;
}

void note(const char *function, enum with with)
{
    if (was_noted(function, strlen(function), with == WITHOUT_SOCKET))
        return;
    CHECK(n_noted < sizeof noted / sizeof *noted);
    noted[n_noted].function = function;
    noted[n_noted++].without_socket = with == WITHOUT_SOCKET;
}

static void check_sentence(int line, const char *function, const char *call, int code)
{
    const skt_error *r = skt_error_record();
    const char *sentence = skt_strerror();
    size_t len = strlen(call);
    bool by_errno = r->domain == SKT_ERROR_SYSTEM || r->domain == SKT_ERROR_ARGUMENT;
    if (strncmp(sentence, call, len) != 0 || (sentence[len] != ':' && sentence[len] != ' ') || !sentence[len + 2])
        check_failed(__FILE__, line, "%s: the sentence is \"%s\"", function, sentence);
    if (strcmp(r->call, call) != 0 || (by_errno && r->code != code) || (!by_errno && r->domain != SKT_ERROR_NAME))
        check_failed(__FILE__, line, "%s: the record is of %s, domain %d, code %d: %s", function, r->call, r->domain,
                     r->code, sentence);
}

void check_refusal(int line, const char *function, const char *call, int code, long long result)
{
    int actual = errno;
    if (result != -1 && result != 0)
        check_failed(__FILE__, line, "%s gave %lld and did not fail", function, result);
    if (actual != code)
        check_failed(__FILE__, line, "%s: errno is %d (%s), not %d (%s): %s", function, actual, strerror(actual), code,
                     strerror(code), skt_strerror());
    check_sentence(line, function, call, code);
}

void check_bad_address(int line, const char *function, int code, skt_addr addr)
{
    char text[SKT_ADDR_TEXT_MAX];
    socklen_t len = 7;
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    errno = 0;
    check_refusal(line, function, "bind", code, skt_bind(s, addr));
    check_refusal(line, function, "connect", code, skt_connect(s, addr));
    CHECK_INT(skt_connect_ex(s, addr), code);
    CHECK(!skt_addr_sockaddr(&addr, &len) && len == 0 && skt_port(&addr) == -1);
    CHECK_STR(skt_host(&addr), "");
    CHECK(*skt_addr_text(&addr, text, sizeof text));
    skt_close(s);
}

static skt_error before;

void fail_before(void)
{
    skt_fromfd(-1);
    before = *skt_error_record();
    errno = 12345;
}

void check_untouched(int line, const char *function)
{
    const skt_error *now = skt_error_record();
    if (errno != 12345)
        check_failed(__FILE__, line, "%s: a NULL socket made errno %d", function, errno);
    if (now->call != before.call || now->code != before.code || strcmp(now->detail, before.detail) != 0)
        check_failed(__FILE__, line, "%s: a NULL socket made the record \"%s\"", function, skt_strerror());
}

skt *closed_socket(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_close(s), 0);
    return s;
}

/* A name of len bytes, in labels that are short enough; until the next one. */
static const char *name_of(size_t len)
{
    static char name[8192];
    for (size_t i = 0; i < len; i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[len] = '\0';
    return name;
}

/* ---- Sockets that are NULL or closed ---- */

static long long timeout_of(skt *s)
{
    return isnan(skt_gettimeout(s)) ? -1 : 1;
}

static void no_socket_to_ask(void)
{
    int value = 1;
    socklen_t len = sizeof value;
    skt_addr addr;
    NEEDS_SOCKET(skt_dup, "dup", (s));
    NEEDS_SOCKET(skt_close, "close", (s));
    NEEDS_SOCKET(skt_detach, "detach", (s));
    NEEDS_SOCKET(skt_fileno, "fileno", (s));
    NEEDS_SOCKET(skt_family, "family", (s));
    NEEDS_SOCKET(skt_type, "type", (s));
    NEEDS_SOCKET(skt_proto, "proto", (s));
    NEEDS_SOCKET(skt_get_inheritable, "get_inheritable", (s));
    NEEDS_SOCKET(skt_set_inheritable, "set_inheritable", (s, true));
    NEEDS_SOCKET(skt_getpeername, "getpeername", (s, &addr));
    NEEDS_SOCKET(skt_getsockname, "getsockname", (s, &addr));
    NEEDS_SOCKET(skt_setsockopt, "setsockopt", (s, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value));
    NEEDS_SOCKET(skt_getsockopt, "getsockopt", (s, SOL_SOCKET, SO_REUSEADDR, &value, &len));
    NEEDS_SOCKET(skt_setsockopt_int, "setsockopt", (s, SOL_SOCKET, SO_REUSEADDR, 1));
    NEEDS_SOCKET(skt_getsockopt_int, "getsockopt", (s, SOL_SOCKET, SO_REUSEADDR, &value));
    NEEDS_SOCKET(skt_settimeout, "settimeout", (s, 1));
    NEEDS_SOCKET(skt_setblocking, "setblocking", (s, true));
    NEEDS_SOCKET(skt_getblocking, "getblocking", (s));
    NEEDS_SOCKET(timeout_of, "gettimeout", (s));
    note("skt_gettimeout", WITHOUT_SOCKET);
}

static void no_socket_to_use(void)
{
    char c = 0;
    int fd, flags;
    size_t nfds = 1;
    struct iovec iov = { &c, 1 };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt_datagram d = { .data = &c, .len = 1 };
    skt_addr addr = skt_inet("127.0.0.1", 1);
    NEEDS_SOCKET(skt_bind, "bind", (s, skt_inet("127.0.0.1", 0)));
    NEEDS_SOCKET(skt_listen, "listen", (s, 1));
    NEEDS_SOCKET(skt_accept, "accept", (s, &addr));
    NEEDS_SOCKET(skt_accept_fd, "accept", (s, &addr));
    NEEDS_SOCKET(skt_connect, "connect", (s, skt_inet("127.0.0.1", 1)));
    NEEDS_SOCKET(skt_shutdown, "shutdown", (s, SHUT_RDWR));
    NEEDS_SOCKET(skt_recv, "recv", (s, &c, 1, 0));
    NEEDS_SOCKET(skt_recvfrom, "recvfrom", (s, &c, 1, 0, &addr));
    NEEDS_SOCKET(skt_send, "send", (s, &c, 1, 0));
    NEEDS_SOCKET(skt_sendall, "sendall", (s, &c, 1, 0));
    NEEDS_SOCKET(skt_sendto, "sendto", (s, &c, 1, 0, skt_inet("127.0.0.1", 1)));
    NEEDS_SOCKET(skt_sendfile, "sendfile", (s, 0, 0, 1));
    NEEDS_SOCKET(skt_recv_pipe, "recv_pipe", (s, 1, 1));
    NEEDS_SOCKET(skt_send_pipe, "send_pipe", (s, 0, 1));
    NEEDS_SOCKET(skt_makefile, "makefile", (s, "r"));
    NEEDS_SOCKET(skt_recvmsg, "recvmsg", (s, &msg, 0));
    NEEDS_SOCKET(skt_sendmsg, "sendmsg", (s, &msg, 0));
    NEEDS_SOCKET(skt_send_fds, "send_fds", (s, &c, 1, &(int){ 0 }, 1, 0));
    NEEDS_SOCKET(skt_recv_fds, "recv_fds", (s, &c, 1, &fd, &nfds, 0, &flags));
    NEEDS_SOCKET(skt_sendmsg_afalg, "sendmsg_afalg", (s, &iov, 1, ALG_OP_ENCRYPT, NULL, 0, -1, 0));
    NEEDS_SOCKET(skt_sendmmsg, "sendmmsg", (s, &d, 1, 0));
    NEEDS_SOCKET(skt_recvmmsg, "recvmmsg", (s, &d, 1, &c, 1, 0));
}

/* Without a socket an argument that is wrong too is not looked at. */
static void no_socket_and_no_arguments(void)
{
    NEEDS_SOCKET(skt_recv, "recv", (s, NULL, TOO_MUCH, -1));
    NEEDS_SOCKET(skt_sendto, "sendto", (s, NULL, TOO_MUCH, -1, skt_inet(NULL, -1)));
    NEEDS_SOCKET(skt_recvmsg, "recvmsg", (s, NULL, -1));
    NEEDS_SOCKET(skt_recv_fds, "recv_fds", (s, NULL, TOO_MUCH, NULL, NULL, -1, NULL));
    NEEDS_SOCKET(skt_getsockopt, "getsockopt", (s, -1, -1, NULL, NULL));
    NEEDS_SOCKET(skt_settimeout, "settimeout", (s, NAN));
    NEEDS_SOCKET(skt_makefile, "makefile", (s, NULL));
}

static void no_socket_by_number(void)
{
    skt_addr to = skt_inet("127.0.0.1", 1);
    note("skt_connect_ex", WITHOUT_SOCKET);
    fail_before();
    CHECK_INT(skt_connect_ex(NULL, to), 12345);
    check_untouched(__LINE__, "skt_connect_ex");
    errno = 0;
    CHECK_INT(skt_connect_ex(NULL, to), EBADF);
    CHECK_INT(errno, 0);
    CHECK_INT(skt_connect_ex(closed_socket(), to), EBADF);
    CHECK_INT(errno, 0);
    CHECK_STR(skt_strerror(), "connect: Bad file descriptor (the socket is closed)");
}

static void shown_all_the_same(void)
{
    char text[64];
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    note("skt_repr", WITHOUT_SOCKET);
    fail_before();
    CHECK(!skt_repr(s, NULL, 64) && !skt_repr(s, text, 0) && !skt_repr(NULL, NULL, 0));
    CHECK_STR(skt_repr(NULL, text, sizeof text), "<skt NULL>");
    CHECK_STR(skt_repr(s, text, 5), "<skt");
    CHECK_STR(skt_repr(s, text, 1), "");
    CHECK(strlen(skt_repr(s, text, sizeof text)) == sizeof text - 1);
    skt_close(s);
    CHECK_STR(skt_repr(s, text, SIZE_MAX), "<skt [closed]>");
    CHECK_STR(skt_repr(NULL, text, SIZE_MAX), "<skt NULL>");
    check_untouched(__LINE__, "skt_repr");
}

/* ---- Addresses ---- */

static const int bad_ports[] = { -1, 65536, INT_MIN, INT_MAX };

static void addresses_of_hosts(void)
{
    for (size_t i = 0; i < sizeof bad_ports / sizeof *bad_ports; i++) {
        BAD_ADDRESS(skt_inet, EINVAL, ("127.0.0.1", bad_ports[i]));
        BAD_ADDRESS(skt_inet6, EINVAL, ("::1", bad_ports[i], 0, 0));
        BAD_ADDRESS(skt_name, EINVAL, ("example.org", bad_ports[i]));
    }
    BAD_ADDRESS(skt_inet, EFAULT, (NULL, 80));
    BAD_ADDRESS(skt_inet6, EFAULT, (NULL, 80, 0, 0));
    BAD_ADDRESS(skt_name, EFAULT, (NULL, 80));
    BAD_ADDRESS(skt_inet6, EINVAL, ("::1", 80, 0x100000, 0));
    BAD_ADDRESS(skt_inet, EINVAL, (name_of(256), 80));
    BAD_ADDRESS(skt_inet, EINVAL, (name_of(5000), 80));
    BAD_ADDRESS(skt_inet6, EINVAL, (name_of(256), 80, 0, 0));
    BAD_ADDRESS(skt_inet6, EINVAL, (name_of(5000), 80, 0, 0));
    BAD_ADDRESS(skt_name, EINVAL, (name_of(256), 80));
    BAD_ADDRESS(skt_name, EINVAL, (name_of(5000), 80));
}

static void addresses_of_paths(void)
{
    char name[200] = "";
    BAD_ADDRESS(skt_unix, EFAULT, (NULL));
    BAD_ADDRESS(skt_unix, ENAMETOOLONG, (name_of(108)));
    BAD_ADDRESS(skt_unix, ENAMETOOLONG, (name_of(5000)));
    BAD_ADDRESS(skt_abstract, EFAULT, (NULL, 1));
    BAD_ADDRESS(skt_abstract, ENAMETOOLONG, (name, 108));
    BAD_ADDRESS(skt_abstract, ENAMETOOLONG, (name, SIZE_MAX));
    skt_addr longest = skt_unix(name_of(107)), unnamed = skt_abstract(NULL, 0), abstract = skt_abstract(name, 107);
    CHECK_STR(skt_host(&longest), name_of(107));
    CHECK_STR(skt_host(&unnamed), "");
    CHECK_INT(strlen(skt_host(&abstract)), 255); /* of 321, "%00" for each byte */
}

static void addresses_of_interfaces(void)
{
    unsigned char mac[16] = { 0 };
    BAD_ADDRESS(skt_packet, EFAULT, (NULL, 0, 0, 0, mac, 6));
    BAD_ADDRESS(skt_packet, EFAULT, ("", 0, 0, 0, NULL, 6));
    BAD_ADDRESS(skt_packet, EINVAL, ("", -1, 0, 0, mac, 6));
    BAD_ADDRESS(skt_packet, EINVAL, ("", 65536, 0, 0, mac, 6));
    BAD_ADDRESS(skt_packet, EINVAL, ("", 0, 256, 0, mac, 6));
    BAD_ADDRESS(skt_packet, EINVAL, ("", 0, 0, -1, mac, 6));
    BAD_ADDRESS(skt_packet, EINVAL, ("", 0, 0, 0, mac, 9));
    BAD_ADDRESS(skt_packet, EINVAL, ("", 0, 0, 0, mac, SIZE_MAX));
    BAD_ADDRESS(skt_packet, EINVAL, (name_of(16), 0, 0, 0, NULL, 0));
    BAD_ADDRESS(skt_can, EFAULT, (NULL));
    BAD_ADDRESS(skt_can, EINVAL, (name_of(16)));
    BAD_ADDRESS(skt_can_isotp, EFAULT, (NULL, 0, 0));
    BAD_ADDRESS(skt_can_isotp, EINVAL, (name_of(5000), 0, 0));
    BAD_ADDRESS(skt_can_j1939, EFAULT, (NULL, 0, 0, 0));
    BAD_ADDRESS(skt_can_j1939, EINVAL, (name_of(5000), 0, 0, 0));
    skt_addr longest = skt_can(name_of(15));
    CHECK_STR(skt_host(&longest), name_of(15));
}

static void addresses_of_the_rest(void)
{
    struct sockaddr_storage sa = { .ss_family = AF_INET };
    BAD_ADDRESS(skt_tipc, EINVAL, (99, 0, 0, 0, 0));
    BAD_ADDRESS(skt_tipc, EINVAL, (-1, 0, 0, 0, 0));
    BAD_ADDRESS(skt_tipc, EINVAL, (TIPC_ADDR_ID, 0, 0, 0, 128));
    BAD_ADDRESS(skt_l2cap, EFAULT, (NULL, 1, 0, 0));
    BAD_ADDRESS(skt_l2cap, EINVAL, ("01:23", 1, 0, 0));
    BAD_ADDRESS(skt_l2cap, EINVAL, (BDADDR ":", 1, 0, 0));
    BAD_ADDRESS(skt_rfcomm, EFAULT, (NULL, 1));
    BAD_ADDRESS(skt_rfcomm, EINVAL, (name_of(5000), 1));
    BAD_ADDRESS(skt_sco, EFAULT, (NULL));
    BAD_ADDRESS(skt_sco, EINVAL, (""));
    BAD_ADDRESS(skt_alg, EFAULT, (NULL, "sha256", 0, 0));
    BAD_ADDRESS(skt_alg, EFAULT, ("hash", NULL, 0, 0));
    BAD_ADDRESS(skt_alg, EINVAL, (name_of(14), "sha256", 0, 0));
    BAD_ADDRESS(skt_alg, EINVAL, ("hash", name_of(64), 0, 0));
    BAD_ADDRESS(skt_sockaddr, EFAULT, (NULL, 16));
    BAD_ADDRESS(skt_sockaddr, EINVAL, ((struct sockaddr *)&sa, sizeof sa + 1));
    BAD_ADDRESS(skt_sockaddr, EINVAL, ((struct sockaddr *)&sa, (socklen_t)-1));
    FAILS(skt_getnameinfo, "getnameinfo", EINVAL, ((skt_addr){ 0 }, 0, NULL, 0, NULL, 0, 1));
}

/* Those of which every value is some address: of the wrong family here. */
static void addresses_of_numbers(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (s, NOTED(skt_netlink)(UINT32_MAX, UINT32_MAX)));
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (s, NOTED(skt_vsock)(UINT32_MAX, UINT32_MAX)));
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (s, NOTED(skt_hci)(UINT16_MAX, UINT16_MAX)));
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (s, NOTED(skt_qipcrtr)(UINT32_MAX, UINT32_MAX)));
    skt_close(s);
}

static void addresses_as_text(void)
{
    static const char *const texts[] = {
        "",          "127.0.0.1:-1",          "127.0.0.1:65536", "127.0.0.1:http ",
        "[::1]:-1",  "[::1]:65536",           "[::1]:http ",     "127.0.0.1:99999999999",
        "vsock:2,x", "netlink:4294967296",    "packet:,65536",   "sockaddr:65536,",
        "alg:hash",  "l2cap:" BDADDR ",-1",   "tipc:2",          "can-j1939:,18446744073709551616",
        "sco:",      "rfcomm:" BDADDR ",256", "hci:65536",       "qipcrtr:1",
    };
    char text[9000];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        BAD_ADDRESS(skt_addr_parse, EINVAL, (texts[i]));
    BAD_ADDRESS(skt_addr_parse, EFAULT, (NULL));
    static const char *const schemes[] = { "",           "[",          "packet:",  "vsock:",   "tipc:",   "can:",
                                           "can-isotp:", "can-j1939:", "alg:",     "l2cap:",   "rfcomm:", "hci:",
                                           "sco:",       "netlink:",   "qipcrtr:", "sockaddr:" };
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        snprintf(text, sizeof text, "%s%s:80", schemes[i], name_of(5000));
        BAD_ADDRESS(skt_addr_parse, EINVAL, (text));
    }
    snprintf(text, sizeof text, "unix:%s", name_of(109));
    BAD_ADDRESS(skt_addr_parse, ENAMETOOLONG, (text));
    snprintf(text, sizeof text, "unix-abstract:%s", name_of(108));
    BAD_ADDRESS(skt_addr_parse, ENAMETOOLONG, (text));
}

/* The kernel may give a path that fills its place and has no NUL. */
static void unterminated_path(void)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    char text[SKT_ADDR_TEXT_MAX];
    memset(sa.sun_path, 'a', sizeof sa.sun_path);
    skt_addr a = skt_sockaddr((struct sockaddr *)&sa, sizeof sa);
    CHECK_INT(strlen(skt_host(&a)), sizeof sa.sun_path);
    CHECK_INT(strlen(skt_addr_text(&a, text, sizeof text)), strlen("unix:") + sizeof sa.sun_path);
    CHECK(NOTED(skt_addr_equal)(&a, &a));
}

static void addresses_that_are_read(void)
{
    char text[64];
    socklen_t len = 7;
    skt_addr a = skt_inet("127.0.0.1", 80);
    fail_before();
    CHECK_STR(NOTED(skt_host)(NULL), "");
    CHECK_INT(NOTED(skt_port)(NULL), -1);
    CHECK(!NOTED(skt_addr_text)(&a, NULL, 64) && !skt_addr_text(&a, text, 0));
    CHECK_STR(skt_addr_text(NULL, text, sizeof text), "");
    CHECK_STR(skt_addr_text(&a, text, 5), "127.");
    CHECK_STR(skt_addr_text(&a, text, 1), "");
    CHECK_STR(skt_addr_text(&a, text, SIZE_MAX), "127.0.0.1:80");
    CHECK(!NOTED(skt_addr_sockaddr)(NULL, &len) && len == 0 && !skt_addr_sockaddr(NULL, NULL));
    CHECK(skt_addr_sockaddr(&a, NULL) == &a.as.any);
    CHECK(!skt_addr_equal(&a, NULL) && !skt_addr_equal(NULL, &a) && !skt_addr_equal(NULL, NULL));
    check_untouched(__LINE__, "an address");
}

/* ---- Making sockets, servers and clients ---- */

static void makings(void)
{
    skt *pair[2];
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    FAILS(skt_socket, "socket", EAFNOSUPPORT, (-1, SOCK_STREAM, 0));
    FAILS(skt_socket, "socket", EAFNOSUPPORT, (INT_MAX, SOCK_STREAM, 0));
    FAILS(skt_socket, "socket", EINVAL, (AF_INET, -1, 0));
    FAILS(skt_socket, "socket", EINVAL, (AF_INET, SOCK_STREAM, -1));
    FAILS(skt_fromfd, "fromfd", EBADF, (-1));
    FAILS(skt_fromfd, "fromfd", EBADF, (INT_MAX));
    FAILS(skt_fromfd, "fromfd", ENOTSOCK, (file));
    FAILS(skt_fromfd_as, "fromfd", EBADF, (-1, AF_INET, SOCK_STREAM, 0));
    FAILS(skt_fromfd_as, "fromfd", EBADF, (INT_MAX, AF_INET, SOCK_STREAM, 0));
    FAILS(skt_fromfd_as, "fromfd", ENOTSOCK, (file, AF_INET, SOCK_STREAM, 0));
    FAILS(skt_socketpair, "socketpair", EFAULT, (AF_UNIX, SOCK_STREAM, 0, NULL));
    FAILS(skt_socketpair, "socketpair", EAFNOSUPPORT, (-1, SOCK_STREAM, 0, pair));
    FAILS(skt_socketpair, "socketpair", EINVAL, (AF_UNIX, -1, 0, pair));
    close(file);
}

static void servers(void)
{
    skt_server_options reuse = { .reuse_port = true }, dual = { .dualstack_ipv6 = true };
    skt *s = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK(s && skt_listen(s, INT_MIN) == 0 && skt_listen(s, INT_MAX) == 0);
    FAILS(skt_connect, "connect", EISCONN, (s, skt_inet("127.0.0.1", 1)));
    skt_close(s);
    FAILS(skt_create_server, "create_server", EINVAL, ((skt_addr){ 0 }, NULL));
    FAILS(skt_create_server, "create_server", EFAULT, (skt_inet(NULL, 0), NULL));
    FAILS(skt_create_server, "create_server", EINVAL, (skt_name("localhost", 70000), NULL));
    FAILS(skt_create_server, "create_server", ENAMETOOLONG, (skt_unix(name_of(108)), NULL));
    FAILS(skt_create_server, "create_server", EINVAL, (skt_abstract("x", 1), &reuse));
    FAILS(skt_create_server, "create_server", EINVAL, (skt_inet("127.0.0.1", 0), &dual));
    CHECK(NOTED(skt_has_dualstack_ipv6)() == skt_has_dualstack_ipv6());
}

static void connections(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    char c;
    for (size_t i = 0; i < sizeof bad_ports / sizeof *bad_ports; i++)
        FAILS(skt_create_connection, "connect", EINVAL, ("127.0.0.1", bad_ports[i], 1));
    FAILS(skt_create_connection, "connect", EFAULT, (NULL, 80, 1));
    FAILS(skt_create_connection, "connect", EINVAL, ("", 80, 1));
    FAILS(skt_create_connection, "connect", EHOSTUNREACH, (name_of(254), 80, 5));
    FAILS(skt_create_connection, "connect", EHOSTUNREACH, (name_of(5000), 80, 5));
    FAILS(skt_create_connection_from, "connect", EFAULT, (NULL, 80, 1, skt_inet("", 0)));
    FAILS(skt_create_connection_from, "connect", EINVAL, ("127.0.0.1", -1, 1, skt_inet("", 0)));
    FAILS(skt_create_connection_from, "connect", EINVAL, ("127.0.0.1", 80, 1, skt_inet("", -1)));
    FAILS(skt_create_connection_from, "connect", EINVAL, ("127.0.0.1", 80, 1, skt_inet("localhost", 0)));
    FAILS(skt_create_connection_from, "connect", EINVAL, ("127.0.0.1", 80, 1, (skt_addr){ 0 }));
    FAILS(skt_create_connection_from, "connect", EAFNOSUPPORT, ("127.0.0.1", 80, 1, skt_unix("/x")));
    FAILS(skt_create_connection_with, "connect", EFAULT, (NULL, 80, 1, NULL));
    FAILS(skt_create_connection_with, "connect", EAFNOSUPPORT,
          ("127.0.0.1", 80, 1, &(skt_connection_options){ .family = AF_UNIX }));
    skt_addr source = skt_inet("", 0);
    FAILS(skt_create_connection_with, "connect", EINVAL,
          ("::1", 80, 1, &(skt_connection_options){ .family = AF_INET6, .source = &source }));
    FAILS(skt_accept, "accept", EINVAL, (s, NULL));
    FAILS(skt_accept_fd, "accept", EINVAL, (s, NULL));
    FAILS(skt_getpeername, "getpeername", EFAULT, (s, NULL));
    FAILS(skt_getsockname, "getsockname", EFAULT, (s, NULL));
    FAILS(skt_shutdown, "shutdown", EINVAL, (s, -1));
    FAILS(skt_shutdown, "shutdown", EINVAL, (s, 3));
    FAILS(skt_recv, "recv", ENOTCONN, (s, &c, 1, 0));
    skt_close(s);
}

static void wrong_families(void)
{
    char c = 0;
    struct iovec iov = { &c, 1 };
    skt_addr path = skt_unix("/x"), zero = { 0 };
    skt_msg msg = { .iov = &iov, .iovlen = 1, .addr = &path };
    skt_datagram d = { .data = &c, .len = 1, .addr = &path };
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0), *local = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (s, path));
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (s, skt_inet6("::1", 0, 0, 0)));
    FAILS(skt_bind, "bind", EAFNOSUPPORT, (local, skt_name("localhost", 80)));
    FAILS(skt_bind, "bind", EINVAL, (s, zero));
    FAILS(skt_connect, "connect", EAFNOSUPPORT, (s, path));
    FAILS(skt_connect, "connect", EAFNOSUPPORT, (local, skt_inet("127.0.0.1", 1)));
    FAILS(skt_connect, "connect", EINVAL, (s, zero));
    CHECK_INT(skt_connect_ex(s, path), EAFNOSUPPORT);
    FAILS(skt_sendto, "sendto", EAFNOSUPPORT, (s, &c, 1, 0, path));
    FAILS(skt_sendto, "sendto", EINVAL, (s, &c, 1, 0, zero));
    FAILS(skt_sendmsg, "sendmsg", EAFNOSUPPORT, (s, &msg, 0));
    FAILS(skt_sendmmsg, "sendmmsg", EAFNOSUPPORT, (s, &d, 1, 0));
    msg.addr = d.addr = &zero;
    FAILS(skt_sendmsg, "sendmsg", EINVAL, (s, &msg, 0));
    FAILS(skt_sendmmsg, "sendmmsg", EINVAL, (s, &d, 1, 0));
    FAILS(skt_send_fds, "send_fds", EAFNOSUPPORT, (s, &c, 1, &(int){ 0 }, 1, 0));
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EAFNOSUPPORT, (s, &iov, 1, ALG_OP_ENCRYPT, NULL, 0, -1, 0));
    FAILS(skt_accept, "accept", EOPNOTSUPP, (s, NULL));
    FAILS(skt_listen, "listen", EOPNOTSUPP, (s, 1));
    skt_close(s);
    skt_close(local);
}

/* ---- Data ---- */

static void buffers(void)
{
    skt *pair[2], *s;
    char c = 0;
    skt_addr to = skt_inet("127.0.0.1", 9);
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    s = pair[0];
    for (size_t len = TOO_MUCH; len != 0; len = len == TOO_MUCH ? SIZE_MAX : 0) {
        FAILS(skt_recv, "recv", EINVAL, (s, &c, len, 0));
        FAILS(skt_recvfrom, "recvfrom", EINVAL, (s, &c, len, 0, NULL));
        FAILS(skt_send, "send", EINVAL, (s, &c, len, 0));
        FAILS(skt_sendall, "sendall", EINVAL, (s, &c, len, 0));
        FAILS(skt_sendto, "sendto", EINVAL, (s, &c, len, 0, to));
        FAILS(skt_recvmmsg, "recvmmsg", EINVAL, (s, &(skt_datagram){ 0 }, 1, &c, len, 0));
    }
    FAILS(skt_recv, "recv", EFAULT, (s, NULL, 1, 0));
    FAILS(skt_recvfrom, "recvfrom", EFAULT, (s, NULL, 1, 0, NULL));
    FAILS(skt_send, "send", EFAULT, (s, NULL, 1, 0));
    FAILS(skt_sendall, "sendall", EFAULT, (s, NULL, 1, 0));
    FAILS(skt_sendto, "sendto", EFAULT, (s, NULL, 1, 0, to));
    CHECK(skt_send(s, NULL, 0, 0) == 0 && skt_sendall(s, NULL, 0, 0) == 0 && skt_recv(s, NULL, 0, 0) == 0);
    CHECK(skt_recvfrom(pair[1], NULL, 0, 0, NULL) == 0 && skt_recvfrom(pair[1], NULL, 0, 0, NULL) == 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* No socket of AF_UNIX's datagrams knows MSG_OOB. */
static void flags(void)
{
    skt *pair[2], *s;
    char c = 0;
    size_t nfds = 0;
    struct iovec iov = { &c, 1 };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt_datagram d = { .data = &c, .len = 1 };
    CHECK_INT(skt_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    s = pair[0];
    FAILS(skt_recv, "recv", EOPNOTSUPP, (s, &c, 1, MSG_OOB));
    FAILS(skt_recvfrom, "recvfrom", EOPNOTSUPP, (s, &c, 1, MSG_OOB, NULL));
    FAILS(skt_send, "send", EOPNOTSUPP, (s, &c, 1, MSG_OOB));
    FAILS(skt_sendall, "sendall", EOPNOTSUPP, (s, &c, 1, MSG_OOB));
    FAILS(skt_sendto, "sendto", EOPNOTSUPP, (s, &c, 1, MSG_OOB, skt_unix("/x")));
    FAILS(skt_recvmsg, "recvmsg", EOPNOTSUPP, (s, &msg, MSG_OOB));
    FAILS(skt_sendmsg, "sendmsg", EOPNOTSUPP, (s, &msg, MSG_OOB));
    FAILS(skt_send_fds, "send_fds", EOPNOTSUPP, (s, &c, 1, NULL, 0, MSG_OOB));
    FAILS(skt_recv_fds, "recv_fds", EOPNOTSUPP, (s, &c, 1, NULL, &nfds, MSG_OOB, NULL));
    FAILS(skt_sendmmsg, "sendmmsg", EOPNOTSUPP, (s, &d, 1, MSG_OOB));
    FAILS(skt_recvmmsg, "recvmmsg", EOPNOTSUPP, (s, &d, 1, &c, 1, MSG_OOB));
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void files(void)
{
    skt *pair[2], *dgram = skt_socket(AF_INET, SOCK_DGRAM, 0), *s;
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    s = pair[0];
    FAILS(skt_makefile, "makefile", EFAULT, (s, NULL));
    FAILS(skt_makefile, "makefile", EINVAL, (s, "x"));
    FAILS(skt_makefile, "makefile", EINVAL, (s, "r+"));
    FAILS(skt_makefile, "makefile", EINVAL, (s, name_of(5000)));
    FAILS(skt_sendfile, "sendfile", EBADF, (s, -1, 0, 1));
    FAILS(skt_sendfile, "sendfile", EBADF, (s, INT_MAX, 0, 1));
    FAILS(skt_sendfile, "sendfile", EISDIR, (s, folder, 0, 1));
    FAILS(skt_sendfile, "sendfile", EINVAL, (s, 0, -1, 1));
    FAILS(skt_sendfile, "sendfile", EINVAL, (s, 0, 0, TOO_MUCH));
    FAILS(skt_sendfile, "sendfile", EINVAL, (s, 0, 0, SIZE_MAX));
    FAILS(skt_sendfile, "sendfile", EINVAL, (dgram, 0, 0, 1));
    FAILS(skt_recv_pipe, "recv_pipe", EINVAL, (s, 1, SIZE_MAX));
    FAILS(skt_send_pipe, "send_pipe", EINVAL, (s, 0, TOO_MUCH));
    FAILS(skt_send_pipe, "send_pipe", EBADF, (s, -1, 1));
    FAILS(skt_recv_pipe, "recv_pipe", EINVAL, (dgram, 1, 1));
    CHECK_INT(skt_settimeout(s, 0), 0);
    FAILS(skt_sendfile, "sendfile", EINVAL, (s, 0, 0, 1));
    close(folder);
    skt_close(pair[0]);
    skt_close(pair[1]);
    skt_close(dgram);
}

/* ---- Messages ---- */

static void messages(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    char c = 0;
    struct iovec iov = { &c, 1 }, endless = { &c, SIZE_MAX };
    skt_msg no_iov = { .iovlen = 1 }, many = { .iov = &iov, .iovlen = 1025 },
            most = { .iov = &iov, .iovlen = SIZE_MAX }, no_control = { .controlsize = 1 },
            above = { .control = &c, .controllen = SIZE_MAX, .controlsize = 1 },
            too_long = { .iov = &endless, .iovlen = 1 };
    const struct {
        skt_msg *msg;
        int code;
    } wrong[] = { { NULL, EFAULT },    { &no_iov, EFAULT },     { &many, EMSGSIZE },
                  { &most, EMSGSIZE }, { &no_control, EFAULT }, { &too_long, EINVAL } };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        FAILS(skt_sendmsg, "sendmsg", wrong[i].code, (s, wrong[i].msg, 0));
        FAILS(skt_recvmsg, "recvmsg", wrong[i].code, (s, wrong[i].msg, MSG_DONTWAIT));
    }
    FAILS(skt_sendmsg, "sendmsg", EINVAL, (s, &above, 0));
    skt_close(s);
}

static void descriptors(void)
{
    skt *pair[2], *s;
    char c = 0;
    int fds[254] = { 0 }, one;
    size_t room = 1, endless = SIZE_MAX;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    s = pair[0];
    FAILS(skt_send_fds, "send_fds", EFAULT, (s, NULL, 1, fds, 1, 0));
    FAILS(skt_send_fds, "send_fds", EINVAL, (s, &c, TOO_MUCH, fds, 1, 0));
    FAILS(skt_send_fds, "send_fds", EFAULT, (s, &c, 1, NULL, 1, 0));
    FAILS(skt_send_fds, "send_fds", EINVAL, (s, &c, 1, fds, 254, 0));
    FAILS(skt_send_fds, "send_fds", EINVAL, (s, &c, 1, fds, SIZE_MAX, 0));
    FAILS(skt_send_fds, "send_fds", EBADF, (s, &c, 1, &(int){ -1 }, 1, 0));
    FAILS(skt_recv_fds, "recv_fds", EFAULT, (s, NULL, 1, &one, &room, 0, NULL));
    FAILS(skt_recv_fds, "recv_fds", EINVAL, (s, &c, TOO_MUCH, &one, &room, 0, NULL));
    FAILS(skt_recv_fds, "recv_fds", EFAULT, (s, &c, 1, NULL, &room, 0, NULL));
    FAILS(skt_recv_fds, "recv_fds", EFAULT, (s, &c, 1, &one, NULL, 0, NULL));
    FAILS(skt_recv_fds, "recv_fds", EINVAL, (s, &c, 1, &one, &endless, 0, NULL));
    CHECK(skt_send_fds(s, &c, 1, NULL, 0, 0) == 1 && skt_recv_fds(pair[1], &c, 1, &one, &room, 0, NULL) == 1);
    CHECK_INT(room, 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void batches(void)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    char c = 0;
    skt_datagram d = { 0 }, no_data = { .len = 1 }, negative = { .data = &c, .len = TOO_MUCH };
    FAILS(skt_sendmmsg, "sendmmsg", EFAULT, (s, NULL, 1, 0));
    FAILS(skt_sendmmsg, "sendmmsg", EINVAL, (s, &d, TOO_MUCH, 0));
    FAILS(skt_sendmmsg, "sendmmsg", EFAULT, (s, &no_data, 1, 0));
    FAILS(skt_sendmmsg, "sendmmsg", EINVAL, (s, &negative, 1, 0));
    FAILS(skt_recvmmsg, "recvmmsg", EFAULT, (s, NULL, 1, &c, 1, 0));
    FAILS(skt_recvmmsg, "recvmmsg", EFAULT, (s, &d, 1, NULL, 1, 0));
    FAILS(skt_recvmmsg, "recvmmsg", EINVAL, (s, &d, SIZE_MAX, &c, 1, 0));
    FAILS(skt_recvmmsg, "recvmmsg", EINVAL, (s, &d, SSIZE_MAX, &c, 1, 0));
    FAILS(skt_recvmmsg, "recvmmsg", EINVAL, (s, &d, 1, &c, 0, 0));
    CHECK(skt_sendmmsg(s, NULL, 0, 0) == 0 && skt_recvmmsg(s, NULL, 0, &c, 1, 0) == 0);
    skt_close(s);
}

static void items_to_put(void)
{
    _Alignas(struct cmsghdr) char control[64];
    char c = 0;
    int fd = 0;
    skt_addr here = skt_inet("127.0.0.1", 0), far = skt_inet("127.0.0.1", 65536), path = skt_unix("/x"),
             name = skt_inet6("localhost", 0, 0, 0);
    skt_msg msg = { .control = control, .controlsize = 16 }, none = { .controlsize = 64 }, *good = &msg,
            full = { .control = control, .controlsize = 64, .controllen = SIZE_MAX };
    skt_msg *const wrong[] = { NULL, &none };
    for (size_t i = 0; i < 2; i++) {
        FAILS(skt_put_cmsg, "put_cmsg", EFAULT, (wrong[i], 1, 1, &c, 1));
        FAILS(skt_put_rights, "put_rights", EFAULT, (wrong[i], &fd, 1));
        FAILS(skt_put_credentials, "put_credentials", EFAULT, (wrong[i], (skt_credentials){ 0 }));
        FAILS(skt_put_pktinfo, "put_pktinfo", EFAULT, (wrong[i], &here, 0));
        FAILS(skt_put_hoplimit, "put_hoplimit", EFAULT, (wrong[i], AF_INET, 1));
    }
    FAILS(skt_put_cmsg, "put_cmsg", EFAULT, (good, 1, 1, NULL, 1));
    FAILS(skt_put_cmsg, "put_cmsg", EMSGSIZE, (good, 1, 1, &c, 1));
    FAILS(skt_put_cmsg, "put_cmsg", EINVAL, (good, 1, 1, &c, TOO_MUCH));
    FAILS(skt_put_cmsg, "put_cmsg", EINVAL, (good, 1, 1, &c, SIZE_MAX));
    FAILS(skt_put_cmsg, "put_cmsg", EINVAL, (&full, 1, 1, &c, 1));
    FAILS(skt_put_rights, "put_rights", EFAULT, (good, NULL, 1));
    FAILS(skt_put_rights, "put_rights", EMSGSIZE, (good, &fd, 1));
    FAILS(skt_put_rights, "put_rights", EINVAL, (good, &fd, SIZE_MAX));
    FAILS(skt_put_rights, "put_rights", EINVAL, (good, &fd, SIZE_MAX / sizeof fd + 1));
    FAILS(skt_put_credentials, "put_credentials", EMSGSIZE, (good, (skt_credentials){ 0 }));
    FAILS(skt_put_pktinfo, "put_pktinfo", EMSGSIZE, (good, &here, 0));
    FAILS(skt_put_pktinfo, "put_pktinfo", EFAULT, (good, NULL, 0));
    FAILS(skt_put_pktinfo, "put_pktinfo", EINVAL, (good, &far, 0));
    FAILS(skt_put_pktinfo, "put_pktinfo", EINVAL, (good, &name, 0));
    FAILS(skt_put_pktinfo, "put_pktinfo", EAFNOSUPPORT, (good, &path, 0));
    FAILS(skt_put_hoplimit, "put_hoplimit", EMSGSIZE, (good, AF_INET6, 255));
    FAILS(skt_put_hoplimit, "put_hoplimit", EINVAL, (good, AF_INET, -1));
    FAILS(skt_put_hoplimit, "put_hoplimit", EINVAL, (good, AF_INET, 256));
    FAILS(skt_put_hoplimit, "put_hoplimit", EAFNOSUPPORT, (good, AF_UNIX, 1));
    CHECK_INT(msg.controllen, 0);
}

static void items_to_get(void)
{
    skt_msg msg = { 0 }, *const messages[] = { NULL, &msg };
    skt_cmsg item = { 0 };
    skt_credentials who;
    struct timespec when;
    skt_addr local;
    unsigned index;
    int number;
    for (size_t i = 0; i < 2; i++) {
        int code = messages[i] ? ENOMSG : EFAULT;
        FAILS(skt_get_credentials, "get_credentials", code, (messages[i], &who));
        FAILS(skt_get_pktinfo, "get_pktinfo", code, (messages[i], &local, &index));
        FAILS(skt_get_hoplimit, "get_hoplimit", code, (messages[i], &number));
        FAILS(skt_get_timestamp, "get_timestamp", code, (messages[i], &when));
        NOTED(skt_close_rights)(messages[i]);
        CHECK(!NOTED(skt_next_cmsg)(messages[i], &item) && !skt_next_cmsg(messages[i], NULL));
    }
    FAILS(skt_get_credentials, "get_credentials", EFAULT, (&msg, NULL));
    FAILS(skt_get_hoplimit, "get_hoplimit", EFAULT, (&msg, NULL));
    FAILS(skt_get_timestamp, "get_timestamp", EFAULT, (&msg, NULL));
    FAILS(skt_get_rights, "get_rights", EFAULT, (NULL, &number, 1));
    FAILS(skt_get_rights, "get_rights", EFAULT, (&msg, NULL, 1));
    FAILS(skt_get_rights, "get_rights", EINVAL, (&msg, &number, SIZE_MAX));
    CHECK(skt_get_rights(&msg, NULL, 0) == 0 && skt_get_rights(&msg, &number, 1) == 0);
    item.next = SIZE_MAX;
    CHECK(!skt_next_cmsg(&msg, &item));
}

static void algorithms(void)
{
    skt *s = skt_socket(AF_ALG, SOCK_SEQPACKET, 0);
    char c = 0;
    struct iovec iov = { &c, 1 };
    if (!s)
        SKIP("%s", skt_strerror());
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EFAULT, (s, NULL, 1, ALG_OP_ENCRYPT, NULL, 0, -1, 0));
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EMSGSIZE, (s, &iov, SIZE_MAX, ALG_OP_ENCRYPT, NULL, 0, -1, 0));
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EFAULT, (s, &iov, 1, ALG_OP_ENCRYPT, NULL, 1, -1, 0));
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EINVAL, (s, &iov, 1, ALG_OP_ENCRYPT, &c, 257, -1, 0));
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EINVAL, (s, &iov, 1, ALG_OP_ENCRYPT, &c, SIZE_MAX, -1, 0));
    FAILS(skt_sendmsg_afalg, "sendmsg_afalg", EINVAL, (s, &iov, 1, ALG_OP_ENCRYPT, NULL, 0, -2, 0));
    skt_close(s);
}

/* ---- Options and time ---- */

static void options(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    int value = 1;
    socklen_t len = sizeof value, endless = (socklen_t)-1;
    FAILS(skt_setsockopt, "setsockopt", EFAULT, (s, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof value));
    FAILS(skt_setsockopt, "setsockopt", EINVAL, (s, SOL_SOCKET, SO_REUSEADDR, &value, 0));
    FAILS(skt_setsockopt, "setsockopt", EINVAL, (s, SOL_SOCKET, SO_REUSEADDR, &value, 3));
    FAILS(skt_setsockopt, "setsockopt", ENOPROTOOPT, (s, SOL_SOCKET, 12345, &value, sizeof value));
    FAILS(skt_setsockopt_int, "setsockopt", ENOPROTOOPT, (s, SOL_SOCKET, -1, 1));
    FAILS(skt_setsockopt_int, "setsockopt", ENOPROTOOPT, (s, -1, -1, 1));
    FAILS(skt_getsockopt, "getsockopt", EFAULT, (s, SOL_SOCKET, SO_REUSEADDR, &value, NULL));
    FAILS(skt_getsockopt, "getsockopt", EFAULT, (s, SOL_SOCKET, SO_REUSEADDR, NULL, &len));
    FAILS(skt_getsockopt, "getsockopt", EINVAL, (s, SOL_SOCKET, SO_REUSEADDR, &value, &endless));
    FAILS(skt_getsockopt, "getsockopt", ENOPROTOOPT, (s, SOL_SOCKET, 12345, &value, &len));
    FAILS(skt_getsockopt_int, "getsockopt", EFAULT, (s, SOL_SOCKET, SO_REUSEADDR, NULL));
    FAILS(skt_getsockopt_int, "getsockopt", ENOPROTOOPT, (s, SOL_SOCKET, -1, &value));
    skt_close(s);
}

static void option_of_absurd_length(void)
{
    if (under_qemu())
        SKIP("qemu-user handles 4 bytes of it, whatever there is");
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    int value = 1;
    socklen_t none = 0;
    CHECK_INT(skt_getsockopt(s, SOL_SOCKET, SO_REUSEADDR, NULL, &none), 0);
    FAILS(skt_setsockopt, "setsockopt", EINVAL, (s, SOL_SOCKET, SO_REUSEADDR, &value, (socklen_t)-1));
    skt_close(s);
}

static void bad_timeout(skt *s, double t)
{
    char text[16];
    skt_addr a = skt_inet("127.0.0.1", 1);
    skt_addrinfo *list;
    FAILS(skt_settimeout, "settimeout", EINVAL, (s, t));
    FAILS(skt_setdefaulttimeout, "setdefaulttimeout", EINVAL, (t));
    FAILS(skt_create_connection, "connect", EINVAL, ("127.0.0.1", 1, t));
    FAILS(skt_create_connection_from, "connect", EINVAL, ("127.0.0.1", 1, t, skt_inet("", 0)));
    FAILS(skt_create_connection_with, "connect", EINVAL, ("127.0.0.1", 1, t, NULL));
    FAILS(skt_getaddrinfo, "getaddrinfo", EINVAL, ("127.0.0.1", NULL, 0, 0, 0, 0, t, &list));
    FAILS(skt_getnameinfo, "getnameinfo", EINVAL, (a, 0, text, sizeof text, NULL, 0, t));
    FAILS(skt_gethostbyname, "gethostbyname", EINVAL, ("127.0.0.1", text, sizeof text, t));
    FAILS(skt_gethostbyname_ex, "gethostbyname_ex", EINVAL, ("127.0.0.1", t));
    FAILS(skt_gethostbyaddr, "gethostbyaddr", EINVAL, ("127.0.0.1", t));
    FAILS(skt_getfqdn, "getfqdn", EINVAL, ("127.0.0.1", text, sizeof text, t));
}

static void timeouts(void)
{
    const double bad[] = { NAN, -NAN, INFINITY, -INFINITY, 1e300, 9.1e9, -0.5, -2, -1e300, -5e-324 };
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(s, 3), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        bad_timeout(s, bad[i]);
    CHECK(skt_gettimeout(s) == 3 && NOTED(skt_getdefaulttimeout)() == SKT_NO_TIMEOUT);
    CHECK(skt_settimeout(s, -0.0) == 0 && skt_gettimeout(s) == 0 && !skt_getblocking(s));
    CHECK(skt_settimeout(s, 5e-324) == 0 && skt_gettimeout(s) > 0 && skt_getblocking(s));
    CHECK(skt_settimeout(s, 9e9) == 0 && skt_gettimeout(s) == 9e9);
    CHECK(skt_settimeout(s, -1) == 0 && skt_gettimeout(s) == SKT_NO_TIMEOUT);
    NOTED(skt_on_interrupt)(NULL, NULL);
    NOTED(skt_on_call)(NULL, NULL);
    skt_close(s);
}

/* ---- Tasks ---- */

static void nothing_to_do(void *unused)
{
    (void)unused;
}

static void bad_pause(double t)
{
    struct pollfd fd = { .fd = -1 };
    FAILS(skt_sleep, "sleep", EINVAL, (t));
    FAILS(skt_poll, "poll", EINVAL, (&fd, 1, t));
    skt_deadline d = NOTED(skt_deadline_begin)(t);
    check_sentence(__LINE__, "skt_deadline_begin", "deadline_begin", EINVAL);
    CHECK(NOTED(skt_deadline_end)(d)); /* no time at all */
}

static void pauses(void *unused)
{
    const double bad[] = { NAN, INFINITY, -INFINITY, 1e300, 9.1e9, -0.5, -2, -5e-324 };
    struct pollfd fd = { .fd = -1 };
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        bad_pause(bad[i]);
    FAILS(skt_poll, "poll", EFAULT, (NULL, 1, 0));
    FAILS(skt_poll, "poll", EINVAL, (&fd, TOO_MUCH, 0));
    FAILS(skt_poll, "poll", EINVAL, (&fd, SIZE_MAX, 0));
    FAILS(skt_dump_on_signal, "dump_on_signal", EINVAL, (-1));
    FAILS(skt_dump_on_signal, "dump_on_signal", EINVAL, (INT_MAX));
    NOTED(skt_dump)(-1);
    NOTED(skt_name_task)(NULL);
    NOTED(skt_name_task)(name_of(5000));
    NOTED(skt_yield)();
}

/* A group that is NULL is what a socket that is NULL is. */
static void no_group(void)
{
    fail_before();
    CHECK_INT(NOTED(skt_group_go)(NULL, nothing_to_do, NULL), -1);
    CHECK_INT(NOTED(skt_group_wait)(NULL), -1);
    CHECK_INT(NOTED(skt_group_cancel)(NULL), -1);
    CHECK_INT(NOTED(skt_group_close)(NULL), 0);
    check_untouched(__LINE__, "skt_group_...");
}

static void wrong_in_a_task(void *unused)
{
    skt_group *g = NOTED(skt_group_new)();
    pauses(unused);
    no_group();
    FAILS(skt_run, "run", EINVAL, (nothing_to_do, NULL));
    FAILS(skt_run_with, "run", EINVAL, (nothing_to_do, NULL, NULL));
    FAILS(skt_run, "run", EFAULT, (NULL, NULL));
    FAILS(skt_go, "go", EFAULT, (NULL, NULL));
    FAILS(skt_group_go, "group_go", EFAULT, (g, NULL, NULL));
    CHECK(skt_group_close(g) == 0 && NOTED(skt_in_task)());
}

static void tasks(void)
{
    const skt_run_options bad[] = {
        { .stack_size = 1 }, { .stack_size = 16383 }, { .stack_size = SIZE_MAX }, { .stack_size = TOO_MUCH },
        { .spin = -5e-324 }, { .spin = 1.01 },        { .spin = INFINITY },       { .spin = NAN },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(skt_run_with, "run", EINVAL, (nothing_to_do, NULL, &bad[i]));
    FAILS(skt_run_with, "run", EFAULT, (NULL, NULL, &bad[0]));
    FAILS(skt_run, "run", EFAULT, (NULL, NULL));
    FAILS(skt_go, "go", EPERM, (nothing_to_do, NULL));
    FAILS(skt_go, "go", EFAULT, (NULL, NULL));
    FAILS(skt_group_new, "group_new", EPERM, ());
    pauses(NULL);
    no_group();
    CHECK_INT(skt_run(wrong_in_a_task, NULL), 0);
    CHECK(!skt_in_task());
}

static void handle_nobody(skt *conn, void *unused)
{
    (void)conn, (void)unused;
}

static void servings(void)
{
    const skt_serve_options bad[] = {
        { .threads = -1 }, { .threads = 65 }, { .threads = INT_MIN }, { .max_connections = -1 },
        { .grace = -0.5 }, { .grace = NAN },  { .grace = 1e300 },     { .grace = -INFINITY },
    };
    const skt_serve_options bad_run[] = { { .stack_size = 1 }, { .spin = 2 }, { .spin = NAN } };
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), NULL), *mute = skt_socket(AF_INET, SOCK_STREAM, 0);
    NEEDS_SOCKET(skt_serve, "serve", (s, handle_nobody, NULL, NULL));
    NEEDS_SOCKET(skt_serve, "serve", (s, NULL, NULL, &bad[0]));
    FAILS(skt_serve, "serve", EFAULT, (server, NULL, NULL, NULL));
    FAILS(skt_serve, "serve", EINVAL, (mute, handle_nobody, NULL, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(skt_serve, "serve", EINVAL, (server, handle_nobody, NULL, &bad[i]));
    for (size_t i = 0; i < sizeof bad_run / sizeof *bad_run; i++)
        FAILS(skt_serve, "run", EINVAL, (server, handle_nobody, NULL, &bad_run[i]));
    CHECK_INT(skt_settimeout(server, 0), 0);
    FAILS(skt_serve, "serve", EINVAL, (server, handle_nobody, NULL, NULL));
    skt_close(server);
    skt_close(mute);
}

/* ---- Names ---- */

static void lookups(void)
{
    static const char *const ports[] = { "-1", "65536", "99999999999", "-99999999999", " 65536" };
    skt_addrinfo *list = NULL;
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        FAILS(skt_getaddrinfo, "getaddrinfo", EINVAL, ("127.0.0.1", ports[i], 0, SOCK_STREAM, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, ("127.0.0.1", "http ", 0, SOCK_STREAM, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, ("127.0.0.1", name_of(5000), 0, 0, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, (name_of(254), "80", 0, 0, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, (name_of(5000), "80", 0, 0, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, (NULL, NULL, 0, 0, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, ("127.0.0.1", "80", -1, 0, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, ("127.0.0.1", "80", 0, 77, 0, 0, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EHOSTUNREACH, ("127.0.0.1", "80", 0, 0, 0, -1, 5, &list));
    FAILS(skt_getaddrinfo, "getaddrinfo", EFAULT, ("127.0.0.1", "80", 0, 0, 0, 0, 5, NULL));
    CHECK(!list);
    CHECK(skt_getaddrinfo(NULL, "65535", AF_INET, SOCK_STREAM, 0, 0, -0.0, &list) == 1 && list);
    NOTED(skt_connection_order)(NULL, 1);
    skt_connection_order(list, 0);
    NOTED(skt_freeaddrinfo)(list);
    skt_freeaddrinfo(NULL);
}

static void lookups_of_addresses(void)
{
    char host[64], service[32];
    skt_addr a = skt_inet("127.0.0.1", 9), path = skt_unix("/x");
    const int numeric = NI_NUMERICHOST | NI_NUMERICSERV;
    FAILS(skt_getnameinfo, "getnameinfo", EINVAL, (skt_inet("x", 0), 0, host, sizeof host, NULL, 0, 5));
    FAILS(skt_getnameinfo, "getnameinfo", EINVAL, (skt_inet("", -1), 0, host, sizeof host, NULL, 0, 5));
    FAILS(skt_getnameinfo, "getnameinfo", EFAULT, (skt_inet(NULL, 0), 0, host, sizeof host, NULL, 0, 5));
    FAILS(skt_getnameinfo, "getnameinfo", ENAMETOOLONG, (a, numeric, host, 9, NULL, 0, 5));
    FAILS(skt_getnameinfo, "getnameinfo", ENAMETOOLONG, (a, numeric, host, 0, NULL, 0, 5));
    FAILS(skt_getnameinfo, "getnameinfo", ENAMETOOLONG, (a, numeric, NULL, 0, service, 1, 5));
    FAILS(skt_getnameinfo, "getnameinfo", EINVAL, (a, numeric, host, SIZE_MAX, service, sizeof service, 5));
    FAILS(skt_getnameinfo, "getnameinfo", EINVAL, (a, numeric, host, sizeof host, service, TOO_MUCH, 5));
    if (!MUSL) /* that passes over flags that it does not know */
        FAILS(skt_getnameinfo, "getnameinfo", EHOSTUNREACH, (a, 1 << 30, host, sizeof host, NULL, 0, 5));
    errno = 0;
    CHECK(skt_getnameinfo(path, numeric, host, sizeof host, NULL, 0, 5) == 0 || errno == EHOSTUNREACH);
    CHECK_INT(skt_getnameinfo(a, numeric, NULL, SIZE_MAX, NULL, SIZE_MAX, 5), 0);
}

static void lookups_of_hosts(void)
{
    char text[64];
    const char *const longs[] = { name_of(5000) };
    FAILS(skt_gethostbyname, "gethostbyname", EFAULT, (NULL, text, sizeof text, 5));
    FAILS(skt_gethostbyname, "gethostbyname", EFAULT, ("127.0.0.1", NULL, sizeof text, 5));
    FAILS(skt_gethostbyname, "gethostbyname", EINVAL, ("127.0.0.1", text, SIZE_MAX, 5));
    FAILS(skt_gethostbyname, "gethostbyname", ENAMETOOLONG, ("127.0.0.1", text, 9, 5));
    FAILS(skt_gethostbyname, "gethostbyname", ENAMETOOLONG, ("127.0.0.1", text, 0, 5));
    FAILS(skt_gethostbyname, "gethostbyname", EINVAL, (longs[0], text, sizeof text, 5));
    FAILS(skt_gethostbyname_ex, "gethostbyname_ex", EFAULT, (NULL, 5));
    FAILS(skt_gethostbyname_ex, "gethostbyname_ex", EINVAL, (longs[0], 5));
    FAILS(skt_gethostbyaddr, "gethostbyaddr", EFAULT, (NULL, 5));
    FAILS(skt_gethostbyaddr, "gethostbyaddr", EINVAL, (longs[0], 5));
    NOTED(skt_freehostent)(NULL);
    FAILS(skt_getfqdn, "getfqdn", EFAULT, (NULL, NULL, sizeof text, 5));
    FAILS(skt_getfqdn, "getfqdn", EINVAL, (NULL, text, SIZE_MAX, 5));
    FAILS(skt_getfqdn, "getfqdn", ENAMETOOLONG, (NULL, text, 0, 5));
    FAILS(skt_getfqdn, "getfqdn", ENAMETOOLONG, (longs[0], text, sizeof text, 5));
    CHECK_INT(skt_getfqdn("", text, sizeof text, 5), 0);
    FAILS(skt_gethostname, "gethostname", EFAULT, (NULL, sizeof text));
    FAILS(skt_gethostname, "gethostname", EINVAL, (text, SIZE_MAX));
    FAILS(skt_gethostname, "gethostname", ENAMETOOLONG, (text, 0));
    FAILS(skt_gethostname, "gethostname", ENAMETOOLONG, (text, 1));
    FAILS(skt_sethostname, "sethostname", EFAULT, (NULL));
    FAILS(skt_sethostname, "sethostname", geteuid() == 0 ? EINVAL : EPERM, (longs[0]));
}

static void services(void)
{
    char text[64];
    FAILS(skt_getservbyname, "getservbyname", EFAULT, (NULL, "tcp"));
    FAILS(skt_getservbyname, "getservbyname", ENOENT, ("", NULL));
    FAILS(skt_getservbyname, "getservbyname", ENOENT, ("http ", NULL));
    FAILS(skt_getservbyname, "getservbyname", ENOENT, (name_of(5000), NULL));
    FAILS(skt_getservbyname, "getservbyname", ENOENT, ("http", name_of(5000)));
    for (size_t i = 0; i < sizeof bad_ports / sizeof *bad_ports; i++)
        FAILS(skt_getservbyport, "getservbyport", EINVAL, (bad_ports[i], "tcp", text, sizeof text));
    FAILS(skt_getservbyport, "getservbyport", EFAULT, (80, NULL, NULL, sizeof text));
    FAILS(skt_getservbyport, "getservbyport", EINVAL, (80, "tcp", text, SIZE_MAX));
    FAILS(skt_getservbyport, "getservbyport", ENOENT, (80, name_of(5000), text, sizeof text));
    FAILS(skt_getprotobyname, "getprotobyname", EFAULT, (NULL));
    FAILS(skt_getprotobyname, "getprotobyname", ENOENT, (""));
    FAILS(skt_getprotobyname, "getprotobyname", ENOENT, (name_of(5000)));
}

static void interfaces(void)
{
    char text[64];
    FAILS(skt_if_nametoindex, "if_nametoindex", EFAULT, (NULL));
    FAILS(skt_if_nametoindex, "if_nametoindex", ENODEV, (""));
    FAILS(skt_if_nametoindex, "if_nametoindex", ENODEV, (name_of(15)));
    FAILS(skt_if_nametoindex, "if_nametoindex", ENODEV, (name_of(16)));
    FAILS(skt_if_nametoindex, "if_nametoindex", ENODEV, (name_of(5000)));
    FAILS(skt_if_indextoname, "if_indextoname", EFAULT, (1, NULL, sizeof text));
    FAILS(skt_if_indextoname, "if_indextoname", EINVAL, (1, text, SIZE_MAX));
    FAILS(skt_if_indextoname, "if_indextoname", ENXIO, (0, text, sizeof text));
    FAILS(skt_if_indextoname, "if_indextoname", ENXIO, (UINT_MAX, text, sizeof text));
    skt_interface *list = NOTED(skt_if_nameindex)();
    CHECK(list);
    if (list->index)
        FAILS(skt_if_indextoname, "if_indextoname", ENAMETOOLONG, (list->index, text, 1));
    NOTED(skt_freenameindex)(list);
    skt_freenameindex(NULL);
}

static void packed_addresses(void)
{
    struct in_addr packed;
    char bytes[16] = "", text[64];
    FAILS(skt_inet_aton, "inet_aton", EFAULT, (NULL, &packed));
    FAILS(skt_inet_aton, "inet_aton", EFAULT, ("127.1", NULL));
    FAILS(skt_inet_aton, "inet_aton", EINVAL, ("", &packed));
    FAILS(skt_inet_aton, "inet_aton", EINVAL, (name_of(5000), &packed));
    FAILS(skt_inet_pton, "inet_pton", EFAULT, (AF_INET, NULL, bytes));
    FAILS(skt_inet_pton, "inet_pton", EFAULT, (AF_INET, "127.0.0.1", NULL));
    FAILS(skt_inet_pton, "inet_pton", EINVAL, (AF_INET, "", bytes));
    FAILS(skt_inet_pton, "inet_pton", EINVAL, (AF_INET6, name_of(5000), bytes));
    FAILS(skt_inet_pton, "inet_pton", EAFNOSUPPORT, (AF_UNIX, "127.0.0.1", bytes));
    FAILS(skt_inet_ntop, "inet_ntop", EFAULT, (AF_INET, NULL, 4, text, sizeof text));
    FAILS(skt_inet_ntop, "inet_ntop", EFAULT, (AF_INET, bytes, 4, NULL, sizeof text));
    FAILS(skt_inet_ntop, "inet_ntop", EAFNOSUPPORT, (AF_UNIX, bytes, 4, text, sizeof text));
    FAILS(skt_inet_ntop, "inet_ntop", EINVAL, (AF_INET6, bytes, 4, text, sizeof text));
    FAILS(skt_inet_ntop, "inet_ntop", EINVAL, (AF_INET, bytes, SIZE_MAX, text, sizeof text));
    FAILS(skt_inet_ntop, "inet_ntop", EINVAL, (AF_INET, bytes, 4, text, SIZE_MAX));
    FAILS(skt_inet_ntop, "inet_ntop", ENOSPC, (AF_INET, bytes, 4, text, 7));
    packed.s_addr = 0;
    FAILS(skt_inet_ntoa, "inet_ntoa", EFAULT, (packed, NULL, sizeof text));
    FAILS(skt_inet_ntoa, "inet_ntoa", ENOSPC, (packed, text, 0));
    FAILS(skt_inet_ntoa, "inet_ntoa", EINVAL, (packed, text, SIZE_MAX));
    CHECK_STR(skt_inet_ntop(AF_INET, bytes, 4, text, (size_t)UINT_MAX + 1), "0.0.0.0");
}

/* ---- Errors ---- */

static void *look_at_nothing(void *unused)
{
    skt_addr addr;
    CHECK_STR(NOTED(skt_strerror)(), "no error");
    CHECK(NOTED(skt_error_record)()->domain == SKT_ERROR_NONE && !skt_error_record()->call);
    CHECK(!NOTED(skt_timed_out)() && NOTED(skt_attempt)(0, NULL) == 0);
    CHECK(skt_attempt(SIZE_MAX, &addr) == 0 && skt_attempt(0, &addr) == 0);
    return unused;
}

static void no_error_yet(void)
{
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, look_at_nothing, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* What skt_die prints for who, in a process of its own. */
static void die_as(const char *who, const char *expected)
{
    char said[256];
    int pipes[2], status;
    CHECK_INT(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 2);
        skt_fromfd(-1);
        skt_die(who);
    }
    close(pipes[1]);
    ssize_t n = read(pipes[0], said, sizeof said - 1);
    close(pipes[0]);
    CHECK(n > 0 && waitpid(child, &status, 0) == child);
    said[n] = '\0';
    CHECK_STR(said, expected);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void deaths(void)
{
    note("skt_die", WITH_ARGUMENTS);
    die_as("test", "test: fromfd: negative file descriptor: -1\n");
    die_as(NULL, "skt: fromfd: negative file descriptor: -1\n");
}

/* ---- Whether that was all ---- */

static char *read_header(void)
{
    FILE *file = fopen(header_path, "r");
    CHECK(file);
    char *text = calloc(1, 1 << 20);
    CHECK(text && fread(text, 1, (1 << 20) - 1, file) > 0 && feof(file));
    fclose(file);
    return text;
}

/* Where the name begins that a declaration declares: the first skt_... before a bracket. */
static const char *declared_name(const char *declaration, size_t *len)
{
    for (const char *at = declaration; (at = strstr(at, "skt_")); at += *len) {
        *len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (at[*len] == '(')
            return at;
    }
    return NULL;
}

static void all_functions(void)
{
    size_t n = 0, len;
    if (!header_path)
        SKIP("the path of skt.h is not given");
    char *text = read_header();
    for (const char *at = text; (at = strstr(at, "\nSKT_API")); n++) {
        const char *name = declared_name(++at, &len);
        CHECK(name);
        bool on_socket = !strncmp(name + len, "(skt *s,", 8) || !strncmp(name + len, "(skt *s)", 8);
        if (!was_noted(name, len, on_socket))
            check_failed(__FILE__, __LINE__, "%.*s was not called %s", (int)len, name,
                         on_socket ? "without a socket" : "wrongly");
    }
    CHECK(n > 100);
    free(text);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "no socket to ask: NULL leaves errno and the record, closed is EBADF", no_socket_to_ask },
        { "no socket to use: likewise", no_socket_to_use },
        { "no socket, and wrong arguments", no_socket_and_no_arguments },
        { "connect_ex without a socket", no_socket_by_number },
        { "repr of anything", shown_all_the_same },
        { "hosts and ports", addresses_of_hosts },
        { "paths and abstract names", addresses_of_paths },
        { "interfaces", addresses_of_interfaces },
        { "devices, algorithms, sockaddrs", addresses_of_the_rest },
        { "numbers of another family", addresses_of_numbers },
        { "addresses as text", addresses_as_text },
        { "a path without its NUL", unterminated_path },
        { "reading no address, and into no room", addresses_that_are_read },
        { "making sockets", makings },
        { "making servers", servers },
        { "making connections", connections },
        { "addresses of the wrong family", wrong_families },
        { "buffers", buffers },
        { "flags", flags },
        { "files", files },
        { "messages", messages },
        { "descriptors", descriptors },
        { "batches", batches },
        { "putting items", items_to_put },
        { "getting items", items_to_get },
        { "algorithms", algorithms },
        { "options", options },
        { "an option of an absurd length", option_of_absurd_length },
        { "timeouts", timeouts },
        { "tasks and groups", tasks, ON_THREAD }, /* in a task they are allowed */
        { "serving", servings },
        { "getaddrinfo", lookups },
        { "getnameinfo", lookups_of_addresses },
        { "gethostbyname and its like", lookups_of_hosts },
        { "services and protocols", services },
        { "network interfaces", interfaces },
        { "packed addresses", packed_addresses },
        { "no error yet", no_error_yet },
        { "dying", deaths },
        { "every function of skt.h was called wrongly", all_functions },
    };
    header_path = argc > 1 ? argv[1] : NULL;
    return RUN_CASES(cases);
}
