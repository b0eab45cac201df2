/* test_address.c - addresses of every family, as values, text and sockaddr both
 * ways, without the kernel's help. */
#include "address.h"
#include "check.h"
#include "sys.h"
#include <arpa/inet.h>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <skt.h>
#include <stddef.h>
#include <stdlib.h>

#define BDADDR "01:23:45:67:89:ab"

static const char *text_of(const skt_addr *a)
{
    static _Thread_local char text[SKT_ADDR_TEXT_MAX];
    return skt_addr_text(a, text, sizeof text);
}

/* The sentence that a call gives for an address that was built wrongly. */
static const char *complaint(skt_addr a)
{
    skt *s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    int result = skt_bind(s, a);
    skt_close(s);
    CHECK(result == -1);
    CHECK_INT(skt_error_record()->domain, SKT_ERROR_ARGUMENT);
    return skt_strerror();
}

/* ---- Text ---- */

/* An address, its text, its host and port. */
static const struct {
    const char *text, *host;
    int port;
} forms[] = {
    { "127.0.0.1:80", "127.0.0.1", 80 },
    { "0.0.0.0:0", "0.0.0.0", 0 },
    { "255.255.255.255:65535", "255.255.255.255", 65535 },
    { "example.org:80", "example.org", 80 },
    { "[::1]:80", "::1", 80 },
    { "[::]:0", "::", 0 },
    { "[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", 80 },
    { "[fe80::1%3]:80", "fe80::1%3", 80 },
    { "[fe80::1%3]:80,5", "fe80::1%3", 80 },
    { "[2001:db8::1]:1,1048575", "2001:db8::1", 1 },
    { "[fe80::1%nosuch]:80", "fe80::1%nosuch", 80 },
    { "[example.org]:80", "example.org", 80 },
    { "unix:", "", -1 },
    { "unix:/run/x", "/run/x", -1 },
    { "unix:relative", "relative", -1 },
    { "unix:/a%20b%25c%0a", "/a b%c\n", -1 },
    { "unix-abstract:name", "name", -1 },
    { "unix-abstract:a%00b%7f", "a%00b%7f", -1 },
    { "netlink:0,0", "", -1 },
    { "netlink:4294967295,4294967295", "", -1 },
    { "packet:,0x0003,0,0,", "", -1 },
    { "packet:,0xffff,255,65535,0123456789abcdef", "", -1 },
    { "packet:nosuch%2c,0x0800,4,1,0123456789ab", "nosuch,", -1 },
    { "vsock:2,1234", "2", 1234 },
    { "vsock:4294967295,4294967295", "4294967295", -1 },
    { "tipc:2,18888,17,0,2", "", -1 },
    { "tipc:1,18888,17,4294967295,3", "", -1 },
    { "tipc:3,16781313,12345,0,0", "", -1 },
    { "can:", "", -1 },
    { "can:nosuch", "nosuch", -1 },
    { "can-isotp:,0x123,0x80000456", "", -1 },
    { "can-isotp:nosuch,0x1,0x2", "nosuch", -1 },
    { "can-j1939:,18446744073709551615,0x3ffff,255", "", -1 },
    { "can-j1939:nosuch,0,0x1ef00,32", "nosuch", -1 },
    { "l2cap:" BDADDR ",25,64,2", BDADDR, -1 },
    { "rfcomm:" BDADDR ",3", BDADDR, -1 },
    { "hci:65535,1", "", -1 },
    { "sco:" BDADDR, BDADDR, -1 },
    { "alg:hash,sha256,0,0", "", -1 },
    { "alg:a%2cb,cbc(aes),1,4294967295", "", -1 },
    { "qipcrtr:1,4294967294", "", -1 },
    { "sockaddr:99,00ff10", "", -1 },
    { "sockaddr:65535,", "", -1 },
};

static void text_both_ways(void)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        skt_addr a = skt_addr_parse(forms[i].text);
        CHECK_STR(text_of(&a), forms[i].text);
        CHECK_STR(skt_host(&a), forms[i].host);
        CHECK_INT(skt_port(&a), forms[i].port);
        skt_addr copy = a, again = skt_addr_parse(text_of(&a));
        CHECK(skt_addr_equal(&a, &again));
        CHECK_STR(skt_host(&copy), forms[i].host);
    }
}

static void all_differ(void)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (size_t j = 0; j < sizeof forms / sizeof *forms; j++) {
            skt_addr a = skt_addr_parse(forms[i].text), b = skt_addr_parse(forms[j].text);
            CHECK_INT(skt_addr_equal(&a, &b), i == j);
        }
    CHECK(!skt_addr_equal(NULL, NULL));
}

static void shorter_forms(void)
{
    static const char *const pairs[][2] = {
        { "netlink:7", "netlink:7,0" },
        { "packet:", "packet:,0x0000,0,0," },
        { "packet:,2048", "packet:,0x0800,0,0," },
        { "can-j1939:", "can-j1939:,0,0x0,0" },
        { "tipc:2,1,2", "tipc:2,1,2,0,0" },
        { "l2cap:" BDADDR, "l2cap:" BDADDR ",0,0,0" },
        { "hci:", "hci:0,0" },
        { "alg:hash,md5", "alg:hash,md5,0,0" },
        { "vsock:0x2,0x400", "vsock:2,1024" },
        { ":80", ":80" },
        { "unix:%2frun%2Fx", "unix:/run/x" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        skt_addr a = skt_addr_parse(pairs[i][0]);
        CHECK_STR(text_of(&a), pairs[i][1]);
    }
}

static void text_without_sense(void)
{
    static const char *const texts[] = {
        "",
        "x",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:80x",
        "127.0.0.1: 80",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "[]",
        "[::1]:80,0x100000000",
        "[::1]:80,1,2",
        "[::1]:",
        "host:http",
        "unix:%",
        "unix:%4",
        "unix:%zz",
        "unix:%00",
        "unix-abstract:",
        "unix-abstract:%0",
        "netlink:1,2,3",
        "netlink:-1",
        "netlink:4294967296",
        "netlink:0x",
        "netlink:1 ",
        "netlink:99999999999999999999",
        "packet:lo,65536",
        "packet:lo,1,256",
        "packet:lo,1,1,1,123",
        "packet:lo,1,1,1,0123456789abcdef01",
        "packet:lo,1,1,1,zz",
        "packet:1234567890123456",
        "vsock:1",
        "vsock:1,2,3",
        "vsock:,x",
        "tipc:9,1,2",
        "tipc:2,1",
        "tipc:2,1,2,3,128",
        "can:a,b",
        "can-isotp:a,b",
        "can-j1939:a,1,2,256",
        "l2cap:01:23:45:67:89",
        "l2cap:",
        "l2cap:01:23:45:67:89:ag",
        "l2cap:01:23:45:67:89:ab:cd",
        "l2cap:" BDADDR ",65536",
        "rfcomm:" BDADDR ",256",
        "rfcomm:0123456789ab",
        "hci:65536",
        "sco:x",
        "sco:" BDADDR ",1",
        "alg:hash",
        "alg:averylongtypename,x",
        "qipcrtr:1",
        "sockaddr:x",
        "sockaddr:65536",
        "sockaddr:1,abc",
        "sockaddr:1,xy",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        skt_addr a = skt_addr_parse(texts[i]);
        if (a.kind != SKTI_ADDR_BAD)
            check_failed(__FILE__, __LINE__, "\"%s\" was taken for %s", texts[i], text_of(&a));
        CHECK(*text_of(&a));
        CHECK_STR(skt_host(&a), "");
        CHECK_INT(skt_port(&a), -1);
        CHECK(skt_addr_sockaddr(&a, NULL) == NULL);
    }
}

static void text_is_cut_at_any_length(void)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        skt_addr a = skt_addr_parse(forms[i].text);
        for (size_t len = 1; len < 80; len++) {
            char *buf = malloc(len); /* exactly so long, for AddressSanitizer */
            CHECK(skt_addr_text(&a, buf, len) == buf);
            CHECK(strlen(buf) < len && !strncmp(buf, forms[i].text, strlen(buf)));
            free(buf);
        }
    }
    skt_addr a = skt_inet("", 0);
    char c = 'x';
    CHECK(skt_addr_text(&a, NULL, 10) == NULL && skt_addr_text(&a, &c, 0) == NULL && c == 'x');
    CHECK_STR(text_of(NULL), "");
}

static void longest_text_fits(void)
{
    char name[256];
    memset(name, 'n', sizeof name - 1);
    name[255] = '\0';
    skt_addr a = skt_inet(name, 65535);
    CHECK_INT(strlen(text_of(&a)), 255 + 6);
    memset(name, '\n', 107);
    a = skt_abstract(name, 107);
    CHECK_INT(strlen(text_of(&a)), strlen("unix-abstract:") + 3 * 107);
    CHECK_STR(skt_addr_parse(text_of(&a)).text, "");
    skt_addr again = skt_addr_parse(text_of(&a));
    CHECK(skt_addr_equal(&a, &again));
}

/* ---- To the kernel ---- */

/* Addresses that constructors make are byte for byte what the kernel wants. */
#define CHECK_SOCKADDR(address, type, condition)                                                                       \
    do {                                                                                                               \
        skt_addr check_addr = (address);                                                                               \
        socklen_t check_len;                                                                                           \
        const type *sa = (const void *)skt_addr_sockaddr(&check_addr, &check_len);                                     \
        CHECK(sa &&check_len == sizeof *sa && (condition));                                                            \
    } while (0)

static void sockaddrs_of_hosts(void)
{
    CHECK_SOCKADDR(skt_inet("1.2.3.4", 80), struct sockaddr_in,
                   sa->sin_family == AF_INET && sa->sin_port == htons(80) && sa->sin_addr.s_addr == htonl(0x01020304));
    CHECK_SOCKADDR(skt_inet("", 65535), struct sockaddr_in, sa->sin_addr.s_addr == 0 && sa->sin_port == 0xffff);
    CHECK_SOCKADDR(skt_inet("<broadcast>", 1), struct sockaddr_in, sa->sin_addr.s_addr == 0xffffffff);
    CHECK_SOCKADDR(skt_inet6("::1", 80, 0xfffff, 7), struct sockaddr_in6,
                   sa->sin6_port == htons(80) && sa->sin6_flowinfo == htonl(0xfffff) && sa->sin6_scope_id == 7 &&
                       IN6_IS_ADDR_LOOPBACK(&sa->sin6_addr));
    CHECK_SOCKADDR(skt_inet6("", 1, 0, 0), struct sockaddr_in6, IN6_IS_ADDR_UNSPECIFIED(&sa->sin6_addr));
    CHECK_SOCKADDR(skt_name("1.2.3.4", 80), struct sockaddr_in, sa->sin_family == AF_INET);
    CHECK_SOCKADDR(skt_name("::1", 80), struct sockaddr_in6, sa->sin6_family == AF_INET6);
    skt_addr name = skt_inet("127.1", 80); /* strict: not an address, so a name */
    CHECK(skt_addr_sockaddr(&name, NULL) == NULL);
    CHECK_STR(skt_host(&name), "127.1");
}

static void sockaddrs_of_unix(void)
{
    socklen_t len;
    skt_addr a = skt_unix("/x");
    const struct sockaddr_un *sa = (const void *)skt_addr_sockaddr(&a, &len);
    CHECK(sa && len == offsetof(struct sockaddr_un, sun_path) + 3 && !strcmp(sa->sun_path, "/x"));
    a = skt_abstract("a\0b", 3);
    sa = (const void *)skt_addr_sockaddr(&a, &len);
    CHECK(sa && len == offsetof(struct sockaddr_un, sun_path) + 4 && !memcmp(sa->sun_path, "\0a\0b", 4));
    a = skt_abstract("", 0);
    CHECK(skt_addr_sockaddr(&a, &len) && len == sizeof(sa_family_t));
    char longest[109];
    memset(longest, 'p', sizeof longest);
    longest[107] = '\0';
    a = skt_unix(longest);
    CHECK(skt_addr_sockaddr(&a, &len) && len == sizeof(struct sockaddr_un));
    a = skt_abstract(longest, 107);
    CHECK(skt_addr_sockaddr(&a, &len) && len == sizeof(struct sockaddr_un));
}

static void sockaddrs_of_the_rest(void)
{
    CHECK_SOCKADDR(skt_netlink(1, 2), struct sockaddr_nl, sa->nl_pid == 1 && sa->nl_groups == 2);
    CHECK_SOCKADDR(skt_packet("", 0x0800, 1, 2, "\1\2\3", 3), struct sockaddr_ll,
                   sa->sll_protocol == htons(0x0800) && sa->sll_ifindex == 0 && sa->sll_pkttype == 1 &&
                       sa->sll_hatype == 2 && sa->sll_halen == 3 && sa->sll_addr[2] == 3);
    CHECK_SOCKADDR(skt_vsock(2, 3), struct sockaddr_vm, sa->svm_cid == 2 && sa->svm_port == 3);
    CHECK_SOCKADDR(skt_tipc(TIPC_ADDR_NAME, 1, 2, 3, TIPC_CLUSTER_SCOPE), struct sockaddr_tipc,
                   sa->addr.name.name.type == 1 && sa->addr.name.name.instance == 2 && sa->addr.name.domain == 3 &&
                       sa->scope == TIPC_CLUSTER_SCOPE);
    CHECK_SOCKADDR(skt_tipc(TIPC_ADDR_NAMESEQ, 1, 2, 3, 1), struct sockaddr_tipc,
                   sa->addr.nameseq.lower == 2 && sa->addr.nameseq.upper == 3);
    CHECK_SOCKADDR(skt_tipc(TIPC_ADDR_ID, 1, 2, 0, 1), struct sockaddr_tipc,
                   sa->addr.id.node == 1 && sa->addr.id.ref == 2);
    CHECK_SOCKADDR(skt_can(""), struct sockaddr_can, sa->can_family == AF_CAN && sa->can_ifindex == 0);
    CHECK_SOCKADDR(skt_can_isotp("", 1, 2), struct sockaddr_can,
                   sa->can_addr.tp.rx_id == 1 && sa->can_addr.tp.tx_id == 2);
    CHECK_SOCKADDR(skt_can_j1939("", 1, 2, 3), struct sockaddr_can,
                   sa->can_addr.j1939.name == 1 && sa->can_addr.j1939.pgn == 2 && sa->can_addr.j1939.addr == 3);
    CHECK_SOCKADDR(skt_alg("hash", "sha1", 1, 2), struct sockaddr_alg,
                   !strcmp((const char *)sa->salg_name, "sha1") && sa->salg_feat == 1 && sa->salg_mask == 2);
    CHECK_SOCKADDR(skt_qipcrtr(1, 2), struct sockaddr_qrtr, sa->sq_node == 1 && sa->sq_port == 2);
}

/* The kernel's layouts, byte by byte: the headers are not there to compare with. */
static void sockaddrs_of_bluetooth(void)
{
    static const unsigned char l2cap[] = { 31, 0, 0x19, 0x01, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x40, 0, 2, 0 };
    static const unsigned char rfcomm[] = { 31, 0, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 3, 0 };
    static const unsigned char sco[] = { 31, 0, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01 };
    static const unsigned char hci[] = { 31, 0, 1, 0, 2, 0 };
    const struct {
        skt_addr a;
        const void *bytes;
        socklen_t len;
    } rows[] = { { skt_l2cap(BDADDR, 0x119, 0x40, 2), l2cap, sizeof l2cap },
                 { skt_rfcomm(BDADDR, 3), rfcomm, sizeof rfcomm },
                 { skt_sco(BDADDR), sco, sizeof sco },
                 { skt_hci(1, 2), hci, sizeof hci } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        socklen_t len;
        const void *sa = skt_addr_sockaddr(&rows[i].a, &len);
        CHECK(sa && len == rows[i].len && !memcmp(sa, rows[i].bytes, len));
    }
}

static void interfaces_by_name(void)
{
    skt_addr a = skt_packet("lo", 3, 0, 0, NULL, 0), b = skt_can("lo");
    CHECK_INT(skti_family(AF_PACKET, 0)->lookup(&a), 0);
    CHECK_INT(skti_family(AF_CAN, CAN_RAW)->lookup(&b), 0);
    CHECK_SOCKADDR(a, struct sockaddr_ll, sa->sll_ifindex == (int)if_nametoindex("lo"));
    CHECK_SOCKADDR(b, struct sockaddr_can, sa->can_ifindex == (int)if_nametoindex("lo"));
    CHECK_STR(text_of(&a), "packet:lo,0x0003,0,0,");
    CHECK_STR(text_of(&b), "can:lo");
    a = skt_packet("#987654", 3, 0, 0, NULL, 0);
    CHECK_STR(text_of(&a), "packet:#987654,0x0003,0,0,");
    a = skt_can("nosuchif");
    CHECK_INT(skti_family(AF_CAN, CAN_RAW)->lookup(&a), ENODEV);
    a = skt_can("#0");
    CHECK_INT(skti_family(AF_CAN, CAN_RAW)->lookup(&a), ENODEV);
}

/* ---- From the kernel ---- */

static void received_of_any_length(void)
{
    static const int families[] = { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6,     AF_NETLINK, AF_PACKET, AF_VSOCK,
                                    AF_TIPC,   AF_CAN,  AF_ALG,  AF_BLUETOOTH, 42,         99,        65535 };
    unsigned seed = 1;
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (socklen_t len = 0; len <= sizeof(struct sockaddr_storage) + 2; len++)
            for (int proto = 0; proto < 8; proto++) {
                skt_addr *a = malloc(sizeof *a);
                for (size_t i = 0; i < sizeof a->as; i++)
                    ((unsigned char *)&a->as)[i] = (unsigned char)rand_r(&seed);
                a->as.any.sa_family = (sa_family_t)families[f];
                skti_addr_received(a, len, proto);
                CHECK(strlen(text_of(a)) < SKT_ADDR_TEXT_MAX - 1);
                CHECK(strlen(skt_host(a)) < sizeof a->text);
                CHECK(skt_port(a) >= -1);
                if (len < sizeof(sa_family_t) || families[f] == AF_UNSPEC)
                    CHECK(a->kind == SKTI_ADDR_NONE && !*text_of(a));
                free(a);
            }
}

static void received_unix_paths(void)
{
    skt_addr a;
    memset(&a.as, 'p', sizeof a.as);
    a.as.any.sa_family = AF_UNIX;
    skti_addr_received(&a, sizeof(struct sockaddr_un), 0); /* no NUL in all of sun_path */
    CHECK_INT(strlen(skt_host(&a)), sizeof a.as.unix_.sun_path);
    memset(&a.as, 'p', sizeof a.as);
    a.as.any.sa_family = AF_UNIX;
    skti_addr_received(&a, sizeof(struct sockaddr_un) + 1, 0); /* the kernel counts a NUL that it adds */
    CHECK_INT(strlen(skt_host(&a)), sizeof a.as.unix_.sun_path);
    skti_addr_received(&a, sizeof(sa_family_t), 0);
    CHECK_STR(text_of(&a), "unix:");
}

static void short_ones_show_their_bytes(void)
{
    skt_addr a;
    memset(&a.as, 0, sizeof a.as);
    a.as.any.sa_family = AF_INET;
    skti_addr_received(&a, 4, 0);
    CHECK_STR(text_of(&a), "sockaddr:2,0000");
    CHECK_STR(skt_host(&a), "");
    CHECK_INT(skt_port(&a), -1);
}

static void *ask_host(void *arg)
{
    CHECK_STR(skt_host(arg), "1.2.3.4");
    return NULL;
}

static void threads_may_ask_at_once(void)
{
    for (int round = 0; round < 50; round++) {
        skt_addr a = skt_inet("1.2.3.4", 5);
        pthread_t thread[4];
        for (int i = 0; i < 4; i++)
            CHECK_INT(pthread_create(&thread[i], NULL, ask_host, &a), 0);
        for (int i = 0; i < 4; i++)
            pthread_join(thread[i], NULL);
    }
}

/* ---- Mistakes ---- */

static void mistakes_are_told_by_the_call(void)
{
    char path[109], name[300];
    memset(path, 'p', sizeof path);
    path[108] = '\0';
    memset(name, 'n', sizeof name);
    name[299] = '\0';
    CHECK_STR(complaint(skt_inet("x", 70000)), "bind: port must be 0-65535, not 70000");
    CHECK_STR(complaint(skt_inet6("::1", -1, 0, 0)), "bind: port must be 0-65535, not -1");
    CHECK_STR(complaint(skt_inet(NULL, 1)), "bind: host is NULL");
    CHECK_STR(complaint(skt_inet6("::1", 1, 0x100000, 0)), "bind: flowinfo must be 0-0xfffff, not 0x100000");
    CHECK(strstr(complaint(skt_inet(name, 1)), "a name of 299 bytes is too long"));
    CHECK(strstr(complaint(skt_unix(path)), "AF_UNIX path too long: 108 bytes, at most 107"));
    CHECK_INT(skt_error_record()->code, ENAMETOOLONG);
    CHECK_STR(complaint(skt_unix(NULL)), "bind: the path is NULL");
    CHECK_STR(complaint(skt_abstract(path, 108)), "bind: AF_UNIX name too long: 108 bytes, at most 107");
    CHECK_STR(complaint(skt_abstract(NULL, 1)), "bind: the name is NULL");
    CHECK(strstr(complaint(skt_packet("lo", 65536, 0, 0, NULL, 0)), "the protocol must be 0-65535"));
    CHECK(strstr(complaint(skt_packet("lo", 1, 256, 0, NULL, 0)), "pkttype must be 0-255"));
    CHECK(strstr(complaint(skt_packet("lo", 1, 0, 0, path, 9)), "at most 8 bytes, not 9"));
    CHECK(strstr(complaint(skt_packet(NULL, 1, 0, 0, NULL, 0)), "name is NULL"));
    CHECK(strstr(complaint(skt_packet("1234567890123456", 1, 0, 0, NULL, 0)), "at most 15 bytes"));
    CHECK(strstr(complaint(skt_tipc(7, 1, 2, 3, 0)), "the address type is 7"));
    CHECK(strstr(complaint(skt_tipc(TIPC_ADDR_ID, 1, 2, 3, 1000)), "the scope is 1000"));
    CHECK(strstr(complaint(skt_can(NULL)), "name is NULL"));
    CHECK(strstr(complaint(skt_sco("nonsense")), "not a device's address like 01:23:45:67:89:ab: nonsense"));
    CHECK(strstr(complaint(skt_l2cap(NULL, 0, 0, 0)), "address is NULL"));
    CHECK(strstr(complaint(skt_alg("hash", NULL, 0, 0)), "name is NULL"));
    CHECK(strstr(complaint(skt_alg("averylongtypename", "x", 0, 0)), "type too long"));
    CHECK(strstr(complaint(skt_alg("x", name, 0, 0)), "name too long"));
    CHECK(strstr(complaint(skt_sockaddr(NULL, 2)), "is NULL"));
    CHECK(strstr(complaint(skt_sockaddr((struct sockaddr *)name, 129)), "129 bytes is too long"));
    CHECK(strstr(complaint(skt_addr_parse(NULL)), "text is NULL"));
}

static void a_family_that_does_not_fit(void)
{
    skt_addr nothing;
    memset(&nothing, 0, sizeof nothing);
    CHECK_STR(complaint(nothing), "bind: the address is empty");
    CHECK_STR(complaint(skt_unix("/x")), "bind: the socket is AF_INET, the address unix:/x is AF_UNIX");
    CHECK_INT(skt_error_record()->code, EAFNOSUPPORT);
    CHECK_INT(skti_addr_check("bind", &(skt_addr[]){ skt_inet("1.2.3.4", 5) }[0], AF_INET6), -1);
    CHECK_STR(skt_strerror(), "bind: the socket is AF_INET6: for 1.2.3.4:5 use skt_inet6(\"::ffff:1.2.3.4\", ...)");
    CHECK_INT(skti_addr_check("bind", &(skt_addr[]){ skt_inet("1.2.3.4", 5) }[0], AF_RDS), 0);
    CHECK_INT(skti_addr_check("bind", &(skt_addr[]){ skt_inet6("::1", 5, 0, 0) }[0], 43), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "text of every family, both ways", text_both_ways },
        { "addresses that differ are not equal", all_differ },
        { "zeros at the end may be left out, numbers be hexadecimal", shorter_forms },
        { "text that makes no sense is refused", text_without_sense },
        { "text is cut at any length", text_is_cut_at_any_length },
        { "the longest text fits", longest_text_fits },
        { "sockaddrs of hosts", sockaddrs_of_hosts },
        { "sockaddrs of AF_UNIX", sockaddrs_of_unix },
        { "sockaddrs of the other families", sockaddrs_of_the_rest },
        { "sockaddrs of Bluetooth, byte by byte", sockaddrs_of_bluetooth },
        { "interfaces by name", interfaces_by_name },
        { "sockaddrs of any family and length from the kernel", received_of_any_length },
        { "AF_UNIX paths without NUL", received_unix_paths },
        { "sockaddrs that are too short show their bytes", short_ones_show_their_bytes },
        { "threads may ask for the host at once", threads_may_ask_at_once },
        { "mistakes are told by the call that uses the address", mistakes_are_told_by_the_call },
        { "a family that does not fit the socket's", a_family_that_does_not_fit },
    };
    return RUN_CASES(cases);
}
