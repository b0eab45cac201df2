/* host.c - HOST on the command line, whose port may be missing: see host.h. */
#include "host.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>

/* Digits of IPv6 have colons too, but more than one. */
static bool has_port(const char *text)
{
    const char *colon = strchr(text, ':');
    if (strstr(text, ":/") || strstr(text, "]:"))
        return true;
    return *text != '[' && colon && !strchr(colon + 1, ':');
}

static int read_bare(const char *text, struct cmd_address *address)
{
    size_t len = strlen(text);
    *address = (struct cmd_address){ .text = text, .type = SOCK_STREAM, .ip = true, .fd = -1, .port = -1 };
    if (*text == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len >= sizeof address->host)
        return cmd_misuse("the host '%.40s...' is too long", address->text);
    memcpy(address->host, text, len);
    return 0;
}

int cmd_read_host(const struct cmd_settings *settings, int n, char **args, struct cmd_address *address)
{
    int status;
    if (n == 0)
        return cmd_misuse("a HOST is missing, such as example.org or tcp://example.org:80");
    if (n == 1 && !has_port(args[0]))
        status = read_bare(args[0], address);
    else
        status = cmd_read_address(settings, n, args, address);
    if (status == 0 && !address->ip)
        return cmd_misuse("'%s' is no host; write example.org, tcp://example.org:80 or udp://example.org:7",
                          address->text);
    if (status == 0 && !*address->host)
        return cmd_misuse("'%s' names no host", address->text);
    return status;
}

ssize_t cmd_look_up_host(const struct cmd_address *address, const struct cmd_settings *settings, int flags,
                         skt_addrinfo **list)
{
    if (address->port >= 0)
        return cmd_look_up(address, settings, flags, list);
    return skt_getaddrinfo(address->host, NULL, settings->family, address->type, 0, flags, settings->timeout, list);
}

bool cmd_host_is_numeric(const struct cmd_address *address)
{
    return skt_name(address->host, 0).family != AF_UNSPEC;
}

const char *cmd_reason(void)
{
    const skt_error *record = skt_error_record();
    if (record->domain == SKT_ERROR_TIMEOUT)
        return "timed out";
    return record->domain == SKT_ERROR_NAME ? gai_strerror(record->code) : strerror(record->code);
}
