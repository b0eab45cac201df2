/* test_names.c - names of hosts, services, protocols and interfaces: what Python's socket module says of
 * them, and what may never happen: digits that ask a resolver, a look-up that outlives its
 * timeout, an error that does not say which name.
 *
 * The names are the test's own: where it may, it lays an /etc of its own over the machine's (in a mount namespace of
 * its own), and the C library reads that.  Cases that need it are skipped elsewhere. */
#include "check.h"
#include "fake_time.h"
#include "peer.h"
#include "sys.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <locale.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#define GET(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define PUT(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)

#define IDN                                                                                                            \
    "b\xc3\xbc"                                                                                                        \
    "cher.test"

static char text[NI_MAXHOST], service[NI_MAXSERV], byte[1];

/* Rows of getaddrinfo, and the end of them. */
static skt_addrinfo *rows;

static ssize_t find(const char *host, const char *port, int family, int type, int flags)
{
    skt_freeaddrinfo(rows); /* the last ones */
    return skt_getaddrinfo(host, port, family, type, 0, flags, 60, &rows);
}

static void forget_rows(void)
{
    skt_freeaddrinfo(rows);
    rows = NULL;
}

#define CHECK_ADDR(addr, expected) CHECK_STR(skt_addr_text(&(addr), text, sizeof text), expected)

/* A failure, its domain and code, and the sentence: what failed, and the C library's words for the code. */
#define CHECK_RECORD(call, in_domain, in_code, what)                                                                   \
    do {                                                                                                               \
        char sentence[300];                                                                                            \
        CHECK_ERRNO(call, EHOSTUNREACH);                                                                               \
        CHECK_INT(skt_error_record()->domain, in_domain);                                                              \
        CHECK_INT(skt_error_record()->code, in_code);                                                                  \
        snprintf(sentence, sizeof sentence, "%s: %s", what,                                                            \
                 (in_domain) == SKT_ERROR_NAME ? gai_strerror(in_code) : hstrerror(in_code));                          \
        CHECK_STR(skt_strerror(), sentence);                                                                           \
    } while (0)

/* ---- An /etc of our own ---- */

static bool own_etc;
#define NEEDS_ETC()                                                                                                    \
    do {                                                                                                               \
        if (!own_etc)                                                                                                  \
            SKIP("no /etc of our own can be had");                                                                     \
    } while (0)

static bool write_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool good = write(fd, content, strlen(content)) == (ssize_t)strlen(content);
    return close(fd) == 0 && good;
}

/* Privileged, or in a user namespace where we are it. */
static bool own_mounts(void)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWNS) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return false;
    snprintf(map, sizeof map, "0 %u 1", uid);
    bool good = write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    return good && write_file("/proc/self/gid_map", map);
}

#define MANY 2000 /* aliases of big.test: more than the first buffer takes */

static void make_etc(void)
{
    static char hosts[MANY * 12 + 1000] = "127.0.0.1 localhost\n::1 localhost\n"
                                          "10.9.8.7 short fully.qualified.test other.test\n"
                                          "10.9.8.6 nodot without\n"
                                          "10.9.8.5 canon.test xn--bcher-kva.test\n"
                                          "10.9.8.3 both.test\n2001:db8::3 both.test\n"
                                          "10.9.8.4 big.test";
    size_t used = strlen(hosts);
    for (int i = 0; i < MANY; i++)
        used += (size_t)snprintf(hosts + used, sizeof hosts - used, " a%04d.test", i);
    snprintf(hosts + used, sizeof hosts - used, "\n");
    if (!own_mounts() || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/etc", "tmpfs", 0, "size=1m") < 0)
        return;
    own_etc = write_file("/etc/hosts", hosts) && write_file("/etc/host.conf", "multi on\n") &&
              write_file("/etc/resolv.conf", "options timeout:1 attempts:1\n") && /* musl asks in any case */
              write_file("/etc/nsswitch.conf", "hosts: files\nservices: files\n"
                                               "protocols: files\n") &&
              write_file("/etc/services", "http 80/tcp www\ndomain 53/udp\ntwice 7777/tcp\nother 7777/udp\n"
                                          "sixteen-letters- 7778/tcp\n") &&
              write_file("/etc/protocols", "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\n");
    CHECK(own_etc);
}

/* ---- What the library asks ---- */

/* Questions that were put to the resolver, digits apart; and the flags of the last one. */
static int asked, last_flags, helpers;
static int answer, answer_errno; /* what getaddrinfo is to say instead of the truth; 0: the truth */

static struct skti_sys below;

static int ask_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
    if (!(hints->ai_flags & AI_NUMERICHOST)) {
        __atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
        PUT(last_flags, hints->ai_flags);
        if (GET(answer)) {
            errno = GET(answer_errno);
            return GET(answer);
        }
    }
    return below.getaddrinfo(host, port, hints, list);
}

static int ask_gethostbyname(const char *name, int family, struct hostent *host, char *buf, size_t len,
                             struct hostent **found, int *h)
{
    __atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
    return below.gethostbyname(name, family, host, buf, len, found, h);
}

/* A host that wants a buffer of so many bytes, if it is not 0; then how often it was asked. */
static size_t wanted;
static int times;

static int ask_gethostbyaddr(const void *addr, socklen_t addrlen, int family, struct hostent *host, char *buf,
                             size_t len, struct hostent **found, int *h)
{
    static char name[] = "wants.much.test", *none[] = { NULL };
    size_t size = GET(wanted);
    if (size == 0)
        return below.gethostbyaddr(addr, addrlen, family, host, buf, len, found, h);
    __atomic_add_fetch(&times, 1, __ATOMIC_SEQ_CST);
    *found = NULL;
    *h = -1; /* NETDB_INTERNAL: see the result */
    if (len < size)
        return ERANGE;
    memset(buf, 'x', size); /* all of it is there */
    *host = (struct hostent){ .h_name = name, .h_aliases = none, .h_addr_list = none, .h_addrtype = family };
    *found = host;
    return 0;
}

static int count_helper(void *(*run)(void *), void *arg)
{
    __atomic_add_fetch(&helpers, 1, __ATOMIC_SEQ_CST);
    return below.start_thread(run, arg);
}

static char machine[65] = "";

static int fake_gethostname(char *buf, size_t len)
{
    if (strlen(machine) >= len) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(buf, machine);
    return 0;
}

/* All is put into the table before the first call, since helpers look into it in their own time. */
static void install(void)
{
    silence_resolver();
    release_resolver();
    below = skti_sys;
    skti_sys.getaddrinfo = ask_getaddrinfo;
    skti_sys.gethostbyname = ask_gethostbyname;
    skti_sys.gethostbyaddr = ask_gethostbyaddr;
    skti_sys.start_thread = count_helper;
    skti_sys.gethostname = fake_gethostname;
}

/* ---- getaddrinfo ---- */

static bool has_type(ssize_t n, int type)
{
    for (ssize_t i = 0; i < n; i++)
        if (rows[i].type == type)
            return true;
    return false;
}

static void addresses_of_digits(void)
{
    CHECK_INT(find("127.0.0.1", "80", AF_INET, SOCK_STREAM, 0), 1);
    CHECK(rows->family == AF_INET && rows->type == SOCK_STREAM && rows->proto == IPPROTO_TCP);
    CHECK_STR(rows->canonname, "");
    CHECK_ADDR(rows->addr, "127.0.0.1:80");
    CHECK_INT(find("127.0.0.1", NULL, AF_UNSPEC, SOCK_DGRAM, 0), 1);
    CHECK(rows->type == SOCK_DGRAM && rows->proto == IPPROTO_UDP);
    CHECK_ADDR(rows->addr, "127.0.0.1:0");
    ssize_t n = find("127.0.0.1", "7", AF_INET, 0, 0); /* every type */
    CHECK(has_type(n, SOCK_STREAM) && has_type(n, SOCK_DGRAM));
    CHECK_INT(find("::1", "443", AF_UNSPEC, SOCK_STREAM, 0), 1);
    CHECK_INT(rows->family, AF_INET6);
    CHECK_ADDR(rows->addr, "[::1]:443");
    CHECK_INT(find("fe80::1%1", "5", AF_INET6, SOCK_STREAM, 0), 1);
    CHECK_ADDR(rows->addr, "[fe80::1%1]:5");
    CHECK_INT(find("127.0.0.1", "80", AF_INET, SOCK_STREAM, AI_CANONNAME), 1);
    CHECK_STR(rows->canonname, "127.0.0.1");
    CHECK_INT(find("127.0.0.1", "80", AF_INET6, SOCK_STREAM, AI_V4MAPPED), 1);
    CHECK_ADDR(rows->addr, "[::ffff:127.0.0.1]:80");
    forget_rows();
    CHECK_INT(skt_getaddrinfo("127.0.0.1", "80", AF_INET, 0, IPPROTO_UDP, 0, 60, &rows), 1);
    CHECK_INT(rows->type, SOCK_DGRAM);
    forget_rows();
}

static void this_machine(void)
{
    CHECK_INT(find(NULL, "80", AF_INET, SOCK_STREAM, 0), 1);
    CHECK_ADDR(rows->addr, "127.0.0.1:80");
    CHECK_INT(find(NULL, "80", AF_INET, SOCK_STREAM, AI_PASSIVE), 1);
    CHECK_ADDR(rows->addr, "0.0.0.0:80");
    CHECK_INT(find(NULL, "80", AF_INET6, SOCK_STREAM, AI_PASSIVE), 1);
    CHECK_ADDR(rows->addr, "[::]:80");
    CHECK(find("localhost", "80", AF_INET, SOCK_STREAM, AI_CANONNAME) >= 1);
    CHECK_STR(rows->canonname, "localhost");
    CHECK_ADDR(rows->addr, "127.0.0.1:80");
    CHECK(find("localhost", NULL, AF_INET, SOCK_STREAM, 0) >= 1);
    CHECK_STR(rows->canonname, "");
    forget_rows();
}

static void services_by_name(void)
{
    NEEDS_ETC();
    CHECK_INT(find("127.0.0.1", "http", AF_INET, 0, 0), 1); /* which is tcp's alone */
    CHECK_INT(rows->type, SOCK_STREAM);
    CHECK_ADDR(rows->addr, "127.0.0.1:80");
    CHECK_INT(find("127.0.0.1", "www", AF_INET, SOCK_STREAM, 0), 1);
    CHECK_ADDR(rows->addr, "127.0.0.1:80");
    CHECK_INT(find("127.0.0.1", "domain", AF_INET, 0, 0), 1);
    CHECK_INT(rows->type, SOCK_DGRAM);
    CHECK_INT(find(NULL, "twice", AF_INET, SOCK_STREAM, 0), 1);
    CHECK_ADDR(rows->addr, "127.0.0.1:7777");
    forget_rows();
    CHECK_RECORD(find("127.0.0.1", "nothing", AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_SERVICE,
                 "getaddrinfo nothing");
    CHECK_RECORD(find(NULL, "nothing", AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_SERVICE, "getaddrinfo nothing");
    CHECK_RECORD(find("127.0.0.1", "domain", AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_SERVICE,
                 "getaddrinfo domain");
    forget_rows();
}

static void names_of_both_families(void)
{
    NEEDS_ETC();
    CHECK_INT(find("both.test", "80", AF_UNSPEC, SOCK_STREAM, 0), 2);
    char first[64];
    snprintf(first, sizeof first, "%s", skt_host(&rows[0].addr));
    CHECK(!strcmp(first, "10.9.8.3") ? !strcmp(skt_host(&rows[1].addr), "2001:db8::3")
                                     : !strcmp(first, "2001:db8::3") && !strcmp(skt_host(&rows[1].addr), "10.9.8.3"));
    CHECK_INT(find("both.test", "80", AF_INET, SOCK_STREAM, 0), 1);
    CHECK_ADDR(rows->addr, "10.9.8.3:80");
    CHECK_INT(find("both.test", "80", AF_INET6, SOCK_STREAM, 0), 1);
    CHECK_ADDR(rows->addr, "[2001:db8::3]:80");
    CHECK_INT(find("nodot", NULL, AF_INET, SOCK_STREAM, AI_CANONNAME), 1);
    CHECK_STR(rows->canonname, "nodot");
    CHECK_INT(find("fully.qualified.test", NULL, AF_INET, SOCK_STREAM, AI_CANONNAME), 1);
    CHECK_STR(rows->canonname, "short");
    forget_rows();
}

static void what_getaddrinfo_refuses(void)
{
    CHECK_RECORD(find("name.invalid", "80", AF_INET, SOCK_STREAM, AI_NUMERICHOST), SKT_ERROR_NAME, EAI_NONAME,
                 "getaddrinfo name.invalid");
    CHECK_RECORD(find("127.0.0.1", "name", AF_INET, SOCK_STREAM, AI_NUMERICSERV), SKT_ERROR_NAME, EAI_NONAME,
                 "getaddrinfo 127.0.0.1");
    CHECK_RECORD(find(NULL, NULL, AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_NONAME, "getaddrinfo");
    CHECK_RECORD(find("127.0.0.1", "80", 4711, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_FAMILY, "getaddrinfo 127.0.0.1");
    CHECK_RECORD(find("127.0.0.1", "80", AF_INET, 99, 0), SKT_ERROR_NAME, MUSL ? EAI_SERVICE : EAI_SOCKTYPE,
                 MUSL ? "getaddrinfo 80" : "getaddrinfo 127.0.0.1");
    CHECK_RECORD(find("127.0.0.1", "80", AF_INET, SOCK_STREAM, 1 << 30), SKT_ERROR_NAME, EAI_BADFLAGS,
                 "getaddrinfo 127.0.0.1");
    CHECK_ERRNO(find("::1", "80", AF_INET, SOCK_STREAM, 0), EHOSTUNREACH);
    CHECK(skt_error_record()->domain == SKT_ERROR_NAME && !strcmp(skt_error_record()->name, "::1"));
    CHECK(rows == NULL);
}

/* ---- Digits ---- */

/* Each in its turn: none asks, nor starts a helper. */
#define CHECK_ASKS(call, questions)                                                                                    \
    do {                                                                                                               \
        int asked_before = GET(asked), helpers_before = GET(helpers);                                                  \
        CHECK(call);                                                                                                   \
        CHECK_INT(GET(asked) - asked_before, questions);                                                               \
        CHECK_INT(GET(helpers) - helpers_before, questions);                                                           \
    } while (0)

static void digits(void)
{
    skt_addr addr;
    skt *server = local_server(&addr), *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    skt *udp = skt_socket(AF_INET, SOCK_DGRAM, 0), *other;
    const skt_addr name = skt_inet("localhost", skt_port(&addr));
    struct iovec iov = { byte, 1 };
    skt_msg msg = { .iov = &iov, .iovlen = 1, .addr = &addr };
    skt_datagram d = { .data = byte, .len = 1, .addr = &addr };
    CHECK_INT(skt_settimeout(udp, 60), 0);
    CHECK_ASKS(skt_connect(s, skt_inet("127.0.0.1", skt_port(&addr))) == 0, 0);
    CHECK_ASKS(skt_sendto(udp, "x", 1, 0, skt_inet("127.0.0.1", 9)) == 1, 0);
    addr = skt_name("127.0.0.1", 9);
    CHECK_ASKS(skt_sendmsg(udp, &msg, 0) == 1, 0);
    CHECK_ASKS(skt_sendmmsg(udp, &d, 1, 0) == 1, 0);
    skt_close(udp);
    udp = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ASKS(skt_bind(udp, skt_inet("127.0.0.1", 0)) == 0, 0);
    CHECK_ASKS((other = skt_create_connection("127.0.0.1", skt_port(&name), 60)) != NULL, 0);
    skt_close(other);
    CHECK_ASKS((other = skt_create_connection_from("127.0.0.1", skt_port(&name), 60, skt_inet("127.0.0.1", 0))) != NULL,
               0);
    skt_close(other);
    CHECK_ASKS((other = skt_create_server(skt_name("127.0.0.1", 0), NULL)) != NULL, 0);
    skt_close(other);
    CHECK_ASKS(find("127.0.0.1", "80", AF_INET, SOCK_STREAM, 0) == 1, 0);
    CHECK_ASKS(find("::1", "80", AF_INET6, SOCK_STREAM, 0) == 1, 0);
    CHECK_ASKS(find("127.1", NULL, AF_INET, SOCK_STREAM, 0) == 1, 0);
    CHECK_ASKS(find(NULL, "80", AF_INET, SOCK_STREAM, 0) == 1, 0);
    CHECK_ASKS(skt_gethostbyname("127.0.0.1", text, sizeof text, 60) == text, 0);
    CHECK_ASKS(skt_gethostbyname("0x7f.1", text, sizeof text, 60) == text && !strcmp(text, "127.0.0.1"), 0);
    CHECK_ASKS(skt_gethostbyname("", text, sizeof text, 60) == text, 0);
    CHECK_ASKS(skt_gethostbyname("<broadcast>", text, sizeof text, 60) == text, 0);
    /* And that it is counted when a name is asked for: */
    CHECK_ASKS(find("localhost", "80", AF_INET, SOCK_STREAM, 0) >= 1, 1);
    CHECK_ASKS(skt_gethostbyname("localhost", text, sizeof text, 60) == text, 1);
    skt_close(s);
    s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(s, 60), 0);
    CHECK_ASKS(skt_connect(s, name) == 0, 1);
    forget_rows();
    skt_close(s);
    skt_close(udp);
    skt_close(server);
}

/* ---- Names that are not ASCII ---- */

static void not_ascii(void)
{
#ifndef AI_IDN
    SKIP("this C library has no IDNA");
#else
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    PUT(answer, EAI_NONAME); /* it is the flag that counts: no name is looked up */
    CHECK_RECORD(find(IDN, "80", AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_NONAME, "getaddrinfo " IDN);
    CHECK(GET(last_flags) & AI_IDN);
    CHECK_ERRNO(find("ascii.test", "80", AF_INET, SOCK_STREAM, 0), EHOSTUNREACH);
    CHECK(!(GET(last_flags) & AI_IDN));
    skt_hostent *(*const by_name[])(const char *, double) = { skt_gethostbyname_ex, skt_gethostbyaddr };
    for (size_t i = 0; i < 2; i++) {
        PUT(last_flags, 0);
        CHECK_ERRNO(by_name[i](IDN, 60), EHOSTUNREACH);
        CHECK(GET(last_flags) & AI_IDN);
    }
    PUT(last_flags, 0);
    CHECK_ERRNO(skt_gethostbyname(IDN, text, sizeof text, 60), EHOSTUNREACH);
    CHECK(GET(last_flags) & AI_IDN);
    PUT(last_flags, 0);
    CHECK_RECORD(skt_connect(s, skt_inet(IDN, 80)), SKT_ERROR_NAME, EAI_NONAME, "connect " IDN);
    CHECK(GET(last_flags) & AI_IDN);
    PUT(last_flags, 0);
    CHECK_ERRNO(skt_create_connection(IDN, 80, 60), EHOSTUNREACH);
    CHECK(GET(last_flags) & AI_IDN);
    PUT(answer, 0);
    skt_close(s);
#endif
}

static void encoded(void)
{
#ifndef AI_IDN
    SKIP("this C library has no IDNA");
#else
    NEEDS_ETC();
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        SKIP("there is no locale C.UTF-8");
    if (find(IDN, NULL, AF_INET, SOCK_STREAM, AI_CANONNAME) < 0 && skt_error_record()->code == EAI_IDN_ENCODE)
        SKIP("the C library has no libidn2");
    CHECK(rows && !strcmp(skt_host(&rows->addr), "10.9.8.5"));
    CHECK_STR(rows->canonname, "canon.test");
    forget_rows();
    CHECK_STR(skt_gethostbyname(IDN, text, sizeof text, 60), "10.9.8.5");
    skt_hostent *host = skt_gethostbyname_ex(IDN, 60);
    CHECK(host != NULL);
    CHECK_STR(host->name, "canon.test");
    CHECK_STR(host->aliases[0], "xn--bcher-kva.test");
    CHECK_STR(host->addresses[0], "10.9.8.5");
    skt_freehostent(host);
    CHECK_INT(skt_getfqdn(IDN, text, sizeof text, 60), 0);
    CHECK_STR(text, "canon.test");
    CHECK_RECORD(find("\xff\xfe.test", NULL, AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, EAI_IDN_ENCODE,
                 "getaddrinfo \xff\xfe.test");
    CHECK_ERRNO(skt_gethostbyname_ex("\xff\xfe.test", 60), EHOSTUNREACH);
    CHECK_INT(skt_error_record()->code, EAI_IDN_ENCODE);
    setlocale(LC_CTYPE, "C");
#endif
}

/* ---- "" ---- */

static void check_bound(int family, skt_addr addr, const char *host)
{
    skt_addr local;
    skt *s = skt_socket(family, SOCK_DGRAM, 0);
    CHECK_ASKS(skt_bind(s, addr) == 0, 0);
    CHECK_INT(skt_getsockname(s, &local), 0);
    CHECK_INT(local.family, family);
    CHECK_STR(skt_host(&local), host);
    CHECK(skt_port(&local) > 0);
    skt_close(s);
}

static void wildcards(void)
{
    check_bound(AF_INET, skt_inet("", 0), "0.0.0.0");
    check_bound(AF_INET, skt_name("", 0), "0.0.0.0");
    check_bound(AF_INET, skt_addr_parse(":0"), "0.0.0.0");
    CHECK_STR(skt_gethostbyname("", text, sizeof text, 60), "0.0.0.0");
    CHECK_STR(skt_gethostbyname("<broadcast>", text, sizeof text, 60), "255.255.255.255");
    if (!has_ipv6())
        SKIP("no IPv6");
    check_bound(AF_INET6, skt_inet6("", 0, 0, 0), "::");
    check_bound(AF_INET6, skt_name("", 0), "::");
}

/* ---- getnameinfo ---- */

static int name_of(skt_addr addr, int flags)
{
    strcpy(text, "?");
    strcpy(service, "?");
    return skt_getnameinfo(addr, flags, text, sizeof text, service, sizeof service, 60);
}

static void names_of_addresses(void)
{
    const int numeric = NI_NUMERICHOST | NI_NUMERICSERV;
    CHECK_INT(name_of(skt_inet("127.0.0.1", 80), numeric), 0);
    CHECK_STR(text, "127.0.0.1");
    CHECK_STR(service, "80");
    CHECK_INT(name_of(skt_inet6("::1", 65535, 0, 0), numeric), 0);
    CHECK_STR(text, "::1");
    CHECK_STR(service, "65535");
    CHECK_INT(name_of(skt_name("10.1.2.3", 0), numeric), 0);
    CHECK_STR(text, "10.1.2.3");
    CHECK_INT(skt_getnameinfo(skt_inet("127.0.0.1", 80), numeric, text, sizeof text, NULL, 0, SKT_NO_TIMEOUT), 0);
    CHECK_STR(text, "127.0.0.1");
    CHECK_INT(skt_getnameinfo(skt_inet("127.0.0.1", 81), numeric, NULL, 0, service, sizeof service, 60), 0);
    CHECK_STR(service, "81");
    CHECK_ERRNO(name_of(skt_inet("localhost", 80), numeric), EINVAL);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_ARGUMENT);
    CHECK_STR(skt_strerror(), "getnameinfo: the address is not numeric: localhost");
    CHECK_ERRNO(name_of(skt_name("localhost", 80), numeric), EINVAL);
    CHECK_STR(text, "?"); /* a failure writes nothing */
}

static void names_of_known_addresses(void)
{
    NEEDS_ETC();
    CHECK_INT(name_of(skt_inet("10.9.8.7", 80), 0), 0);
    CHECK_STR(text, "short");
    CHECK_STR(service, "http");
    CHECK_INT(name_of(skt_inet6("2001:db8::3", 7777, 0, 0), 0), 0);
    CHECK_STR(text, "both.test");
    CHECK_STR(service, "twice");
    CHECK_INT(name_of(skt_inet("10.9.8.3", 7777), NI_DGRAM), 0);
    CHECK_STR(service, "other");
    CHECK_INT(name_of(skt_inet("10.9.8.3", 1), NI_NUMERICHOST), 0);
    CHECK_STR(text, "10.9.8.3");
    CHECK_STR(service, "1"); /* has no name */
}

static void names_of_unknown_addresses(void)
{
    NEEDS_ETC();
    if (MUSL)
        SKIP("musl knows no nsswitch.conf, and waits for a name server");
    CHECK_INT(name_of(skt_inet("192.0.2.77", 80), 0), 0);
    CHECK_STR(text, "192.0.2.77"); /* has no name */
    CHECK_RECORD(name_of(skt_inet("192.0.2.77", 80), NI_NAMEREQD), SKT_ERROR_NAME, EAI_NONAME,
                 "getnameinfo 192.0.2.77:80");
}

/* ---- gethostbyname, gethostbyname_ex, gethostbyaddr ---- */

static size_t length(char **list)
{
    size_t n = 0;
    while (list[n])
        n++;
    return n;
}

static void hosts(void)
{
    CHECK_STR(skt_gethostbyname("localhost", text, sizeof text, 60), "127.0.0.1");
    CHECK_STR(skt_gethostbyname("localhost", text, 16, SKT_NO_TIMEOUT), "127.0.0.1");
    skt_hostent *host = skt_gethostbyname_ex("192.0.2.9", 60);
    CHECK(host != NULL);
    CHECK_STR(host->name, "192.0.2.9");
    CHECK_INT(length(host->aliases), 0);
    CHECK_INT(length(host->addresses), 1);
    CHECK_STR(host->addresses[0], "192.0.2.9");
    skt_freehostent(host);
    skt_freehostent(NULL);
}

static void known_hosts(void)
{
    NEEDS_ETC();
    skt_hostent *host = skt_gethostbyname_ex("other.test", 60);
    CHECK(host != NULL);
    CHECK_STR(host->name, "short");
    CHECK_INT(length(host->addresses), 1);
    CHECK_STR(host->addresses[0], "10.9.8.7");
    skt_freehostent(host);
    host = skt_gethostbyname_ex("both.test", SKT_NO_TIMEOUT); /* IPv4's alone */
    CHECK(host != NULL);
    CHECK_INT(length(host->addresses), 1);
    CHECK_STR(host->addresses[0], "10.9.8.3");
    skt_freehostent(host);
    host = skt_gethostbyaddr("2001:db8::3", 60);
    CHECK(host != NULL);
    CHECK_STR(host->name, "both.test");
    CHECK_STR(host->addresses[0], "2001:db8::3");
    skt_freehostent(host);
    host = skt_gethostbyaddr("fully.qualified.test", 60); /* a name: its address's name */
    CHECK(host != NULL);
    CHECK_STR(host->name, "short");
    CHECK_STR(host->addresses[0], "10.9.8.7");
    skt_freehostent(host);
    CHECK_STR(skt_gethostbyname("other.test", text, sizeof text, 60), "10.9.8.7");
}

static void aliases(void)
{
    NEEDS_ETC();
    if (MUSL)
        SKIP("musl knows no alias but the name that was asked for");
    skt_hostent *host = skt_gethostbyname_ex("other.test", 60);
    CHECK(host != NULL);
    CHECK_INT(length(host->aliases), 2);
    CHECK_STR(host->aliases[0], "fully.qualified.test");
    CHECK_STR(host->aliases[1], "other.test");
    skt_freehostent(host);
}

static void unknown_hosts(void)
{
    NEEDS_ETC();
    if (MUSL)
        SKIP("musl knows no nsswitch.conf, and waits for a name server");
    CHECK_RECORD(skt_gethostbyname("nobody.test", text, sizeof text, 60), SKT_ERROR_NAME, EAI_NONAME,
                 "gethostbyname nobody.test");
    CHECK_RECORD(skt_gethostbyname_ex("nobody.test", 60), SKT_ERROR_HOST, HOST_NOT_FOUND,
                 "gethostbyname_ex nobody.test");
    CHECK_RECORD(skt_gethostbyname_ex("", 60), SKT_ERROR_HOST, HOST_NOT_FOUND, "gethostbyname_ex");
    CHECK_RECORD(skt_gethostbyaddr("192.0.2.77", 60), SKT_ERROR_HOST, HOST_NOT_FOUND, "gethostbyaddr 192.0.2.77");
    CHECK_RECORD(skt_gethostbyaddr("nobody.test", 60), SKT_ERROR_NAME, EAI_NONAME, "gethostbyaddr nobody.test");
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_RECORD(skt_connect(s, skt_inet("nobody.test", 80)), SKT_ERROR_NAME, EAI_NONAME, "connect nobody.test");
    CHECK_RECORD(skt_bind(s, skt_inet("nobody.test", 80)), SKT_ERROR_NAME, EAI_NONAME, "bind nobody.test");
    CHECK_INT(skt_connect_ex(s, skt_inet("nobody.test", 80)), EHOSTUNREACH);
    skt_close(s);
}

static void big_hosts(void)
{
    NEEDS_ETC();
    if (MUSL)
        SKIP("musl knows no alias but the name that was asked for");
    for (int round = 0; round < 2; round++) {
        skt_hostent *host = round ? skt_gethostbyname_ex("a1999.test", 60) : skt_gethostbyaddr("10.9.8.4", 60);
        CHECK(host != NULL);
        CHECK_STR(host->name, "big.test");
        CHECK_INT(length(host->aliases), MANY);
        CHECK_STR(host->aliases[MANY - 1], "a1999.test");
        CHECK_STR(host->addresses[0], "10.9.8.4");
        skt_freehostent(host);
    }
}

static void growing(void)
{
    PUT(times, 0);
    PUT(wanted, 16384);
    skt_hostent *host = skt_gethostbyaddr("192.0.2.1", 60);
    CHECK(host && GET(times) == 1); /* CPython's size is the first */
    skt_freehostent(host);
    PUT(times, 0);
    PUT(wanted, 1 << 20);
    host = skt_gethostbyaddr("192.0.2.1", 60);
    CHECK(host && GET(times) > 1);
    CHECK_STR(host->name, "wants.much.test");
    skt_freehostent(host);
    PUT(times, 0);
    PUT(wanted, SIZE_MAX); /* never enough: that has an end */
    CHECK_ERRNO(skt_gethostbyaddr("192.0.2.1", 60), ERANGE);
    CHECK(GET(times) > 1 && GET(times) < 20);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_SYSTEM);
    CHECK_STR(skt_strerror(), "gethostbyaddr 192.0.2.1: Numerical result out of range");
    PUT(wanted, 0);
}

/* Many at once, each with another answer. */
static void look_up_again_and_again(void *arg)
{
    static const char *const found[][3] = { { "nodot", "nodot", "10.9.8.6" },
                                            { "other.test", "short", "10.9.8.7" },
                                            { "canon.test", "canon.test", "10.9.8.5" },
                                            { "both.test", "both.test", "10.9.8.3" } };
    const char *const *mine = found[*(int *)arg];
    for (int i = 0; i < 50; i++) {
        skt_hostent *host = skt_gethostbyname_ex(mine[0], i % 2 ? 60 : SKT_NO_TIMEOUT);
        CHECK(host != NULL);
        CHECK_STR(host->name, mine[1]);
        CHECK_STR(host->addresses[0], mine[2]);
        skt_freehostent(host);
        host = skt_gethostbyaddr(mine[2], 60);
        CHECK(host != NULL);
        CHECK_STR(host->name, mine[1]);
        skt_freehostent(host);
    }
}

static void side_by_side(void)
{
    NEEDS_ETC();
    struct peer peers[4];
    int numbers[4] = { 0, 1, 2, 3 };
    for (int i = 0; i < 4; i++)
        start_peer(&peers[i], look_up_again_and_again, &numbers[i]);
    for (int i = 0; i < 4; i++)
        join_peer(&peers[i]);
}

/* ---- getfqdn ---- */

static const char *fqdn(const char *name)
{
    CHECK_INT(skt_getfqdn(name, text, sizeof text, 60), 0);
    return text;
}

static void full_names(void)
{
    NEEDS_ETC();
    if (MUSL)
        SKIP("musl knows no alias but the name that was asked for");
    CHECK_STR(fqdn("short"), "fully.qualified.test"); /* the first alias with a dot */
    CHECK_STR(fqdn("10.9.8.7"), "fully.qualified.test");
    CHECK_STR(fqdn("canon.test"), "canon.test");
    CHECK_STR(fqdn("xn--bcher-kva.test"), "canon.test"); /* the name has a dot: aliases do not count */
    CHECK_STR(fqdn("2001:db8::3"), "both.test");
    CHECK_STR(fqdn("without"), "nodot"); /* nothing has a dot: the name */
    static const char *const this_one[] = { NULL, "", "0.0.0.0", "::" };
    for (size_t i = 0; i < 4; i++) {
        strcpy(machine, "short");
        CHECK_STR(fqdn(this_one[i]), "fully.qualified.test");
        strcpy(machine, "nodot");
        CHECK_STR(fqdn(this_one[i]), "nodot");
        strcpy(machine, "nobody-knows-me");
        CHECK_STR(fqdn(this_one[i]), "nobody-knows-me");
    }
    CHECK_ERRNO(skt_inet_aton("wrong", NULL), EFAULT); /* a record, which what follows leaves alone */
    char before[100];
    snprintf(before, sizeof before, "%s", skt_strerror());
    CHECK_STR(fqdn("nobody.test"), "nobody.test");
    CHECK_STR(fqdn("192.0.2.77"), "192.0.2.77");
    CHECK_STR(skt_strerror(), before);
}

static void full_names_without_answers(void)
{
    PUT(answer, EAI_AGAIN);
    strcpy(machine, "me");
    CHECK_STR(fqdn("name.invalid"), "name.invalid");
    CHECK_STR(fqdn(""), "me");
    CHECK_STR(fqdn("0.0.0.0"), "me");
    CHECK_STR(fqdn("::"), "me");
    PUT(answer, 0);
    CHECK_ERRNO(skt_getfqdn("", text, 2, 60), ENAMETOOLONG);
}

/* ---- The machine's name ---- */

static const char *set_to;

static int fake_sethostname(const char *name, size_t len)
{
    CHECK_INT(len, strlen(name));
    set_to = name;
    return 0;
}

static int refuse_sethostname(const char *name, size_t len)
{
    (void)name;
    (void)len;
    errno = EPERM;
    return -1;
}

static int cut_gethostname(char *buf, size_t len) /* POSIX allows not to end it */
{
    memset(buf, 'm', len);
    return 0;
}

static void own_name(void)
{
    struct skti_sys before = skti_sys;
    char small[4];
    strcpy(machine, "machine.test");
    CHECK_INT(skt_gethostname(text, sizeof text), 0);
    CHECK_STR(text, "machine.test");
    CHECK_ERRNO(skt_gethostname(small, sizeof small), ENAMETOOLONG);
    CHECK_STR(skt_strerror(), "gethostname: File name too long");
    skti_sys.gethostname = cut_gethostname;
    CHECK_ERRNO(skt_gethostname(small, sizeof small), ENAMETOOLONG);
    skti_sys.gethostname = gethostname; /* the real one, once */
    char expected[256];
    CHECK(gethostname(expected, sizeof expected) == 0 && skt_gethostname(text, sizeof text) == 0);
    CHECK_STR(text, expected);
    skti_sys.sethostname = fake_sethostname;
    CHECK_INT(skt_sethostname("new.test"), 0);
    CHECK_STR(set_to, "new.test");
    skti_sys.sethostname = refuse_sethostname;
    CHECK_ERRNO(skt_sethostname("new.test"), EPERM);
    CHECK_STR(skt_strerror(), "sethostname new.test: Operation not permitted");
    skti_sys.gethostname = before.gethostname;
    skti_sys.sethostname = before.sethostname;
}

/* ---- Services and protocols ---- */

static void services(void)
{
    NEEDS_ETC();
    CHECK_INT(skt_getservbyname("http", "tcp"), 80);
    CHECK_INT(skt_getservbyname("www", NULL), 80);
    CHECK_INT(skt_getservbyname("domain", NULL), 53);
    CHECK_ERRNO(skt_getservbyname("http", "udp"), ENOENT);
    CHECK_STR(skt_strerror(), "getservbyname http: No such file or directory (service/proto not found)");
    CHECK_ERRNO(skt_getservbyname("HTTP", "tcp"), ENOENT);
    CHECK_INT(skt_getservbyport(80, "tcp", text, sizeof text), 0);
    CHECK_STR(text, "http");
    CHECK_INT(skt_getservbyport(7777, "udp", text, sizeof text), 0);
    CHECK_STR(text, "other");
    CHECK_INT(skt_getservbyport(7777, NULL, text, sizeof text), 0);
    CHECK_STR(text, "twice");
    CHECK_ERRNO(skt_getservbyport(80, "udp", text, sizeof text), ENOENT);
    CHECK_STR(skt_strerror(), "getservbyport: No such file or directory (port 80)");
    CHECK_INT(skt_getservbyport(7778, "tcp", text, 17), 0);
    CHECK_STR(text, "sixteen-letters-");
    CHECK_ERRNO(skt_getservbyport(7778, "tcp", text, 16), ENAMETOOLONG);
    CHECK_INT(skt_getprotobyname("tcp"), 6);
    CHECK_INT(skt_getprotobyname("icmp"), 1);
    CHECK_ERRNO(skt_getprotobyname("nothing"), ENOENT);
    CHECK_STR(skt_strerror(), "getprotobyname nothing: No such file or directory (protocol not found)");
}

static void protocols_by_alias(void)
{
    NEEDS_ETC();
    if (MUSL)
        SKIP("musl's protocols have one name each");
    CHECK_INT(skt_getprotobyname("UDP"), 17);
}

/* ---- Addresses as text ---- */

static void loose_and_strict(void)
{
    static const struct {
        const char *text;
        uint32_t packed;
        bool loose, strict;
    } rows4[] = {
        { "127.0.0.1", 0x7f000001, true, true },
        { "127.1", 0x7f000001, true, false },
        { "127.0.1", 0x7f000001, true, false },
        { "2130706433", 0x7f000001, true, false },
        { "0x7f.0.0.1", 0x7f000001, true, false },
        { "0177.0.0.1", 0x7f000001, true, false },
        { "255.255.255.255", 0xffffffff, true, true },
        { "1.2.3.4 x", 0x01020304, !MUSL, false }, /* glibc reads no further than the space */
        { "256.0.0.1", 0, false, false },
        { "1.2.3.4.5", 0, false, false },
        { "1.2.3.", 0, false, false },
        { "", 0, false, false },
        { "localhost", 0, false, false },
        { "::1", 0, false, false },
    };
    for (size_t i = 0; i < sizeof rows4 / sizeof *rows4; i++) {
        struct in_addr packed = { 0 };
        char expected[100];
        if (rows4[i].loose) {
            CHECK_INT(skt_inet_aton(rows4[i].text, &packed), 0);
            CHECK_INT(ntohl(packed.s_addr), rows4[i].packed);
        } else {
            CHECK_ERRNO(skt_inet_aton(rows4[i].text, &packed), EINVAL);
            snprintf(expected, sizeof expected, "inet_aton: illegal IP address string: %s", rows4[i].text);
            CHECK_STR(skt_strerror(), expected);
        }
        if (rows4[i].strict) {
            CHECK_INT(skt_inet_pton(AF_INET, rows4[i].text, &packed), 0);
            CHECK_INT(ntohl(packed.s_addr), rows4[i].packed);
        } else {
            CHECK_ERRNO(skt_inet_pton(AF_INET, rows4[i].text, &packed), EINVAL);
            snprintf(expected, sizeof expected, "inet_pton: illegal IP address string: %s", rows4[i].text);
            CHECK_STR(skt_strerror(), expected);
        }
    }
}

static void packed_addresses(void)
{
    static const char *const same[] = { "::", "::1", "2001:db8::3", "fe80::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8" };
    static const char *const wrong[] = {
        "", ":", ":::", "1::2::3", "fe80::1%lo", "12345::", "1:2:3:4:5:6:7:8:9", "127.0.0.1", "::g"
    };
    unsigned char packed[16];
    struct in_addr v4;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        CHECK_INT(skt_inet_pton(AF_INET6, same[i], packed), 0);
        CHECK_STR(skt_inet_ntop(AF_INET6, packed, 16, text, sizeof text), same[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_ERRNO(skt_inet_pton(AF_INET6, wrong[i], packed), EINVAL);
    CHECK_ERRNO(skt_inet_pton(AF_UNIX, "127.0.0.1", packed), EAFNOSUPPORT);
    CHECK_ERRNO(skt_inet_ntop(AF_UNIX, packed, 4, text, sizeof text), EAFNOSUPPORT);
    CHECK_ERRNO(skt_inet_ntop(AF_INET, packed, 5, text, sizeof text), EINVAL);
    CHECK_STR(skt_strerror(), "inet_ntop: a packed address has 4 bytes, not 5");
    CHECK_ERRNO(skt_inet_ntop(AF_INET6, packed, 4, text, sizeof text), EINVAL);
    CHECK_INT(skt_inet_aton("100.100.100.100", &v4), 0);
    CHECK_STR(skt_inet_ntoa(v4, text, 16), "100.100.100.100");
    CHECK_ERRNO(skt_inet_ntoa(v4, text, 15), ENOSPC);
    CHECK_STR(skt_inet_ntop(AF_INET, &v4, 4, text, 16), "100.100.100.100");
    CHECK_ERRNO(skt_inet_ntop(AF_INET, &v4, 4, text, 15), ENOSPC);
}

/* ---- Interfaces ---- */

static void interfaces(void)
{
    unsigned lo = skt_if_nametoindex("lo");
    if (lo == 0)
        SKIP("there is no interface lo");
    CHECK_INT(lo, if_nametoindex("lo"));
    CHECK_INT(skt_if_indextoname(lo, text, sizeof text), 0);
    CHECK_STR(text, "lo");
    CHECK_INT(skt_if_indextoname(lo, text, 3), 0);
    CHECK_ERRNO(skt_if_indextoname(lo, text, 2), ENAMETOOLONG);
    CHECK_ERRNO(skt_if_nametoindex("no-such-if"), ENODEV);
    CHECK_STR(skt_strerror(), "if_nametoindex no-such-if: No such device");
    CHECK_ERRNO(skt_if_indextoname(0x7ffffff0, text, sizeof text), ENXIO);
    CHECK_STR(skt_strerror(), "if_indextoname: No such device or address (index 2147483632)");
    skt_interface *list = skt_if_nameindex();
    CHECK(list != NULL);
    size_t n = 0;
    bool has_lo = false;
    for (; list[n].index; n++) {
        CHECK_INT(skt_if_nametoindex(list[n].name), list[n].index);
        has_lo |= list[n].index == lo && !strcmp(list[n].name, "lo");
    }
    CHECK(has_lo && list[n].name[0] == '\0');
    skt_freenameindex(list);
    skt_freenameindex(NULL);
}

/* ---- Errors of the resolver ---- */

static void resolver_errors(void)
{
    static const int codes[] = { EAI_NONAME, EAI_AGAIN, EAI_FAIL };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        PUT(answer, codes[i]);
        CHECK_RECORD(find("name.invalid", "80", AF_INET, SOCK_STREAM, 0), SKT_ERROR_NAME, codes[i],
                     "getaddrinfo name.invalid");
        CHECK_STR(skt_error_record()->name, "name.invalid");
        CHECK_ERRNO(skt_create_connection("name.invalid", 80, 60), EHOSTUNREACH);
        CHECK_STR(skt_error_record()->name, "name.invalid");
        CHECK(!skt_timed_out());
    }
    PUT(answer, EAI_SYSTEM); /* a plain system error, then */
    PUT(answer_errno, EMFILE);
    CHECK_ERRNO(find("name.invalid", "80", AF_INET, SOCK_STREAM, 0), EMFILE);
    CHECK(skt_error_record()->domain == SKT_ERROR_SYSTEM && skt_error_record()->code == EMFILE);
    CHECK_STR(skt_strerror(), "getaddrinfo name.invalid: Too many open files");
    PUT(answer, EAI_MEMORY);
    CHECK_ERRNO(find("name.invalid", "80", AF_INET, SOCK_STREAM, 0), ENOMEM);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_SYSTEM);
    PUT(answer, 0);
    CHECK(rows == NULL);
}

/* ---- Time ---- */

/* Our own timeout, after just so many seconds. */
#define CHECK_TIMED_OUT(call, seconds, sentence)                                                                       \
    do {                                                                                                               \
        fake_time_begin();                                                                                             \
        CHECK_ERRNO(call, ETIMEDOUT);                                                                                  \
        CHECK(skt_timed_out());                                                                                        \
        CHECK_INT(fake_slept, (int64_t)((seconds)*1e9));                                                               \
        fake_time_end();                                                                                               \
        CHECK_STR(skt_strerror(), sentence);                                                                           \
    } while (0)

static void silence(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0), *udp = skt_socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec iov = { byte, 1 };
    skt_addr name = skt_inet("name.invalid", 80);
    skt_msg msg = { .iov = &iov, .iovlen = 1, .addr = &name };
    skt_datagram d = { .data = byte, .len = 1, .addr = &name };
    CHECK_INT(skt_settimeout(s, 30), 0);
    CHECK_INT(skt_settimeout(udp, 0.5), 0);
    silence_resolver();
    CHECK_TIMED_OUT(skt_connect(s, name), 30, "connect name.invalid: timed out");
    CHECK_TIMED_OUT(skt_bind(s, name), 30, "bind name.invalid: timed out");
    CHECK_TIMED_OUT(skt_sendto(udp, "x", 1, 0, name), 0.5, "sendto name.invalid: timed out");
    CHECK_TIMED_OUT(skt_sendmsg(udp, &msg, 0), 0.5, "sendmsg name.invalid: timed out");
    CHECK_TIMED_OUT(skt_sendmmsg(udp, &d, 1, 0), 0.5, "sendmmsg name.invalid: timed out");
    CHECK_TIMED_OUT(skt_create_connection("name.invalid", 80, 12), 12, "connect name.invalid: timed out");
    CHECK_TIMED_OUT(skt_getaddrinfo("name.invalid", NULL, 0, 0, 0, 0, 4, &rows), 4,
                    "getaddrinfo name.invalid: timed out");
    CHECK_TIMED_OUT(skt_gethostbyname("name.invalid", text, sizeof text, 4), 4,
                    "gethostbyname name.invalid: timed out");
    CHECK_TIMED_OUT(skt_gethostbyname_ex("name.invalid", 4), 4, "gethostbyname_ex name.invalid: timed out");
    CHECK_TIMED_OUT(skt_gethostbyaddr("name.invalid", 4), 4, "gethostbyaddr name.invalid: timed out");
    CHECK_TIMED_OUT(skt_gethostbyaddr("192.0.2.1", 4), 4, "gethostbyaddr 192.0.2.1: timed out");
    CHECK_TIMED_OUT(skt_getnameinfo(skt_inet("192.0.2.1", 80), 0, text, sizeof text, NULL, 0, 4), 4,
                    "getnameinfo 192.0.2.1:80: timed out");
    CHECK_TIMED_OUT(skt_getfqdn("name.invalid", text, sizeof text, 4), 4, "gethostbyaddr name.invalid: timed out");
    CHECK_TIMED_OUT(skt_getfqdn("192.0.2.1", text, sizeof text, 4), 4, "gethostbyaddr 192.0.2.1: timed out");
    fake_time_begin(); /* digits are found all the same, and at once */
    CHECK_INT(find("192.0.2.1", "80", AF_INET, SOCK_STREAM, 0), 1);
    CHECK_STR(skt_gethostbyname("192.0.2.1", text, sizeof text, 1), "192.0.2.1");
    CHECK_INT(fake_slept, 0);
    fake_time_end();
    forget_rows();
    release_resolver();
    skt_close(s);
    skt_close(udp);
}

static void timeout_of_none(void)
{
    skt *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_settimeout(s, 0), 0);
    silence_resolver();
    CHECK_ERRNO(skt_connect(s, skt_inet("name.invalid", 80)), ETIMEDOUT); /* a look-up cannot go on meanwhile */
    CHECK(skt_timed_out());
    CHECK_ERRNO(skt_gethostbyname("name.invalid", text, sizeof text, 0), ETIMEDOUT);
    release_resolver();
    skt_close(s);
}

#define ABANDONED 200
#define MOST_HELPERS 32

static void abandoned(void)
{
    int helpers_before = GET(helpers), asked_before = GET(asked);
    silence_resolver();
    fake_time_begin();
    for (int i = 0; i < ABANDONED; i++) {
        char name[32];
        snprintf(name, sizeof name, "name%d.invalid", i);
        if (i % 2)
            CHECK_ERRNO(skt_gethostbyname(name, text, sizeof text, 1), ETIMEDOUT);
        else
            CHECK_ERRNO(skt_gethostbyname_ex(name, 1), ETIMEDOUT);
        CHECK(count_threads() <= MOST_HELPERS + 1);
    }
    CHECK_INT(fake_slept, ABANDONED * SECOND);
    fake_time_end();
    CHECK_INT(GET(helpers) - helpers_before, MOST_HELPERS);
    release_resolver(); /* the queue is worked off, and the helpers go */
    CHECK_INT(count_threads(), 1);
    CHECK(GET(asked) - asked_before >= ABANDONED);
    CHECK_STR(skt_gethostbyname("localhost", text, sizeof text, 60), "127.0.0.1");
}

/* One that has to queue behind those is answered when they are gone. */
static void look_up_localhost(void *arg)
{
    char buf[16];
    CHECK_STR(skt_gethostbyname("localhost", buf, sizeof buf, 1000), "127.0.0.1");
    PUT(*(bool *)arg, true);
}

/* The silence ends for all who asked in it: those that were not yet asking find out. */
static void queued(void)
{
    struct peer peer;
    bool found = false;
    int asked_before = GET(asked);
    silence_resolver();
    fake_time_begin();
    for (int i = 0; i < MOST_HELPERS; i++)
        CHECK_ERRNO(skt_gethostbyname("name.invalid", text, sizeof text, 1), ETIMEDOUT);
    fake_time_end();
    while (GET(asked) - asked_before < MOST_HELPERS)
        skt_yield();
    start_peer(&peer, look_up_localhost, &found);
    wait_until_blocked(&peer);
    CHECK(!GET(found));
    CHECK_INT(GET(asked) - asked_before, MOST_HELPERS); /* it stands in the queue */
    release_resolver();
    join_peer(&peer);
    CHECK(GET(found));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "getaddrinfo: digits, ports, types, families, canonname", addresses_of_digits },
        { "getaddrinfo: this machine", this_machine },
        { "getaddrinfo: services by name", services_by_name },
        { "getaddrinfo: a name of both families", names_of_both_families },
        { "getaddrinfo: what it refuses", what_getaddrinfo_refuses },
        { "digits are not looked up", digits },
        { "names that are not ASCII go to the C library's IDNA", not_ascii },
        { "and are found, in a locale with such letters", encoded },
        { "no name is every address of the socket's family", wildcards },
        { "getnameinfo takes numeric addresses only", names_of_addresses },
        { "getnameinfo: hosts and services", names_of_known_addresses },
        { "and hosts without a name", names_of_unknown_addresses },
        { "gethostbyname and gethostbyname_ex", hosts },
        { "gethostbyname_ex and gethostbyaddr: names, addresses", known_hosts },
        { "gethostbyname_ex: aliases", aliases },
        { "hosts that nobody knows", unknown_hosts },
        { "a host with very many aliases", big_hosts },
        { "gethostbyaddr's buffer grows, and not for ever", growing },
        { "look-ups side by side", side_by_side },
        { "getfqdn: the first name with a dot; \"\", 0.0.0.0 and :: are this machine", full_names },
        { "getfqdn without an answer: the name as given", full_names_without_answers },
        { "gethostname and sethostname", own_name },
        { "services and protocols", services },
        { "a protocol by its alias", protocols_by_alias },
        { "inet_aton is permissive, inet_pton strict", loose_and_strict },
        { "inet_pton, inet_ntop, inet_ntoa", packed_addresses },
        { "interfaces", interfaces },
        { "what the resolver says of a failure is told, with the name", resolver_errors },
        { "a silent resolver takes no longer than the timeout", silence },
        { "and with timeout 0", timeout_of_none },
        { "many look-ups that were given up", abandoned },
        { "a look-up that has to queue", queued },
    };
    make_etc();
    install();
    return RUN_CASES(cases);
}
