/* test_option_names.c - socket options by their names: the table, and values there and back. */
#include "check.h"
#include "cmd.h"
#include "option_kinds.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* ---- The table ---- */

static void names_are_found(void)
{
    const struct cmd_sockopt *option;
    size_t n = 0;
    for (; (option = cmd_sockopt_at(n)); n++) {
        const struct cmd_sockopt *found = cmd_find_sockopt(option->name);
        CHECK(found && found->level == option->level && found->number == option->number);
        CHECK(option->kind && option->level >= 0 && option->number >= 0 && option->sockets);
        CHECK(strlen(option->meaning) > 5 && strlen(option->meaning) <= 60);
        CHECK(!option->writable || option->kind->parse);
    }
    CHECK(n > 250);
    CHECK(cmd_find_sockopt("tcp_nodelay") == cmd_find_sockopt("TCP_NODELAY"));
    CHECK(!cmd_find_sockopt("TCP_NODELA") && !cmd_find_sockopt(""));
}

/* ---- Reading ---- */

static const struct kind {
    int family, type, proto;
    unsigned sockets;
    size_t least; /* options that every kernel of today can tell of it; 0: there may be no such sockets */
} kinds[] = {
    { AF_INET, SOCK_STREAM, 0, FOR_ANY | FOR_IPV4 | FOR_TCP, 60 },
    { AF_INET6, SOCK_STREAM, 0, FOR_ANY | FOR_IPV6 | FOR_TCP, 60 },
    { AF_INET, SOCK_DGRAM, 0, FOR_ANY | FOR_IPV4 | FOR_UDP, 50 },
    { AF_INET6, SOCK_DGRAM, 0, FOR_ANY | FOR_IPV6 | FOR_UDP, 50 },
    { AF_UNIX, SOCK_STREAM, 0, FOR_ANY | FOR_UNIX, 20 },
    { AF_UNIX, SOCK_DGRAM, 0, FOR_ANY | FOR_UNIX, 20 },
    { AF_NETLINK, SOCK_RAW, 0, FOR_ANY | FOR_NETLINK, 20 },
    { AF_INET, SOCK_RAW, IPPROTO_UDP, FOR_ANY | FOR_IPV4 | FOR_UDP | FOR_RAW, 0 },
    { AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, FOR_ANY | FOR_IPV6 | FOR_RAW, 0 },
    { AF_PACKET, SOCK_RAW, 0, FOR_ANY | FOR_PACKET, 0 },
    { AF_VSOCK, SOCK_STREAM, 0, FOR_ANY | FOR_VSOCK, 0 },
    { AF_CAN, SOCK_RAW, 1 /* CAN_RAW */, FOR_ANY | FOR_CAN, 0 },
    { AF_CAN, SOCK_DGRAM, 6 /* CAN_ISOTP */, FOR_ANY | FOR_ISOTP, 0 },
    { AF_CAN, SOCK_DGRAM, 7 /* CAN_J1939 */, FOR_ANY | FOR_J1939, 0 },
    { 30 /* AF_TIPC */, SOCK_RDM, 0, FOR_ANY | FOR_TIPC, 0 },
    { AF_ALG, SOCK_SEQPACKET, 0, FOR_ANY | FOR_ALG, 0 },
    { 21 /* AF_RDS */, SOCK_SEQPACKET, 0, FOR_ANY | FOR_RDS, 0 },
    { AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */, FOR_ANY | FOR_IPV4 | FOR_TCP | FOR_MPTCP, 0 },
};

static void check_text(const struct cmd_sockopt *option, const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isprint((unsigned char)*c))
            check_failed(__FILE__, __LINE__, "%s is shown as '%s'", option->name, text);
    if (!*text)
        check_failed(__FILE__, __LINE__, "%s is shown as nothing", option->name);
}

/* What is shown can be written, and is the same then. */
static void check_back(const struct cmd_sockopt *option, const struct cmd_sockopt_value *value, const char *text)
{
    struct cmd_sockopt_value again = { .len = 0 };
    char text_again[1024];
    if (!option->writable)
        return;
    if (option->kind->parse(option, text, &again) < 0)
        check_failed(__FILE__, __LINE__, "%s is shown as '%s', which is not taken", option->name, text);
    CHECK_STR(cmd_sockopt_text(option, &again, text_again, sizeof text_again), text);
    if (option->kind->size)
        CHECK(memcmp(again.bytes, value->bytes, value->len) == 0);
}

/* How many options it could tell. */
static size_t read_all(skt *s, unsigned sockets)
{
    const struct cmd_sockopt *option;
    struct cmd_sockopt_value value;
    char text[1024];
    size_t n = 0;
    for (size_t i = 0; (option = cmd_sockopt_at(i)); i++) {
        if (!(option->sockets & sockets) || !option->readable)
            continue;
        if (cmd_get_sockopt(s, option, &value) == 0) {
            n++;
            check_text(option, cmd_sockopt_text(option, &value, text, sizeof text));
            check_back(option, &value, text);
        } else if (cmd_sockopt_trouble(errno)) {
            check_text(option, cmd_sockopt_trouble(errno));
        }
    }
    return n;
}

static void every_value_is_text(void)
{
    for (size_t k = 0; k < COUNT(kinds); k++) {
        skt *s = skt_socket(kinds[k].family, kinds[k].type, kinds[k].proto);
        if (!s && !kinds[k].least)
            continue;
        CHECK(s);
        CHECK_INT(cmd_sockopt_sockets(s), kinds[k].sockets);
        size_t n = read_all(s, kinds[k].sockets);
        if (n < kinds[k].least && !under_qemu())
            check_failed(__FILE__, __LINE__, "only %zu options can be read of kind %zu", n, k);
        skt_close(s);
    }
}

/* ---- Setting ---- */

static const struct setting {
    int family, type;
    const char *text, *shown;
} settings[] = {
    { AF_INET, SOCK_STREAM, "TCP_NODELAY=1", "on" },
    { AF_INET, SOCK_STREAM, "tcp_nodelay=off", "off" },
    { AF_INET, SOCK_STREAM, "SO_RCVBUF=64k", "131072" },
    { AF_INET, SOCK_STREAM, "SO_LINGER=on,5", "on,5" },
    { AF_INET, SOCK_STREAM, "SO_LINGER=0", "on,0" },
    { AF_INET, SOCK_STREAM, "SO_LINGER=off", "off" },
    { AF_INET, SOCK_STREAM, "TCP_CONGESTION=reno", "reno" },
    { AF_INET, SOCK_STREAM, "TCP_KEEPIDLE=1m", "60s" },
    { AF_INET, SOCK_STREAM, "TCP_KEEPIDLE=30", "30s" },
    { AF_INET, SOCK_STREAM, "TCP_USER_TIMEOUT=2s", "2000ms" },
    { AF_INET, SOCK_STREAM, "TCP_USER_TIMEOUT=1500", "1500ms" },
    { AF_INET, SOCK_STREAM, "SO_MAX_PACING_RATE=1M", "1048576" },
    { AF_INET, SOCK_STREAM, "SO_MAX_PACING_RATE=unlimited", "unlimited" },
    { AF_INET, SOCK_STREAM, "IP_TOS=0x28", "0x28" },
    { AF_INET, SOCK_STREAM, "IP_MTU_DISCOVER=do", "IP_PMTUDISC_DO" },
    { AF_INET, SOCK_STREAM, "IP_MTU_DISCOVER=IP_PMTUDISC_DONT", "IP_PMTUDISC_DONT" },
    { AF_INET, SOCK_STREAM, "IP_MTU_DISCOVER=1", "IP_PMTUDISC_WANT" },
    { AF_INET, SOCK_DGRAM, "IP_MULTICAST_IF=127.0.0.1", "127.0.0.1" },
    { AF_INET, SOCK_DGRAM, "IP_OPTIONS=94040000", "94040000" },
    { AF_INET, SOCK_DGRAM, "IP_UNICAST_IF=lo", "lo" },
    { AF_INET6, SOCK_DGRAM, "IPV6_MULTICAST_IF=lo", "lo" },
    { AF_INET6, SOCK_DGRAM, "IPV6_MULTICAST_IF=any", "any" },
    { AF_INET6, SOCK_STREAM, "IPV6_V6ONLY=yes", "on" },
    { AF_UNIX, SOCK_STREAM, "SO_PASSCRED=true", "on" },
};

static void values_are_set(void)
{
    if (under_qemu()) {
        check_skip("qemu-user does not know all of these options");
        return;
    }
    for (size_t i = 0; i < COUNT(settings); i++) {
        struct cmd_sockopt_setting setting;
        struct cmd_sockopt_value value;
        char text[1024];
        skt *s = skt_socket(settings[i].family, settings[i].type, 0);
        CHECK_INT(cmd_read_sockopt(settings[i].text, &setting), 0);
        CHECK_INT(cmd_set_sockopt(s, &setting), 0);
        CHECK_INT(cmd_get_sockopt(s, setting.option, &value), 0);
        cmd_sockopt_text(setting.option, &value, text, sizeof text);
        if (strcmp(text, settings[i].shown) != 0)
            check_failed(__FILE__, __LINE__, "after %s it is %s", settings[i].text, text);
        skt_close(s);
    }
}

static void groups_are_joined(void)
{
    if (under_qemu()) {
        check_skip("qemu-user does not know struct ip_mreqn");
        return;
    }
    static const struct setting joins[] = {
        { AF_INET, SOCK_DGRAM, "IP_ADD_MEMBERSHIP=239.1.2.3,lo", "" },
        { AF_INET6, SOCK_DGRAM, "IPV6_JOIN_GROUP=ff02::123,lo", "" },
    };
    for (size_t i = 0; i < COUNT(joins); i++) {
        struct cmd_sockopt_setting setting;
        skt *s = skt_socket(joins[i].family, joins[i].type, 0);
        CHECK_INT(cmd_read_sockopt(joins[i].text, &setting), 0);
        CHECK_INT(cmd_set_sockopt(s, &setting), 0);
        CHECK(skt_setsockopt(s, setting.option->level, setting.option->number, setting.value.bytes, setting.value.len) <
              0);
        CHECK_INT(errno, EADDRINUSE); /* it is in the group already */
        skt_close(s);
    }
}

/* ---- Mistakes ---- */

/* Standard error goes into a file for a while. */
static int said, screen;

static void begin_to_listen(void)
{
    char path[] = "/tmp/skt-said.XXXXXX";
    fflush(stderr);
    CHECK((said = mkstemp(path)) >= 0 && unlink(path) == 0);
    CHECK((screen = dup(STDERR_FILENO)) >= 0 && dup2(said, STDERR_FILENO) >= 0);
}

static void end_listening(char *text, size_t len)
{
    CHECK(dup2(screen, STDERR_FILENO) >= 0 && close(screen) == 0);
    ssize_t n = pread(said, text, len - 1, 0);
    CHECK(n >= 0 && close(said) == 0);
    text[n] = '\0';
}

static void mistakes_are_told(void)
{
    static const char *const mistakes[][2] = {
        { "TCP_NODLAY=1", "no socket option 'TCP_NODLAY'; did you mean 'TCP_NODELAY'?" },
        { "FROBNICATE=1", "no socket option 'FROBNICATE'; skt options lists what there is" },
        { "TCP_NODELAY", "'TCP_NODELAY' sets no socket option; write NAME=VALUE, such as TCP_NODELAY=1" },
        { "=1", "'=1' sets no socket option; write NAME=VALUE, such as TCP_NODELAY=1" },
        { "TCP_NODELAY=maybe", "'TCP_NODELAY=maybe': TCP_NODELAY takes 1 or 0, on or off" },
        { "SO_RCVBUF=big", "'SO_RCVBUF=big': SO_RCVBUF takes a number of bytes, such as 1500, 64k or 1M" },
        { "SO_RCVBUF=3G", "'SO_RCVBUF=3G': SO_RCVBUF takes a number of bytes, such as 1500, 64k or 1M" },
        { "SO_RCVBUF=-1", "'SO_RCVBUF=-1': SO_RCVBUF takes a number of bytes, such as 1500, 64k or 1M" },
        { "SO_LINGER=on,", "'SO_LINGER=on,': SO_LINGER takes off, or on and seconds: on,5" },
        { "IP_TTL=64x", "'IP_TTL=64x': IP_TTL takes a number" },
        { "IP_TTL=99999999999", "'IP_TTL=99999999999': IP_TTL takes a number" },
        { "IP_TTL=", "'IP_TTL=': IP_TTL takes a number" },
        { "IP_OPTIONS=123", "'IP_OPTIONS=123': IP_OPTIONS takes its bytes as pairs of hexadecimal digits" },
        { "IP_ADD_MEMBERSHIP=here", "'IP_ADD_MEMBERSHIP=here': IP_ADD_MEMBERSHIP takes a group and perhaps an "
                                    "interface: 239.1.2.3,eth0" },
        { "IP_LOCAL_PORT_RANGE=1-70000", "'IP_LOCAL_PORT_RANGE=1-70000': IP_LOCAL_PORT_RANGE takes two ports, such "
                                         "as 40000-40999" },
        { "SO_BINDTOIFINDEX=no-such", "'SO_BINDTOIFINDEX=no-such': SO_BINDTOIFINDEX takes an interface, such as "
                                      "eth0 or 2, or any" },
        { "SO_TYPE=1", "'SO_TYPE=1': SO_TYPE cannot be set, only read" },
        { "TLS_TX=00", "'TLS_TX=00': TLS_TX cannot be set by a text" },
    };
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct cmd_sockopt_setting setting;
        char text[512], expected[512];
        begin_to_listen();
        int status = cmd_read_sockopt(mistakes[i][0], &setting);
        end_listening(text, sizeof text);
        snprintf(expected, sizeof expected, "skt: %s\n", mistakes[i][1]);
        CHECK_INT(status, STATUS_USAGE);
        CHECK_STR(text, expected);
    }
}

/* A value of any length is either taken or refused. */
static void long_values(void)
{
    const struct cmd_sockopt *option;
    char text[2048];
    for (size_t i = 0; (option = cmd_sockopt_at(i)); i++)
        for (size_t len = 0; option->writable && len < sizeof text; len += len < 40 ? 1 : 97) {
            struct cmd_sockopt_value value = { .len = 0 };
            memset(text, i % 2 ? '1' : 'f', len);
            text[len] = '\0';
            if (option->kind->parse(option, text, &value) == 0)
                CHECK(value.len <= sizeof value.bytes);
        }
}

static void refusal_is_told(void)
{
    struct cmd_sockopt_setting setting;
    char text[512];
    skt *s = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(cmd_read_sockopt("TCP_NODELAY=1", &setting), 0);
    begin_to_listen();
    int status = cmd_set_sockopt(s, &setting);
    end_listening(text, sizeof text);
    CHECK_INT(status, STATUS_FAILED);
    CHECK_STR(text, "skt: cannot set TCP_NODELAY=1: this kind of socket, or this system, does not have it\n");
    skt_close(s);
}

static const struct test_case cases[] = {
    { "every option is found by its name", names_are_found },
    { "every option that can be read is shown, and taken as it is shown", every_value_is_text },
    { "values are set", values_are_set },
    { "groups are joined", groups_are_joined },
    { "mistakes are told in a sentence", mistakes_are_told },
    { "values of any length", long_values },
    { "what the system refuses is told", refusal_is_told },
};

int main(void)
{
    return RUN_CASES_ON_THREAD(cases);
}
