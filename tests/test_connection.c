/* test_connection.c - create_connection: all addresses of a name within one timeout (RFC 8305). */
#include "check.h"
#include "fake_time.h"
#include "peer.h"
#include "sys.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>

/* ---- A name with the addresses that the test wants ---- */

#define ROWS 40

static struct {
    struct addrinfo row[ROWS];
    skt_addr addr[ROWS];
    size_t n;
    int family_asked;
} name;

static int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    if (strcmp(host, "many.test") != 0)
        return getaddrinfo(host, service, hints, list);
    name.family_asked = hints->ai_family;
    *list = name.row;
    return 0; /* as if it were digits: looked up without a helper */
}

static void fake_freeaddrinfo(struct addrinfo *list)
{
    if (list != name.row)
        freeaddrinfo(list);
}

static void add_row(skt_addr addr)
{
    struct addrinfo *row = &name.row[name.n];
    name.addr[name.n] = addr;
    *row = (struct addrinfo){ .ai_family = addr.family, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP };
    row->ai_addr = &name.addr[name.n].as.any;
    skt_addr_sockaddr(&name.addr[name.n], &row->ai_addrlen);
    if (name.n > 0)
        name.row[name.n - 1].ai_next = row;
    name.n++;
}

static struct skti_sys before;

static void begin(void)
{
    before = skti_sys;
    fake_time_begin();
    skti_sys.getaddrinfo = fake_getaddrinfo;
    skti_sys.freeaddrinfo = fake_freeaddrinfo;
    name.n = 0;
}

static void end(void)
{
    fake_time_end();
    skti_sys = before;
}

/* ---- Hosts that answer, refuse and are silent ---- */

/* Nobody listens there: the port was given out and taken back. */
static skt_addr refusing(const char *host)
{
    skt_addr addr;
    bool six = strchr(host, ':') != NULL;
    skt *s = skt_socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_bind(s, six ? skt_inet6(host, 0, 0, 0) : skt_inet(host, 0)), 0);
    CHECK_INT(skt_getsockname(s, &addr), 0);
    skt_close(s);
    return addr;
}

/* A server whose queue is full: the kernel drops what else comes. */
struct hole {
    skt *server, *waiting[2];
    skt_addr addr;
};

static void dig(struct hole *hole)
{
    hole->server = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_bind(hole->server, skt_inet("127.0.0.1", 0)), 0);
    CHECK_INT(skt_listen(hole->server, 0), 0);
    CHECK_INT(skt_getsockname(hole->server, &hole->addr), 0);
    for (int i = 0; i < 2; i++) {
        hole->waiting[i] = skt_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK_ERRNO(skt_connect(hole->waiting[i], hole->addr), EINPROGRESS);
    }
}

static void fill_in(struct hole *hole)
{
    skt_close(hole->server);
    for (int i = 0; i < 2; i++)
        skt_close(hole->waiting[i]);
}

/* ---- Cases ---- */

static void accept_and_close(skt *server, skt *s, double timeout)
{
    skt_addr here, seen;
    CHECK(s && skt_gettimeout(s) == timeout && skt_getsockname(s, &here) == 0);
    skt *conn = skt_accept(server, &seen);
    CHECK(skt_addr_equal(&here, &seen));
    skt_close(conn);
    skt_close(s);
}

static void the_first_that_answers(void)
{
    skt_addr addr;
    skt *server = local_server(&addr);
    const double timeouts[] = { SKT_NO_TIMEOUT, 10 };
    for (int i = 0; i < 2; i++) {
        begin();
        add_row(refusing("127.0.0.1"));
        add_row(addr);
        skt *s = skt_create_connection("many.test", 80, timeouts[i]);
        CHECK_INT(fake_slept, 0); /* a refusal makes the next start at once */
        end();
        accept_and_close(server, s, timeouts[i]);
    }
    skt_close(server);
}

static void the_other_family(void)
{
    skt_addr addr;
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    skt *server = local_server(&addr);
    begin();
    add_row(refusing("::1"));
    add_row(addr);
    skt *s = skt_create_connection("many.test", 80, 10);
    end();
    accept_and_close(server, s, 10);
    skt_close(server);
}

static void silence_costs_a_quarter_of_a_second(void)
{
    skt_addr addr;
    struct hole hole;
    skt *server = local_server(&addr);
    dig(&hole);
    begin();
    add_row(hole.addr);
    add_row(hole.addr);
    add_row(addr);
    skt *s = skt_create_connection("many.test", 80, 10);
    CHECK_INT(fake_slept, SECOND / 2);
    end();
    accept_and_close(server, s, 10);
    fill_in(&hole);
    skt_close(server);
}

static void all_silent(void)
{
    struct hole hole;
    skt_addr addr;
    dig(&hole);
    begin();
    add_row(hole.addr);
    add_row(refusing("127.0.0.2"));
    add_row(hole.addr);
    CHECK(!skt_create_connection("many.test", 80, 3.5) && errno == ETIMEDOUT && skt_timed_out());
    CHECK_INT(fake_slept, 7 * SECOND / 2);
    end();
    CHECK_INT(skt_error_record()->attempts, 3);
    CHECK_INT(skt_attempt(0, &addr), ECONNREFUSED);
    CHECK(skt_addr_equal(&addr, &name.addr[1]));
    CHECK_INT(skt_attempt(1, NULL), ETIMEDOUT);
    CHECK_INT(skt_attempt(3, NULL), 0);
    fill_in(&hole);
}

/* The families take turns, beginning with the resolver's first; the sentence names all. */
static void turns_and_their_sentence(void)
{
    char text[SKT_ADDR_TEXT_MAX], expected[2048] = "connect many.test: Connection refused (";
    const size_t order[] = { 0, 2, 1, 3 };
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    begin();
    add_row(refusing("::1"));
    add_row(refusing("::1"));
    add_row(refusing("127.0.0.1"));
    add_row(refusing("127.0.0.2"));
    CHECK(!skt_create_connection("many.test", 80, 10) && errno == ECONNREFUSED && !skt_timed_out());
    end();
    for (size_t i = 0; i < 4; i++) {
        skt_addr addr;
        CHECK_INT(skt_attempt(i, &addr), ECONNREFUSED);
        CHECK(skt_addr_equal(&addr, &name.addr[order[i]]));
        size_t len = strlen(expected);
        skt_addr_text(&addr, text, sizeof text);
        snprintf(expected + len, sizeof expected - len, "%s%s: Connection refused", i ? "; " : "", text);
    }
    CHECK_STR(skt_strerror(), strcat(expected, ")"));
}

/* Rows of these families ('4', '6', 'u' for another), whose places tell where they stood. */
static void check_order(const char *families, const char *expected)
{
    skt_addrinfo rows[16] = { 0 };
    char places[17] = "";
    size_t n = strlen(families);
    for (size_t i = 0; i < n; i++) {
        rows[i].family = families[i] == '4' ? AF_INET : families[i] == '6' ? AF_INET6 : AF_UNIX;
        rows[i].proto = (int)i;
    }
    skt_connection_order(rows, n);
    for (size_t i = 0; i < n; i++)
        places[i] = (char)('a' + rows[i].proto);
    CHECK_STR(places, expected);
}

static void the_order_alone(void)
{
    check_order("", "");
    check_order("4", "a");
    check_order("444", "abc");
    check_order("64", "ab");
    check_order("6644", "acbd");
    check_order("4466", "acbd");
    check_order("46666", "abcde");
    check_order("66664", "aebcd");
    check_order("4644464", "abcfdeg");
    check_order("6u4u66", "abecfd");
    skt_connection_order(NULL, 3);
}

/* The order that is told is the one in which they are tried. */
static void the_order_told(void)
{
    skt_addrinfo *rows;
    skt_addr addr;
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    begin();
    for (int i = 0; i < 3; i++)
        add_row(refusing("::1"));
    for (int i = 0; i < 5; i++)
        add_row(refusing("127.0.0.1"));
    CHECK_INT(skt_getaddrinfo("many.test", "80", 0, SOCK_STREAM, 0, 0, 10, &rows), 8);
    CHECK(!skt_create_connection("many.test", 80, 10));
    end();
    skt_connection_order(rows, 8);
    for (size_t i = 0; i < 8; i++) {
        CHECK_INT(skt_attempt(i, &addr), ECONNREFUSED);
        CHECK(skt_addr_equal(&addr, &rows[i].addr));
    }
    CHECK_INT(rows[1].family, AF_INET);
    skt_freeaddrinfo(rows);
}

static void more_addresses_than_are_kept(void)
{
    begin();
    for (int i = 0; i < ROWS; i++)
        add_row(refusing("127.0.0.1"));
    CHECK(!skt_create_connection("many.test", 80, 10));
    end();
    CHECK_INT(skt_error_record()->attempts, ROWS);
    CHECK_INT(skt_attempt(15, NULL), ECONNREFUSED);
    CHECK_INT(skt_attempt(16, NULL), 0);
    CHECK(strstr(skt_strerror(), "; 24 more)"));
}

/* More silent ones than can be under way at a time: time goes on for those that wait. */
static void many_silent(void)
{
    struct hole hole;
    dig(&hole);
    begin();
    for (int i = 0; i < ROWS; i++)
        add_row(hole.addr);
    CHECK(!skt_create_connection("many.test", 80, 100) && errno == ETIMEDOUT);
    CHECK_INT(fake_slept, 100 * SECOND);
    end();
    fill_in(&hole);
}

static void from_a_source_address(void)
{
    skt_addr addr, peer;
    skt *server = local_server(&addr);
    begin();
    add_row(addr);
    skt *s = skt_create_connection_from("many.test", 80, 10, skt_inet("127.0.0.5", 0));
    end();
    CHECK_INT(name.family_asked, AF_INET);
    skt *conn = skt_accept(server, &peer);
    CHECK_STR(skt_host(&peer), "127.0.0.5");
    skt_close(conn);
    skt_close(s);
    CHECK(!skt_create_connection_from("127.0.0.1", skt_port(&addr), 10, addr) && errno == EADDRINUSE);
    skt_close(server);
}

static int set_ttl(skt *s, void *arg)
{
    CHECK_INT(skt_setsockopt_int(s, IPPROTO_IP, IP_TTL, 7), 0);
    ++*(int *)arg;
    return 0;
}

static int refuse(skt *s, void *arg)
{
    (void)s;
    ++*(int *)arg;
    errno = EPERM;
    return -1;
}

static void prepared(void)
{
    skt_addr addr;
    skt *server = local_server(&addr);
    int times = 0, ttl = 0;
    skt_connection_options options = { .family = AF_INET, .prepare = set_ttl, .arg = &times };
    begin();
    add_row(addr);
    skt *s = skt_create_connection_with("many.test", 80, 10, &options);
    end();
    CHECK_INT(name.family_asked, AF_INET);
    CHECK_INT(times, 1);
    CHECK_INT(skt_getsockopt_int(s, IPPROTO_IP, IP_TTL, &ttl), 0);
    CHECK_INT(ttl, 7);
    skt_close(s);
    options.prepare = refuse;
    CHECK_ERRNO(skt_create_connection_with("127.0.0.1", skt_port(&addr), 10, &options), EPERM);
    CHECK_INT(times, 2);
    skt_close(server);
}

static void source_addresses_that_are_none(void)
{
    CHECK_ERRNO(skt_create_connection_from("127.0.0.1", 80, 1, skt_inet("localhost", 0)), EINVAL);
    CHECK_STR(skt_strerror(), "connect: the source address is a name: localhost");
    CHECK_ERRNO(skt_create_connection_from("127.0.0.1", 80, 1, skt_inet("127.0.0.1", 70000)), EINVAL);
    CHECK_ERRNO(skt_create_connection_from("127.0.0.1", 80, 1, skt_unix("/x")), EAFNOSUPPORT);
    CHECK_ERRNO(skt_create_connection_from("127.0.0.1", 80, 1, skt_inet("192.0.2.1", 0)), EADDRNOTAVAIL);
    CHECK_ERRNO(skt_create_connection_from("::1", 80, 1, skt_inet("", 0)), EHOSTUNREACH);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_NAME);
}

/* A client that is given the very port that it connects to would talk to itself. */
static void not_to_itself(void)
{
    skt_addr addr = refusing("127.0.0.1");
    CHECK_ERRNO(skt_create_connection_from("127.0.0.1", skt_port(&addr), 10, addr), ECONNREFUSED);
}

/* What connect(2) says when it is asked again, as soon as it has said that it goes on. */
static int answer, asked;

static int connect_and_answer(int fd, const struct sockaddr *sa, socklen_t len)
{
    if (asked++ == 0) {
        CHECK_ERRNO(connect(fd, sa, len), EINPROGRESS);
        return -1;
    }
    errno = answer;
    return answer ? -1 : 0;
}

static void asked_again(void)
{
    static const int connected[] = { 0, EISCONN, EALREADY, EINTR },
                     failed[] = { ECONNREFUSED, ECONNABORTED, ETIMEDOUT };
    struct skti_sys real = skti_sys;
    skt_addr addr;
    skt *server = local_server(&addr);
    skti_sys.connect = connect_and_answer;
    for (size_t i = 0; i < sizeof connected / sizeof *connected; i++) {
        asked = 0;
        answer = connected[i];
        skt *s = skt_create_connection("127.0.0.1", skt_port(&addr), 10);
        CHECK_INT(asked, 2);
        accept_and_close(server, s, 10);
    }
    for (size_t i = 0; i < sizeof failed / sizeof *failed; i++) {
        asked = 0;
        answer = failed[i];
        CHECK_ERRNO(skt_create_connection("127.0.0.1", skt_port(&addr), 10), failed[i]);
        CHECK(!skt_timed_out());
        skt_close(skt_accept(server, NULL));
    }
    skti_sys = real;
    skt_close(server);
}

/* Digits are read without the C library's look-up, and come to the same. */
static struct sockaddr_in6 dialled;

static int note_and_refuse(int fd, const struct sockaddr *sa, socklen_t len)
{
    (void)fd;
    memset(&dialled, 0, sizeof dialled);
    memcpy(&dialled, sa, len);
    errno = ECONNREFUSED;
    return -1;
}

static void digits(void)
{
    static const struct {
        const char *host, *address;
        int family, wanted;
    } forms[] = {
        { "127.0.0.1", "127.0.0.1", AF_INET, AF_UNSPEC },
        { "127.0.0.1", "127.0.0.1", AF_INET, AF_INET },
        { "127.1", "127.0.0.1", AF_INET, AF_UNSPEC }, /* inet_aton's forms are the look-up's */
        { "0x7f.1", "127.0.0.1", AF_INET, AF_UNSPEC },
        { "1::2", "1::2", AF_INET6, AF_UNSPEC }, /* its beginning is IPv4's too */
        { "::1", "::1", AF_INET6, AF_INET6 },
        { "::ffff:127.0.0.1", "::ffff:127.0.0.1", AF_INET6, AF_UNSPEC },
    };
    struct skti_sys real = skti_sys;
    skti_sys.connect = note_and_refuse;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const skt_connection_options options = { .family = forms[i].wanted };
        unsigned char address[16];
        if (forms[i].family == AF_INET6 && !has_ipv6())
            continue;
        CHECK_ERRNO(skt_create_connection_with(forms[i].host, 80, 10, &options), ECONNREFUSED);
        CHECK_INT(dialled.sin6_family, forms[i].family);
        CHECK_INT(ntohs(dialled.sin6_port), 80);
        CHECK_INT(inet_pton(forms[i].family, forms[i].address, address), 1);
        if (forms[i].family == AF_INET)
            CHECK(!memcmp(&((struct sockaddr_in *)&dialled)->sin_addr, address, 4));
        else
            CHECK(!memcmp(&dialled.sin6_addr, address, 16) && !dialled.sin6_flowinfo && !dialled.sin6_scope_id);
    }
    skti_sys = real;
}

/* A kernel need not say EINPROGRESS first. */
static int connect_at_once(int fd, const struct sockaddr *sa, socklen_t len)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    int result = connect(fd, sa, len), code = errno;
    fcntl(fd, F_SETFL, flags);
    errno = code;
    return result;
}

static void connected_at_once(void)
{
    skt_addr addr;
    skt *server = local_server(&addr);
    begin();
    skti_sys.connect = connect_at_once;
    add_row(refusing("127.0.0.1"));
    add_row(addr);
    skt *s = skt_create_connection("many.test", 80, 10);
    CHECK_INT(fake_slept, 0);
    end();
    accept_and_close(server, s, 10);
    skt_close(server);
}

/* A signal comes when the connection is under way: asked again, the kernel says EALREADY. */
static int interruptions;

static int connect_interrupted(int fd, const struct sockaddr *sa, socklen_t len)
{
    int result = connect(fd, sa, len);
    if (interruptions++ == 0) {
        CHECK(result < 0 && errno == EINPROGRESS);
        errno = EINTR;
    }
    return result;
}

static void interrupted_on_the_way(void)
{
    struct hole hole;
    dig(&hole);
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(s, 3), 0);
    begin();
    interruptions = 0;
    skti_sys.connect = connect_interrupted;
    CHECK(skt_connect(s, hole.addr) < 0 && errno == ETIMEDOUT && skt_timed_out());
    CHECK_INT(fake_slept, 3 * SECOND);
    CHECK_INT(interruptions, 2);
    end();
    skt_close(s);
    fill_in(&hole);
}

/* A name in an IPv6 address, and one that decides the family. */
static void names_of_ipv6(void)
{
    skt_addr addr;
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    begin();
    add_row(skt_inet6("::1", 0, 0, 0));
    skt *server = skt_create_server(skt_name("many.test", 0), NULL);
    CHECK(server && skt_family(server) == AF_INET6 && skt_getsockname(server, &addr) == 0);
    skt *s = skt_socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(s, skt_inet6("many.test", skt_port(&addr), 5, 0)), 0);
    CHECK_INT(name.family_asked, AF_INET6);
    CHECK(skt_getpeername(s, &addr) == 0 && !strcmp(skt_host(&addr), "::1"));
    end();
    skt_close(s);
    skt_close(server);
}

static void names_that_are_not_found(void)
{
    CHECK_ERRNO(skt_create_connection("no such name", 80, SKT_NO_TIMEOUT), EHOSTUNREACH);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_NAME);
    CHECK_STR(skt_error_record()->name, "no such name");
    CHECK(!strncmp(skt_strerror(), "connect no such name: ", 22));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "the first address that answers", the_first_that_answers },
        { "IPv6 refuses, IPv4 answers", the_other_family },
        { "a silent address costs a quarter of a second", silence_costs_a_quarter_of_a_second },
        { "all silent: the timeout, once", all_silent },
        { "the families take turns, and the sentence names all addresses", turns_and_their_sentence },
        { "the order of connecting, for who wants to know it", the_order_alone },
        { "the order that is told is the one in which they are tried", the_order_told },
        { "more addresses than are kept", more_addresses_than_are_kept },
        { "more silent addresses than are tried at a time", many_silent },
        { "from a source address", from_a_source_address },
        { "options set before connecting", prepared },
        { "source addresses that are none", source_addresses_that_are_none },
        { "not to itself", not_to_itself },
        { "a connection that is there at once", connected_at_once },
        { "connect is interrupted on its way", interrupted_on_the_way },
        { "what connect(2) says when it is asked again", asked_again },
        { "digits in every form", digits },
        { "names of IPv6 addresses", names_of_ipv6 },
        { "names that are not found", names_that_are_not_found },
    };
    return RUN_CASES(cases);
}
