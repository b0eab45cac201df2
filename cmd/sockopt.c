/* sockopt.c - what the options say of a socket, set before it is bound or connected: a buffer's size
 * decides TCP's window, an interface the route. */
#include "cmd.h"
#include "option_names.h"
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* CS0 to CS7, AF11 to AF43, and those that have a name each. */
int cmd_dscp(const char *text)
{
    static const struct {
        const char *name;
        int number;
    } names[] = { { "DF", 0 }, { "BE", 0 }, { "LE", 1 }, { "VA", 44 }, { "EF", 46 } };
    char *end;
    long number = strtol(text, &end, 10);
    if (isdigit((unsigned char)*text) && !*end && number <= 63)
        return (int)number;
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcasecmp(text, names[i].name))
            return names[i].number;
    if (!strncasecmp(text, "CS", 2) && text[2] >= '0' && text[2] <= '7' && !text[3])
        return 8 * (text[2] - '0');
    if (!strncasecmp(text, "AF", 2) && text[2] >= '1' && text[2] <= '4' && text[3] >= '1' && text[3] <= '3' && !text[4])
        return 8 * (text[2] - '0') + 2 * (text[3] - '0');
    return -1;
}

static int trouble(const char *option)
{
    int code = errno;
    cmd_say("--%s: %s", option, strerror(code));
    errno = code;
    return -1;
}

/* For IPv4 and IPv6 each; a socket of IPv6 may carry IPv4 too, which has an option of its own. */
static int set_both(skt *s, const char *option, int ipv4, int ipv6, int value)
{
    if (skt_family(s) == AF_INET6 && skt_setsockopt_int(s, IPPROTO_IPV6, ipv6, value) < 0)
        return trouble(option);
    if (skt_setsockopt_int(s, IPPROTO_IP, ipv4, value) < 0 && skt_family(s) == AF_INET)
        return trouble(option);
    return 0;
}

static int set_ttl(skt *s, int hops)
{
    if (set_both(s, "ttl", IP_TTL, IPV6_UNICAST_HOPS, hops) < 0)
        return -1;
    return skt_type(s) == SOCK_DGRAM ? set_both(s, "ttl", IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, hops) : 0;
}

static int set_interface(skt *s, const char *name)
{
    if (skt_if_nametoindex(name) == 0) {
        cmd_say("--interface: there is no '%s'", name);
        errno = ENODEV;
        return -1;
    }
    return skt_setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ? trouble("interface") : 0;
}

static int set_buffer(skt *s, const char *option, int number, int64_t size)
{
    int value =
        size > INT32_MAX / 2 ? INT32_MAX / 2 : (int)size; /* the kernel doubles it, and has a limit of its own */
    return skt_setsockopt_int(s, SOL_SOCKET, number, value) < 0 ? trouble(option) : 0;
}

static int set_by_name(skt *s, const struct cmd_list *list)
{
    struct cmd_sockopt_setting setting;
    for (size_t i = 0; i < list->n; i++)
        if (cmd_read_sockopt(list->items[i], &setting) != 0 || cmd_set_sockopt(s, &setting) != 0)
            return -1;
    return 0;
}

int cmd_prepare(skt *s, const struct cmd_settings *settings)
{
    if (settings->interface && set_interface(s, settings->interface) < 0)
        return -1;
    if (settings->ttl && set_ttl(s, settings->ttl) < 0)
        return -1;
    if (settings->dscp >= 0 && set_both(s, "dscp", IP_TOS, IPV6_TCLASS, settings->dscp << 2) < 0)
        return -1;
    if (settings->send_buffer && set_buffer(s, "send-buffer", SO_SNDBUF, settings->send_buffer) < 0)
        return -1;
    if (settings->receive_buffer && set_buffer(s, "receive-buffer", SO_RCVBUF, settings->receive_buffer) < 0)
        return -1;
    return set_by_name(s, &settings->socket_options);
}
