/* test_rds.c - RDS: reliable datagrams, SOCK_SEQPACKET, with IPv4 addresses. */
#include "kernels.h"
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static void exchange(void)
{
    OPEN(server, AF_RDS, SOCK_SEQPACKET, 0);
    OPEN(client, AF_RDS, SOCK_SEQPACKET, 0);
    OK(skt_bind(server, skt_inet("127.0.0.1", 4000)));
    OK(skt_bind(client, skt_inet("127.0.0.1", 0)));
    skt_addr at = own_address(server), own = own_address(client);
    check_text(&at, "127.0.0.1:4000");
    CHECK(skt_port(&own) > 0);

    send_text(client, "hello", at);
    skt_addr from = expect(server, "hello");
    check_same(&from, &own);
    send_text(server, "and to you", from);
    from = expect(client, "and to you");
    check_same(&from, &at);
    OK(skt_close(client));
    OK(skt_close(server));
}

static void boundaries(void)
{
    OPEN(server, AF_RDS, SOCK_SEQPACKET, 0);
    OPEN(client, AF_RDS, SOCK_SEQPACKET, 0);
    OK(skt_bind(server, skt_inet("127.0.0.1", 4000)));
    OK(skt_bind(client, skt_inet("127.0.0.1", 0)));
    OK(skt_connect(client, skt_inet("127.0.0.1", 4000)));
    CHECK_INT(skt_send(client, "one", 3, 0), 3);
    CHECK_INT(skt_send(client, "three", 5, 0), 5);
    expect(server, "one");
    expect(server, "three");
    OK(skt_close(client));
    OK(skt_close(server));
}

/* The first cable's number; RDS's connection keeps each for longer than its case lasts. */
static int cable = 8;

/* A network of its own for what is opened from now on, joined to the one before by a cable: 10.9.N.2 here, 10.9.N.1
 * there. */
static void move_away(int home)
{
    char line[160];
    CHECK(unshare(CLONE_NEWNET) == 0);
    snprintf(line, sizeof line, "ip link add away%d type veth peer name home%d netns /proc/%d/fd/%d", cable, cable,
             (int)getpid(), home);
    CHECK(command(line));
    snprintf(line, sizeof line, "ip addr add 10.9.%d.2/24 dev away%d && ip link set away%d up", cable, cable, cable);
    CHECK(command(line));
}

static void move_back(int home)
{
    char line[160];
    CHECK(setns(home, CLONE_NEWNET) == 0);
    snprintf(line, sizeof line, "ip addr add 10.9.%d.1/24 dev home%d && ip link set home%d up", cable, cable, cable);
    CHECK(command(line));
}

static void check_connected(void)
{
    char line[160];
    snprintf(line, sizeof line, "grep -E '0[12]%02X090A:4001 ([0-9A-F]+:[0-9A-F]+ )?01 ' /proc/net/tcp /proc/net/tcp6",
             cable);
    CHECK(command(line)); /* established */
}

/* Between two networks RDS makes a TCP connection, to port 16385; within one it does without. */
static void over_tcp(void)
{
    char here[20], there[20], text[32];
    OPEN(server, AF_RDS, SOCK_SEQPACKET, 0);
    cable++;
    snprintf(here, sizeof here, "10.9.%d.1", cable);
    snprintf(there, sizeof there, "10.9.%d.2", cable);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(home >= 0);
    move_away(home);
    OPEN(client, AF_RDS, SOCK_SEQPACKET, 0);
    move_back(home);
    OK(skt_bind(server, skt_inet(here, 4000)));
    OK(skt_bind(client, skt_inet(there, 4000)));
    send_text(client, "over TCP", skt_inet(here, 4000));
    skt_addr from = expect(server, "over TCP");
    snprintf(text, sizeof text, "%s:4000", there);
    check_text(&from, text);
    send_text(server, "and back", from);
    from = expect(client, "and back");
    snprintf(text, sizeof text, "%s:4000", here);
    check_text(&from, text);
    check_connected();
    OK(skt_close(client));
    OK(skt_close(server));
    close(home);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "RDS SOCK_SEQPACKET: a request and its reply", exchange },
        { "RDS SOCK_SEQPACKET: messages stay apart on a connected socket", boundaries },
        { "RDS SOCK_SEQPACKET: over TCP, between two networks", over_tcp },
    };
    private_network();
    return RUN_CASES(cases);
}
