/* option_structs.c - values of socket options that are more than a number: texts, addresses, interfaces, groups,
 * lists, and what the system tells in a struct. */
#include "cmd.h"
#include "option_kinds.h"
#include "units.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef const struct cmd_sockopt Option;
typedef struct cmd_sockopt_value Value;

/* ---- Text and bytes ---- */

/* What stands for nothing is read as it is written. */
static bool is_none(const char *text)
{
    return !*text || !strcmp(text, "none");
}

static int parse_text(Option *option, const char *text, Value *value)
{
    (void)option;
    if (is_none(text))
        return cmd_sockopt_put(value, "", 0);
    return cmd_sockopt_put(value, text, strlen(text));
}

/* What the system has may end with a NUL or not. */
static void format_text(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    if (value->len == 0 || !value->bytes[0])
        snprintf(buf, len, "none");
    else
        snprintf(buf, len, "%.*s", (int)value->len, (const char *)value->bytes);
}

static int parse_blob(Option *option, const char *text, Value *value)
{
    (void)option;
    if (is_none(text))
        return cmd_sockopt_put(value, "", 0);
    for (value->len = 0; *text; text += 2) {
        char digits[3] = { text[0], text[1], '\0' };
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) || value->len == sizeof value->bytes)
            return -1;
        value->bytes[value->len++] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return 0;
}

static void format_blob(Option *option, const Value *value, char *buf, size_t len)
{
    int at = snprintf(buf, len, "%s", value->len ? "" : "none");
    (void)option;
    for (socklen_t i = 0; i < value->len && (size_t)at < len; i++)
        at += snprintf(buf + at, len - (size_t)at, "%02x", value->bytes[i]);
}

static void format_list(Option *option, const Value *value, char *buf, size_t len)
{
    int at = snprintf(buf, len, "%s", value->len ? "" : "none");
    (void)option;
    for (socklen_t i = 0; i + sizeof(unsigned) <= value->len && (size_t)at < len; i += (socklen_t)sizeof(unsigned)) {
        unsigned number;
        memcpy(&number, value->bytes + i, sizeof number);
        at += snprintf(buf + at, len - (size_t)at, "%s%u", i ? "," : "", number);
    }
}

const struct cmd_sockopt_kind kind_text = { 0, "a word", parse_text, format_text, NULL };
const struct cmd_sockopt_kind kind_blob = { 0, "its bytes as pairs of hexadecimal digits", parse_blob, format_blob,
                                            NULL };
const struct cmd_sockopt_kind kind_list = { 0, NULL, NULL, format_list, NULL };

/* ---- Two numbers ---- */

/* "off", "on,5", or the 5 alone. */
static int parse_linger(Option *option, const char *text, Value *value)
{
    struct linger linger = { 0 };
    int64_t seconds;
    (void)option;
    if (strcmp(text, "off") != 0) {
        if (cmd_parse_integer(strncmp(text, "on,", 3) ? text : text + 3, 0, 65535, &seconds) < 0)
            return -1;
        linger = (struct linger){ .l_onoff = 1, .l_linger = (int)seconds };
    }
    return cmd_sockopt_put(value, &linger, sizeof linger);
}

static void format_linger(Option *option, const Value *value, char *buf, size_t len)
{
    struct linger linger = SOCKOPT_AS(struct linger, value);
    (void)option;
    if (linger.l_onoff)
        snprintf(buf, len, "on,%d", linger.l_linger);
    else
        snprintf(buf, len, "off");
}

/* The lower end in the lower half. */
static int parse_ports(Option *option, const char *text, Value *value)
{
    char low[8];
    int64_t from, to;
    (void)option;
    size_t len = strcspn(text, "-");
    if (!strcmp(text, "default"))
        return cmd_sockopt_put(value, &(uint32_t){ 0 }, sizeof(uint32_t));
    if (!text[len] || len >= sizeof low)
        return -1;
    snprintf(low, sizeof low, "%.*s", (int)len, text);
    if (cmd_parse_integer(low, 0, 65535, &from) < 0 || cmd_parse_integer(text + len + 1, 0, 65535, &to) < 0)
        return -1;
    uint32_t both = (uint32_t)from | (uint32_t)to << 16;
    return cmd_sockopt_put(value, &both, sizeof both);
}

static void format_ports(Option *option, const Value *value, char *buf, size_t len)
{
    uint32_t both = SOCKOPT_AS(uint32_t, value);
    (void)option;
    if (both)
        snprintf(buf, len, "%u-%u", both & 0xffff, both >> 16);
    else
        snprintf(buf, len, "default");
}

const struct cmd_sockopt_kind kind_linger = { sizeof(struct linger), "off, or on and seconds: on,5", parse_linger,
                                              format_linger, NULL };
const struct cmd_sockopt_kind kind_ports = { sizeof(uint32_t), "two ports, such as 40000-40999", parse_ports,
                                             format_ports, NULL };

/* ---- Interfaces, addresses and groups ---- */

/* By name or number. */
static int read_interface(const char *text, unsigned *index)
{
    int64_t number = 0;
    *index = 0;
    if (!strcmp(text, "any"))
        return 0;
    if (cmd_parse_integer(text, 0, INT32_MAX, &number) == 0)
        return *index = (unsigned)number, 0;
    *index = skt_if_nametoindex(text);
    return *index ? 0 : -1;
}

static void write_interface(unsigned index, char *buf, size_t len)
{
    char name[IF_NAMESIZE];
    if (index == 0)
        snprintf(buf, len, "any");
    else if (skt_if_indextoname(index, name, sizeof name) == 0)
        snprintf(buf, len, "%s", name);
    else
        snprintf(buf, len, "%u", index);
}

static int parse_interface(Option *option, const char *text, Value *value)
{
    unsigned index;
    (void)option;
    return read_interface(text, &index) < 0 ? -1 : cmd_sockopt_put(value, &index, sizeof index);
}

static void format_interface(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    write_interface(SOCKOPT_AS(unsigned, value), buf, len);
}

static int parse_interface_be(Option *option, const char *text, Value *value)
{
    unsigned index;
    (void)option;
    if (read_interface(text, &index) < 0)
        return -1;
    index = htonl(index);
    return cmd_sockopt_put(value, &index, sizeof index);
}

static void format_interface_be(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    write_interface(ntohl(SOCKOPT_AS(unsigned, value)), buf, len);
}

static int parse_ipv4(Option *option, const char *text, Value *value)
{
    struct in_addr address;
    (void)option;
    return skt_inet_pton(AF_INET, text, &address) < 0 ? -1 : cmd_sockopt_put(value, &address, sizeof address);
}

static void format_ipv4(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    skt_inet_ntoa(SOCKOPT_AS(struct in_addr, value), buf, len);
}

/* "GROUP" or "GROUP,INTERFACE". */
static int read_group(int family, const char *text, void *group, unsigned *index)
{
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, ",");
    *index = 0;
    if (len >= sizeof address)
        return -1;
    snprintf(address, sizeof address, "%.*s", (int)len, text);
    if (skt_inet_pton(family, address, group) < 0)
        return -1;
    return text[len] ? read_interface(text + len + 1, index) : 0;
}

static int parse_group4(Option *option, const char *text, Value *value)
{
    struct ip_mreqn group = { 0 };
    unsigned index;
    (void)option;
    if (read_group(AF_INET, text, &group.imr_multiaddr, &index) < 0)
        return -1;
    group.imr_ifindex = (int)index;
    return cmd_sockopt_put(value, &group, sizeof group);
}

static int parse_group6(Option *option, const char *text, Value *value)
{
    struct ipv6_mreq group;
    (void)option;
    if (read_group(AF_INET6, text, &group.ipv6mr_multiaddr, &group.ipv6mr_interface) < 0)
        return -1;
    return cmd_sockopt_put(value, &group, sizeof group);
}

static void format_address(Option *option, const Value *value, char *buf, size_t len)
{
    skt_addr addr = skt_sockaddr((const struct sockaddr *)(const void *)value->bytes, value->len);
    (void)option;
    if (!skt_addr_text(&addr, buf, len))
        snprintf(buf, len, "?");
}

const struct cmd_sockopt_kind kind_interface = { sizeof(int), "an interface, such as eth0 or 2, or any",
                                                 parse_interface, format_interface, NULL };
const struct cmd_sockopt_kind kind_interface_be = { sizeof(int), "an interface, such as eth0 or 2, or any",
                                                    parse_interface_be, format_interface_be, NULL };
const struct cmd_sockopt_kind kind_ipv4 = { sizeof(struct in_addr), "an IPv4 address", parse_ipv4, format_ipv4, NULL };
const struct cmd_sockopt_kind kind_group4 = { 0, "a group and perhaps an interface: 239.1.2.3,eth0", parse_group4,
                                              format_blob, NULL };
const struct cmd_sockopt_kind kind_group6 = { 0, "a group and perhaps an interface: ff02::123,eth0", parse_group6,
                                              format_blob, NULL };
/* SO_PEERNAME refuses more room than it needs. */
const struct cmd_sockopt_kind kind_address = { sizeof(struct sockaddr_in), NULL, NULL, format_address, NULL };
const struct cmd_sockopt_kind kind_address6 = { sizeof(struct sockaddr_in6), NULL, NULL, format_address, NULL };

/* ---- What the system tells ---- */

static void format_ucred(Option *option, const Value *value, char *buf, size_t len)
{
    struct ucred peer = SOCKOPT_AS(struct ucred, value);
    (void)option;
    if (peer.pid == 0 && peer.uid == (uid_t)-1)
        snprintf(buf, len, "nobody");
    else
        snprintf(buf, len, "pid %d, uid %u, gid %u", (int)peer.pid, (unsigned)peer.uid, (unsigned)peer.gid);
}

/* Reading has made a descriptor. */
static void format_pidfd(Option *option, const Value *value, char *buf, size_t len)
{
    (void)option;
    close(SOCKOPT_AS(int, value));
    snprintf(buf, len, "a pidfd");
}

static void format_tcp_info(Option *option, const Value *value, char *buf, size_t len)
{
    static const char *const states[] = { "?",          "established", "syn sent", "syn received", "fin wait 1",
                                          "fin wait 2", "time wait",   "closed",   "close wait",   "last ack",
                                          "listening",  "closing",     "new" };
    const struct tcp_info *info = (const struct tcp_info *)(const void *)value->bytes;
    (void)option;
    int at = snprintf(buf, len, "%s", states[info->tcpi_state < COUNT(states) ? info->tcpi_state : 0]);
    if (info->tcpi_rtt && (size_t)at < len)
        snprintf(buf + at, len - (size_t)at, ", rtt %.3gms, cwnd %u, lost %u", info->tcpi_rtt / 1e3,
                 info->tcpi_snd_cwnd, info->tcpi_total_retrans);
}

const struct cmd_sockopt_kind kind_ucred = { sizeof(struct ucred), NULL, NULL, format_ucred, NULL };
const struct cmd_sockopt_kind kind_pidfd = { sizeof(int), NULL, NULL, format_pidfd, NULL };
const struct cmd_sockopt_kind kind_tcp_info = { 0, NULL, NULL, format_tcp_info, NULL };
