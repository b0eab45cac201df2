/* address.c - ADDRESS on the command line: which kind of socket it is for, and
 * where.  One row for each scheme. */
#include "cmd.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct cmd_scheme {
    const char *prefix;
    int type;
    int (*read)(struct cmd_address *address, const char *rest); /* rest: what stands behind the prefix */
    const char *form, *line;                                    /* for the help */
};

/* ---- Host and port ---- */

/* A number or a service's name. */
static int read_port(struct cmd_address *address, const char *text)
{
    const char *proto = address->type == SOCK_DGRAM ? "udp" : "tcp";
    char *end;
    long port = strtol(text, &end, 10);
    if (!*text)
        return cmd_misuse("'%s' has no port; write host:port", address->text);
    if (isdigit((unsigned char)*text) && !*end) {
        if (port > 65535)
            return cmd_misuse("'%s': a port is 0 to 65535, not %s", address->text, text);
        address->port = (int)port;
        return 0;
    }
    address->port = skt_getservbyname(text, proto);
    if (address->port < 0)
        return cmd_misuse("'%s': '%s' is neither a port nor a %s service", address->text, text, proto);
    return 0;
}

/* A host of len bytes, an IPv6 address maybe in brackets; "*" and nothing are every
 * address. */
static int read_host(struct cmd_address *address, const char *host, size_t len)
{
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= sizeof address->host)
        return cmd_misuse("the host in '%.40s...' is too long", address->text);
    memcpy(address->host, host, len);
    address->host[len] = '\0';
    if (!strcmp(address->host, "*"))
        address->host[0] = '\0';
    address->ip = true;
    return 0;
}

/* host:port, [IPv6 address]:port */
static int read_ip(struct cmd_address *address, const char *rest)
{
    const char *colon = strrchr(rest, ':');
    if (!colon || strchr(colon, ']'))
        return cmd_misuse("'%s' has no port; write host:port, or [address]:port", address->text);
    if (*rest == '[' && colon[-1] != ']')
        return cmd_misuse("'%s': an IPv6 address in brackets, then the port: [::1]:80", address->text);
    if (*rest != '[' && memchr(rest, ':', (size_t)(colon - rest)))
        return cmd_misuse("'%s': an IPv6 address stands in brackets: [::1]:80", address->text);
    int status = read_host(address, rest, (size_t)(colon - rest));
    return status ? status : read_port(address, colon + 1);
}

/* ---- Others ---- */

/* The text form of the library, which complains of what is wrong with it when the
 * address is used. */
static int read_library_form(struct cmd_address *address, const char *prefix, const char *rest)
{
    char text[SKT_ADDR_TEXT_MAX];
    if (!*rest)
        return cmd_misuse("'%s': something has to follow the colon", address->text);
    if ((size_t)snprintf(text, sizeof text, "%s%s", prefix, rest) >= sizeof text)
        return cmd_misuse("'%.40s...' is too long", address->text);
    address->addr = skt_addr_parse(text);
    return 0;
}

static int read_path(struct cmd_address *address, const char *rest)
{
    return read_library_form(address, "unix:", rest);
}

static int read_abstract(struct cmd_address *address, const char *rest)
{
    return read_library_form(address, "unix-abstract:", rest);
}

/* cid:port; "*" or nothing is every cid. */
static int read_vsock(struct cmd_address *address, const char *rest)
{
    const char *colon = strchr(rest, ':');
    char form[64];
    if (!colon || strlen(rest) >= sizeof form - 12)
        return cmd_misuse("'%s': write vsock://cid:port", address->text);
    if (colon == rest || (colon == rest + 1 && *rest == '*'))
        snprintf(form, sizeof form, "%u,%s", UINT32_MAX, colon + 1);
    else
        snprintf(form, sizeof form, "%.*s,%s", (int)(colon - rest), rest, colon + 1);
    return read_library_form(address, "vsock:", form);
}

/* A descriptor that our parent has opened. */
static int read_fd(struct cmd_address *address, const char *rest)
{
    int listening = 0;
    socklen_t len = sizeof address->type;
    char *end;
    long fd = strtol(rest, &end, 10);
    if (!isdigit((unsigned char)*rest) || *end || fd > 1 << 20)
        return cmd_misuse("'%s': write fd: and the number of a descriptor", address->text);
    if (fcntl((int)fd, F_GETFD) < 0)
        return cmd_misuse("'%s': there is no descriptor %ld", address->text, fd);
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &address->type, &len) < 0)
        return cmd_misuse("'%s': descriptor %ld is no socket", address->text, fd);
    len = sizeof listening;
    if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
        listening = 0;
    address->fd = (int)fd;
    address->listening = listening != 0;
    return 0;
}

static int read_stdio(struct cmd_address *address, const char *rest)
{
    if (*rest)
        return cmd_misuse("'%s' is no address; - alone is standard input and output", address->text);
    address->stdio = true;
    return 0;
}

/* ---- The table ---- */

static const struct cmd_scheme schemes[] = {
    { "tcp://", SOCK_STREAM, read_ip, "tcp://host:port", "TCP; also written host:port or host port" },
    { "udp://", SOCK_DGRAM, read_ip, "udp://host:port", "UDP" },
    { "unix:", SOCK_STREAM, read_path, "unix:/path", "a Unix stream socket" },
    { "unix-dgram:", SOCK_DGRAM, read_path, "unix-dgram:/path", "a Unix datagram socket" },
    { "unix-seqpacket:", SOCK_SEQPACKET, read_path, "unix-seqpacket:/path", "a Unix socket of whole messages" },
    { "unix-abstract:", SOCK_STREAM, read_abstract, "unix-abstract:name", "a Unix stream socket without a file; also" },
    { "unix-abstract-dgram:", SOCK_DGRAM, read_abstract, "", "unix-abstract-dgram: and unix-abstract-seqpacket:" },
    { "unix-abstract-seqpacket:", SOCK_SEQPACKET, read_abstract, NULL, NULL },
    { "vsock://", SOCK_STREAM, read_vsock, "vsock://cid:port", "between a virtual machine and its host" },
    { "fd:", SOCK_STREAM, read_fd, "fd:3", "a socket that skt was started with" },
    { "-", SOCK_STREAM, read_stdio, "-", "standard input and output (relay only)" },
};

void cmd_print_schemes(void)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (schemes[i].form)
            printf("  %-22s %s\n", schemes[i].form, schemes[i].line);
}

const char *cmd_scheme_prefix(size_t i)
{
    return i < COUNT(schemes) ? schemes[i].prefix : NULL;
}

static int unknown_scheme(const char *text)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%.*s", (int)(strcspn(text, ":") + strspn(strpbrk(text, ":"), ":/")), text);
    const char *nearest = cmd_nearest(prefix, cmd_scheme_prefix);
    if (nearest)
        return cmd_misuse("no address begins with '%s'; did you mean '%s'?", prefix, nearest);
    return cmd_misuse("no address begins with '%s'; skt help address lists what there is", prefix);
}

static int read_one(const char *text, struct cmd_address *address)
{
    *address = (struct cmd_address){ .text = text, .fd = -1 };
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, len) == 0) {
            address->scheme = &schemes[i];
            address->type = schemes[i].type;
            return schemes[i].read(address, text + len);
        }
    }
    if (*text == '/')
        return cmd_misuse("'%s': a path is written unix:%s", text, text);
    if (strstr(text, ":/")) /* no port begins with a slash */
        return unknown_scheme(text);
    address->scheme = &schemes[0];
    address->type = schemes[0].type;
    return schemes[0].read(address, text);
}

static int read_host_and_port(char **args, struct cmd_address *address)
{
    if (strchr(args[0], '/'))
        return cmd_misuse("'%s' and '%s': either one ADDRESS, or a host and a port", args[0], args[1]);
    *address = (struct cmd_address){ .scheme = &schemes[0], .text = args[0], .type = schemes[0].type, .fd = -1 };
    int status = read_host(address, args[0], strlen(args[0]));
    address->text = args[1];
    return status ? status : read_port(address, args[1]);
}

static int check_options(const struct cmd_settings *settings, const struct cmd_address *address)
{
    if (address->ip)
        return 0;
    if (settings->family != AF_UNSPEC)
        return cmd_misuse("'%s': -4 and -6 are for hosts", address->text);
    if (settings->source || settings->interface || settings->ttl || settings->dscp >= 0)
        return cmd_misuse("'%s': --source, --interface, --ttl and --dscp are for hosts", address->text);
    return 0;
}

int cmd_read_one_address(const struct cmd_settings *settings, const char *text, struct cmd_address *address)
{
    int status = read_one(text, address);
    return status ? status : check_options(settings, address);
}

int cmd_read_address(const struct cmd_settings *settings, int n, char **args, struct cmd_address *address)
{
    if (n == 0)
        return cmd_misuse("an ADDRESS is missing, such as tcp://localhost:8080; see skt help address");
    if (n > 2)
        return cmd_misuse("too many arguments: one ADDRESS, or a host and a port; see skt help address");
    int status = n == 1 ? read_one(args[0], address) : read_host_and_port(args, address);
    if (status == 0 && address->stdio)
        return cmd_misuse("'-': standard input and output are nobody's address here");
    return status ? status : check_options(settings, address);
}

/* An inherited socket's scheme, where we know one. */
static const char *prefix_of(const struct cmd_address *address, const skt_addr *addr)
{
    bool ip = addr->family == AF_INET || addr->family == AF_INET6;
    if (address->fd < 0)
        return address->scheme->prefix;
    return !ip ? "" : address->type == SOCK_DGRAM ? "udp://" : "tcp://";
}

void cmd_address_of(const struct cmd_address *address, skt *s, char *buf, size_t len)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    if ((address->ip || address->fd >= 0) && skt_getsockname(s, &addr) == 0)
        snprintf(buf, len, "%s%s", prefix_of(address, &addr), skt_addr_text(&addr, text, sizeof text));
    else
        snprintf(buf, len, "%s", address->text);
}

ssize_t cmd_look_up(const struct cmd_address *address, const struct cmd_settings *settings, int flags,
                    skt_addrinfo **list)
{
    char port[8];
    snprintf(port, sizeof port, "%d", address->port);
    return skt_getaddrinfo(*address->host ? address->host : NULL, port, settings->family, address->type, 0, flags,
                           settings->timeout, list);
}
