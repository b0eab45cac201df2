/* test_netlink.c - AF_NETLINK: questions to the kernel, and messages between programs. */
#include "kernels.h"
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <unistd.h>

/* The payload of the first attribute of a type, or NULL. */
static const void *attribute(const char *first, size_t len, int type)
{
    const struct nlattr *a = (const void *)first;
    while (len >= sizeof *a && a->nla_len >= sizeof *a && a->nla_len <= len) {
        if ((a->nla_type & NLA_TYPE_MASK) == type)
            return (const char *)a + NLA_HDRLEN;
        size_t step = NLA_ALIGN(a->nla_len);
        if (step > len)
            break;
        len -= step;
        a = (const void *)((const char *)a + step);
    }
    return NULL;
}

static bool has_lo(const struct nlmsghdr *h)
{
    const struct ifinfomsg *info = NLMSG_DATA(h);
    size_t skip = NLMSG_ALIGN(sizeof *info);
    const char *name = attribute((const char *)info + skip, NLMSG_PAYLOAD(h, skip), IFLA_IFNAME);
    return h->nlmsg_type == RTM_NEWLINK && name && strcmp(name, "lo") == 0 && (info->ifi_flags & IFF_LOOPBACK);
}

/* Every link is a message; the last is NLMSG_DONE. */
static bool dump_has_lo(skt *s)
{
    _Alignas(struct nlmsghdr) static char buf[65536];
    bool found = false;
    for (;;) {
        skt_addr from;
        ssize_t n = skt_recvfrom(s, buf, sizeof buf, 0, &from);
        OK(n);
        check_text(&from, "netlink:0,0");
        size_t left = (size_t)n;
        for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            CHECK(h->nlmsg_type != NLMSG_ERROR);
            if (h->nlmsg_type == NLMSG_DONE)
                return found;
            found = found || has_lo(h);
        }
    }
}

static void dump_links(void)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg info;
    } request = { { .nlmsg_len = sizeof request,
                    .nlmsg_type = RTM_GETLINK,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                    .nlmsg_seq = 1 },
                  { .ifi_family = AF_UNSPEC } };
    OPEN(s, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    OK(skt_bind(s, skt_netlink(0, 0)));
    skt_addr own = own_address(s);
    check_text_begins(&own, "netlink:");
    CHECK_INT(skt_port(&own), -1);
    CHECK_INT(skt_sendto(s, &request, sizeof request, 0, skt_netlink(0, 0)), sizeof request);
    CHECK(dump_has_lo(s));
    OK(skt_close(s));
}

/* Generic netlink's directory knows itself. */
static void generic(void)
{
    struct {
        struct nlmsghdr head;
        struct genlmsghdr generic;
        struct nlattr attribute;
        char name[8];
    } request = { { .nlmsg_len = sizeof request, .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST },
                  { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
                  { .nla_len = NLA_HDRLEN + sizeof "nlctrl", .nla_type = CTRL_ATTR_FAMILY_NAME },
                  "nlctrl" };
    _Alignas(struct nlmsghdr) char buf[8192];
    OPEN(s, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
    OK(skt_connect(s, skt_netlink(0, 0)));
    CHECK_INT(skt_send(s, &request, sizeof request, 0), sizeof request);
    ssize_t n = skt_recv(s, buf, sizeof buf, 0);
    OK(n);
    struct nlmsghdr *h = (void *)buf;
    CHECK(NLMSG_OK(h, (size_t)n));
    CHECK_INT(h->nlmsg_type, GENL_ID_CTRL);
    const char *payload = (const char *)NLMSG_DATA(h) + GENL_HDRLEN;
    const uint16_t *id = attribute(payload, NLMSG_PAYLOAD(h, GENL_HDRLEN), CTRL_ATTR_FAMILY_ID);
    CHECK(id && *id == GENL_ID_CTRL);
    OK(skt_close(s));
}

static uint32_t port_of(skt *s)
{
    skt_addr own = own_address(s);
    return ((const struct sockaddr_nl *)(const void *)skt_addr_sockaddr(&own, NULL))->nl_pid;
}

/* From one socket to another, as programs of one machine may. */
static void between_programs(void)
{
    char text[64];
    OPEN(a, AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);
    OPEN(b, AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);
    OK(skt_bind(a, skt_netlink(0, 0)));
    OK(skt_bind(b, skt_netlink(0, 0)));
    send_text(a, "hello", skt_netlink(port_of(b), 0));
    skt_addr from = expect(b, "hello");
    snprintf(text, sizeof text, "netlink:%u,0", port_of(a));
    check_text(&from, text);
    send_text(b, "and to you", from);
    expect(a, "and to you");
    OK(skt_close(a));
    OK(skt_close(b));
}

/* A group's messages come to who has bound to it. (The unicast half of the address is the sender itself: the kernel,
 * pid 0, does not listen here.) */
static void group(void)
{
    char text[64];
    OPEN(a, AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);
    OPEN(b, AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);
    OK(skt_bind(a, skt_netlink(0, 0)));
    if (skt_bind(b, skt_netlink(0, 4)) < 0) {
        CHECK(!in_uml());
        CHECK_INT(errno, EPERM);
        check_skip("%s", skt_strerror());
    } else {
        snprintf(text, sizeof text, "netlink:%u,4", port_of(b));
        skt_addr own = own_address(b);
        check_text(&own, text);
        send_text(a, "to the group", skt_netlink(port_of(a), 4));
        expect(a, "to the group");
        expect(b, "to the group");
    }
    OK(skt_close(a));
    OK(skt_close(b));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "AF_NETLINK: the list of links has lo", dump_links },
        { "AF_NETLINK, generic: the directory's own entry", generic },
        { "AF_NETLINK: a message between two sockets", between_programs },
        { "AF_NETLINK: a message to a group", group },
    };
    private_network();
    return RUN_CASES(cases);
}
