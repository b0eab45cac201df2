/* kernels.c - see kernels.h. */
#include "kernels.h"
#include "../peer.h"
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool in_uml(void)
{
    char line[128];
    bool found = false;
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f))
        found = strstr(line, "User Mode Linux") != NULL;
    fclose(f);
    return found;
}

double patience(void)
{
    return getenv("SKT_KERNELS_BLOCKING") ? SKT_NO_TIMEOUT : 10;
}

static bool lo_up(void)
{
    struct ifreq request = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    up = up && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (fd >= 0)
        close(fd);
    return up;
}

bool private_network(void)
{
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    return lo_up();
}

bool command(const char *line)
{
    char quiet[256];
    snprintf(quiet, sizeof quiet, "PATH=/usr/sbin:/sbin:/usr/bin:/bin; %s >/dev/null 2>&1", line);
    return system(quiet) == 0; /* NOLINT(cert-env33-c): the lines are ours */
}

static bool kernel_has_none(int code)
{
    return code == EAFNOSUPPORT || code == EPROTONOSUPPORT || code == ESOCKTNOSUPPORT || code == EPERM ||
           code == EACCES;
}

/* A kernel may know IPv6 and have it switched off. */
static bool lacks_ipv6(void)
{
    skt *s = skt_socket(AF_INET6, SOCK_DGRAM, 0);
    bool lacks = skt_bind(s, skt_inet6("::1", 0, 0, 0)) < 0;
    skt_close(s);
    return lacks;
}

skt *open_family(int family, int type, int proto)
{
    if (family == AF_INET6 && !in_uml() && lacks_ipv6()) {
        check_skip("there is no ::1");
        return NULL;
    }
    skt *s = skt_socket(family, type, proto);
    if (!s && (in_uml() || !kernel_has_none(errno)))
        check_failed(__FILE__, __LINE__, "family %d, type %d, protocol %d: %s", family, type, proto, skt_strerror());
    if (!s)
        check_skip("%s", skt_strerror());
    else
        OK(skt_settimeout(s, patience()));
    return s;
}

skt *open_rare(int family, int type, int proto)
{
    skt *s = skt_socket(family, type, proto);
    if (s) {
        OK(skt_settimeout(s, patience()));
        return s;
    }
    int code = errno;
    char sentence[128];
    snprintf(sentence, sizeof sentence, "socket: %s", strerror(code));
    CHECK(kernel_has_none(code));
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_SYSTEM);
    CHECK_INT(skt_error_record()->code, code);
    CHECK(strncmp(skt_strerror(), sentence, strlen(sentence)) == 0);
    check_skip("%s", skt_strerror());
    return NULL;
}

skt_addr own_address(skt *s)
{
    skt_addr a;
    OK(skt_getsockname(s, &a));
    return a;
}

skt_addr peer_address(skt *s)
{
    skt_addr a;
    OK(skt_getpeername(s, &a));
    return a;
}

void check_same(const skt_addr *a, const skt_addr *b)
{
    char first[SKT_ADDR_TEXT_MAX], second[SKT_ADDR_TEXT_MAX];
    CHECK_STR(skt_addr_text(a, first, sizeof first), skt_addr_text(b, second, sizeof second));
    if (!skt_addr_equal(a, b))
        check_failed(__FILE__, __LINE__, "two addresses with the text %s are not equal", first);
}

static void check_round_trip(const skt_addr *a, const char *text)
{
    char again[SKT_ADDR_TEXT_MAX];
    skt_addr parsed = skt_addr_parse(text);
    CHECK_STR(skt_addr_text(&parsed, again, sizeof again), text);
    CHECK_INT(parsed.family, a->family);
    if (skt_addr_sockaddr(&parsed, NULL)) /* an interface's name is looked up only by the call that uses it */
        CHECK(skt_addr_equal(&parsed, a));
}

void check_text(const skt_addr *a, const char *expected)
{
    char text[SKT_ADDR_TEXT_MAX];
    CHECK_STR(skt_addr_text(a, text, sizeof text), expected);
    check_round_trip(a, text);
}

void check_text_begins(const skt_addr *a, const char *expected)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr_text(a, text, sizeof text);
    if (strncmp(text, expected, strlen(expected)) != 0)
        check_failed(__FILE__, __LINE__, "%s does not begin with %s", text, expected);
    check_round_trip(a, text);
}

skt_addr expect(skt *s, const char *text)
{
    char buf[256] = "";
    skt_addr from;
    ssize_t n = skt_recvfrom(s, buf, sizeof buf - 1, 0, &from);
    OK(n);
    CHECK_STR(buf, text);
    CHECK_INT(n, strlen(text));
    return from;
}

void send_text(skt *s, const char *text, skt_addr to)
{
    ssize_t n = skt_sendto(s, text, strlen(text), 0, to);
    OK(n);
    CHECK_INT(n, strlen(text));
}

static void say(skt *s, const char *text)
{
    OK(skt_sendall(s, text, strlen(text), 0));
}

void converse(skt *client, skt *server)
{
    char c;
    say(client, "hello");
    expect(server, "hello");
    say(server, "and hello to you");
    expect(client, "and hello to you");
    OK(skt_shutdown(client, SHUT_RDWR)); /* for TIPC, to which a close alone is a reset */
    OK(skt_close(client));               /* for DCCP, to which a shutdown is nothing */
    CHECK_INT(skt_recv(server, &c, 1, 0), 0);
    OK(skt_close(server));
}

struct acceptance {
    skt *server, *conn;
    skt_addr *peer;
};

static void accept_one(void *arg)
{
    struct acceptance *a = arg;
    a->conn = skt_accept(a->server, a->peer);
    OK_SOCKET(a->conn);
}

void connect_and_converse(skt *client, skt *server, skt_addr to, skt_addr *peer)
{
    struct peer other;
    struct acceptance a = { server, NULL, peer };
    start_peer(&other, accept_one, &a);
    OK(skt_connect(client, to));
    join_peer(&other);
    converse(client, a.conn);
    OK(skt_close(server));
}
