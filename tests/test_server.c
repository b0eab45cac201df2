/* test_server.c - servers: create_server's defaults and options, accept, and who is in the way. */
#include "check.h"
#include "peer.h"
#include "sys.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int option(skt *s, int level, int name)
{
    int value = -1;
    CHECK_INT(skt_getsockopt_int(s, level, name, &value), 0);
    return value;
}

/* Whether a client that connects to host at the server's port gets there. */
static bool reachable(skt *server, const char *host)
{
    skt_addr addr;
    CHECK_INT(skt_getsockname(server, &addr), 0);
    skt *s = skt_create_connection(host, skt_port(&addr), SKT_NO_TIMEOUT);
    if (!s) {
        CHECK_INT(errno, ECONNREFUSED);
        return false;
    }
    skt *conn = skt_accept(server, NULL);
    CHECK(conn != NULL);
    skt_close(conn);
    skt_close(s);
    return true;
}

/* ---- create_server ---- */

static void defaults(void)
{
    skt_addr addr;
    skt *s = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK(s && skt_family(s) == AF_INET && skt_type(s) == SOCK_STREAM);
    CHECK_INT(option(s, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_INT(option(s, SOL_SOCKET, SO_REUSEPORT), 0);
    CHECK_INT(option(s, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_INT(skt_get_inheritable(s), 0);
    CHECK(skt_getsockname(s, &addr) == 0 && skt_port(&addr) > 0);
    CHECK(reachable(s, "127.0.0.1"));
    skt_close(s);
    s = skt_create_server(skt_inet("", 0), &(skt_server_options){ .backlog = 5, .no_reuse_address = true });
    CHECK_INT(option(s, SOL_SOCKET, SO_REUSEADDR), 0);
    CHECK(reachable(s, "127.0.0.1"));
    skt_close(s);
}

static void of_the_families(void)
{
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    skt *s = skt_create_server(skt_inet6("", 0, 0, 0), NULL);
    CHECK(s && skt_family(s) == AF_INET6 && option(s, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
    CHECK(reachable(s, "::1") && !reachable(s, "127.0.0.1"));
    skt_close(s);
    CHECK(skt_has_dualstack_ipv6());
    s = skt_create_server(skt_inet6("", 0, 0, 0), &(skt_server_options){ .dualstack_ipv6 = true });
    CHECK(s && reachable(s, "::1") && reachable(s, "127.0.0.1"));
    skt_close(s);
    s = skt_create_server(skt_name("", 0), NULL);
    CHECK(s && reachable(s, "::1") && reachable(s, "127.0.0.1"));
    skt_close(s);
    s = skt_create_server(skt_name("127.0.0.1", 0), NULL);
    CHECK(s && skt_family(s) == AF_INET);
    skt_close(s);
    s = skt_create_server(skt_name("localhost", 0), NULL);
    CHECK(s && reachable(s, "localhost"));
    skt_close(s);
}

static void at_a_path(void)
{
    char folder[] = "/tmp/skt-test-XXXXXX", path[64];
    skt_addr from;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/s", folder);
    skt *server = skt_create_server(skt_unix(path), NULL), *s = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, skt_unix(path)), 0);
    skt *conn = skt_accept(server, &from);
    CHECK(conn && from.family == AF_UNIX && *skt_host(&from) == '\0');
    skt_close(conn);
    skt_close(s);
    skt_close(server);
    unlink(path);
    rmdir(folder);
}

static void that_cannot_be(void)
{
    const skt_server_options dual = { .dualstack_ipv6 = true }, shared = { .reuse_port = true };
    CHECK_ERRNO(skt_create_server(skt_inet("", 0), &dual), EINVAL);
    CHECK_STR(skt_strerror(), "create_server: dualstack_ipv6 needs an AF_INET6 address");
    CHECK_ERRNO(skt_create_server(skt_unix("/tmp/x"), &shared), EINVAL);
    CHECK_STR(skt_strerror(), "create_server: reuse_port needs an AF_INET or AF_INET6 address");
    CHECK_ERRNO(skt_create_server(skt_inet("192.0.2.1", 80), NULL), EADDRNOTAVAIL);
    CHECK_STR(skt_strerror(), "bind 192.0.2.1:80: Cannot assign requested address");
    CHECK_ERRNO(skt_create_server(skt_unix("/no/such/folder/s"), NULL), ENOENT);
    CHECK_STR(skt_strerror(), "bind unix:/no/such/folder/s: No such file or directory");
    CHECK_ERRNO(skt_create_server(skt_name("no such name", 80), NULL), EHOSTUNREACH);
    CHECK_ERRNO(skt_create_server(skt_vsock(1, 2), &shared), EINVAL);
}

static void several_on_one_port(void)
{
    const skt_server_options shared = { .reuse_port = true };
    skt_addr addr;
    skt *server[2] = { skt_create_server(skt_inet("127.0.0.1", 0), &shared) };
    CHECK_INT(skt_getsockname(server[0], &addr), 0);
    server[1] = skt_create_server(addr, &shared);
    CHECK(server[1] != NULL);
    for (int i = 0; i < 2; i++)
        skt_close(server[i]);
}

/* ---- accept ---- */

static void accepted_sockets(void)
{
    skt_addr addr, peer, here;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(server, 5), 0);
    CHECK(skt_connect(s, addr) == 0 && skt_getsockname(s, &here) == 0);
    skt *conn = skt_accept(server, &peer);
    CHECK(skt_addr_equal(&peer, &here) && skt_gettimeout(conn) == SKT_NO_TIMEOUT);
    CHECK(skt_family(conn) == AF_INET && skt_proto(conn) == skt_proto(server) && skt_get_inheritable(conn) == 0);
    CHECK(!(fcntl(skt_fileno(conn), F_GETFL) & O_NONBLOCK));
    skt_close(conn);
    skt_close(s);
    CHECK_INT(skt_settimeout(server, 0), 0);
    CHECK_ERRNO(skt_accept(server, NULL), EAGAIN);
    s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_accept(s, NULL), EINVAL); /* it does not listen */
    skt_close(s);
    skt_close(server);
}

static void accepted_descriptors(void)
{
    skt_addr addr, peer, here;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(server, 5), 0);
    CHECK_INT(skt_setdefaulttimeout(3), 0);
    CHECK(skt_connect(s, addr) == 0 && skt_getsockname(s, &here) == 0);
    int fd = skt_accept_fd(server, &peer);
    CHECK_INT(skt_setdefaulttimeout(SKT_NO_TIMEOUT), 0);
    CHECK(fd >= 0 && skt_addr_equal(&peer, &here));
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
    close(fd);
    skt_close(s);
    CHECK_INT(skt_settimeout(server, 0), 0);
    CHECK_ERRNO(skt_accept_fd(server, NULL), EAGAIN);
    skt_close(server);
}

/* ---- Addresses in use ---- */

static void held_by_this_process(void)
{
    char expected[200], text[64];
    skt_addr addr;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    snprintf(expected, sizeof expected, "bind %s: Address already in use (held by this process)",
             skt_addr_text(&addr, text, sizeof text));
    CHECK_ERRNO(skt_bind(s, addr), EADDRINUSE);
    CHECK_STR(skt_strerror(), expected);
    CHECK_STR(skt_strerror(), expected);
    skt_close(s);
    s = skt_socket(AF_INET, SOCK_STREAM, 0); /* for every address, and so in the way of the one */
    CHECK_ERRNO(skt_bind(s, skt_inet("", skt_port(&addr))), EADDRINUSE);
    CHECK(strstr(skt_strerror(), "(held by this process)"));
    skt_close(s);
    skt_close(server);
}

/* Runs in a child under the name "the holder": holds an address, and tells it, until its input ends. */
static void hold(skt_addr addr, int type, int to, int from)
{
    char c;
    prctl(PR_SET_NAME, "the holder");
    skt *s = skt_socket(addr.family, type, 0);
    if (skt_bind(s, addr) == 0 && skt_getsockname(s, &addr) == 0 && write(to, &addr, sizeof addr) > 0)
        (void)!read(from, &c, 1);
    _exit(0);
}

static void check_held_by_another(skt_addr addr, int type)
{
    char expected[80];
    int to[2], from[2];
    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(from[1]);
        hold(addr, type, to[1], from[0]);
    }
    CHECK_INT(read(to[0], &addr, sizeof addr), sizeof addr);
    snprintf(expected, sizeof expected, "%s (held by the holder, process %d)", strerror(EADDRINUSE), (int)child);
    skt *s = skt_socket(addr.family, type, 0);
    CHECK_ERRNO(skt_bind(s, addr), EADDRINUSE);
    CHECK(strstr(skt_strerror(), expected));
    skt_close(s);
    for (int i = 0; i < 2; i++) {
        close(to[i]);
        close(from[i]);
    }
    CHECK_INT(waitpid(child, NULL, 0), child);
}

static void held_by_another_process(void)
{
    check_held_by_another(skt_inet("127.0.0.1", 0), SOCK_DGRAM);
    check_held_by_another(skt_abstract("skt-test-server", 15), SOCK_STREAM);
    if (has_ipv6())
        check_held_by_another(skt_inet6("::1", 0, 0, 0), SOCK_DGRAM);
}

static void a_stale_file(void)
{
    char path[] = "/tmp/skt-test-XXXXXX";
    close(mkstemp(path));
    skt *s = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_bind(s, skt_unix(path)), EADDRINUSE);
    CHECK(strstr(skt_strerror(), "no process holds it: a file left behind, to be removed"));
    skt_close(s);
    unlink(path);
}

/* Tables as no kernel writes them, with the holder in the midst; its process is not to be seen. */
static const char *table_path, *table_text;

static int open_table(const char *path)
{
    if (strcmp(path, table_path) != 0)
        return open(path, O_RDONLY | O_CLOEXEC);
    char name[] = "/tmp/skt-test-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    CHECK(fd >= 0 && unlink(name) == 0);
    CHECK(write(fd, table_text, strlen(table_text)) == (ssize_t)strlen(table_text) && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_table(skt *s, skt_addr addr, const char *path, const char *text, const char *expected)
{
    struct skti_sys before = skti_sys;
    table_path = path;
    table_text = text;
    skti_sys.open = open_table;
    CHECK_ERRNO(skt_bind(s, addr), EADDRINUSE);
    const char *sentence = skt_strerror();
    skti_sys = before;
    if (!strstr(sentence, expected))
        check_failed(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", sentence, expected);
    skt_close(s);
}

static void tables_that_are_odd(void)
{
    static char text[10000];
    skt_addr addr;
    skt *server = local_server(&addr);
    snprintf(text, sizeof text,
             "headings\n\nrubbish\n%5000s\n"
             " 0: 0100007F 0:0 0A 0:0 0:0 0 0 0 5\n"
             " 1: 01007F:%04X 0:0 0A 0:0 0:0 0 0 0 5\n"
             " 2: 0100007F:%04X 0:0 0A 0:0 0:0 0 4711 0 4294967295\n",
             "", (unsigned)skt_port(&addr), (unsigned)skt_port(&addr));
    check_table(skt_socket(AF_INET, SOCK_STREAM, 0), addr, "/proc/net/tcp", text,
                "held by a process of user 4711 that we may not see");
    skt_close(server);
    addr = skt_abstract("skt-test-table", 14);
    server = skt_create_server(addr, NULL);
    check_table(skt_socket(AF_UNIX, SOCK_STREAM, 0), addr, "/proc/net/unix",
                "headings\nrubbish\n0: 2 0 0 1 1 x @skt-test-table\n0: 2 0 0 1 1 4294967295 @skt-test-table\n",
                "held by a process that we may not see");
    skt_close(server);
}

/* Ends a connection from the server's side, so that TIME_WAIT is on the server's port. */
static skt_addr leave_in_time_wait(bool reuse)
{
    skt_addr addr;
    char c;
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), &(skt_server_options){ .no_reuse_address = !reuse });
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(skt_getsockname(server, &addr) == 0 && skt_connect(s, addr) == 0);
    skt *conn = skt_accept(server, NULL);
    skt_close(conn);
    CHECK_INT(skt_recv(s, &c, 1, 0), 0);
    skt_close(s);
    skt_close(server);
    return addr;
}

static void restarts_at_once(void)
{
    skt_addr addr = leave_in_time_wait(true);
    skt *s = skt_create_server(addr, NULL);
    CHECK(s != NULL);
    skt_close(s);
}

static void without_reuse_the_error_tells_why(void)
{
    skt_addr addr = leave_in_time_wait(false);
    CHECK_ERRNO(skt_create_server(addr, &(skt_server_options){ .no_reuse_address = true }), EADDRINUSE);
    CHECK(strstr(skt_strerror(), "a connection of an earlier server is in TIME_WAIT"));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "create_server's defaults", defaults },
        { "IPv6 alone, and both families", of_the_families },
        { "a server at a path", at_a_path },
        { "servers that cannot be", that_cannot_be },
        { "reuse_port: several on one port", several_on_one_port },
        { "what accept returns", accepted_sockets },
        { "a descriptor of accept's", accepted_descriptors },
        { "an address that this process holds", held_by_this_process },
        { "an address that another process holds", held_by_another_process },
        { "a stale file", a_stale_file },
        { "odd tables of sockets, and a process that is not to be seen", tables_that_are_odd },
        { "a server restarts at once on a port with connections in TIME_WAIT", restarts_at_once },
        { "without SO_REUSEADDR the error tells why", without_reuse_the_error_tells_why },
    };
    return RUN_CASES(cases);
}
