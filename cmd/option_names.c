/* option_names.c - socket options by their names: the table, and what may go wrong between a name and
 * the system. */
#include "option_names.h"
#include "cmd.h"
#include "option_kinds.h"
#include "system.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct cmd_sockopt options[] = {
#include "options.inc"
};

static const struct constant {
    const char *name;
    int64_t value;
} constants[] = {
#include "constants.inc"
};

/* ---- Names ---- */

const struct cmd_sockopt *cmd_sockopt_at(size_t i)
{
    return i < COUNT(options) ? &options[i] : NULL;
}

const struct cmd_sockopt *cmd_find_sockopt(const char *name)
{
    for (size_t i = 0; i < COUNT(options); i++)
        if (!strcasecmp(options[i].name, name))
            return &options[i];
    return NULL;
}

static const char *option_name(size_t i)
{
    return i < COUNT(options) ? options[i].name : NULL;
}

static bool begins_with(const char *name, const char *prefix)
{
    return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

const char *cmd_constant_name(const char *prefix, int64_t value)
{
    for (size_t i = 0; i < COUNT(constants); i++)
        if (constants[i].value == value && begins_with(constants[i].name, prefix))
            return constants[i].name;
    return NULL;
}

/* With the prefix or without it. */
int cmd_constant_value(const char *prefix, const char *name, int64_t *value)
{
    for (size_t i = 0; i < COUNT(constants); i++) {
        const struct constant *c = &constants[i];
        if (begins_with(c->name, prefix) &&
            (!strcasecmp(c->name, name) || !strcasecmp(c->name + strlen(prefix), name))) {
            *value = c->value;
            return 0;
        }
    }
    return -1;
}

/* ---- Which sockets ---- */

unsigned cmd_sockopt_sockets(skt *s)
{
    static const struct {
        int family, type, proto; /* -1: any */
        unsigned sockets;
    } rows[] = {
        { AF_INET, -1, -1, FOR_IPV4 },
        { AF_INET6, -1, -1, FOR_IPV6 },
        { AF_INET, -1, IPPROTO_TCP, FOR_TCP },
        { AF_INET6, -1, IPPROTO_TCP, FOR_TCP },
        { AF_INET, -1, 262 /* IPPROTO_MPTCP */, FOR_TCP | FOR_MPTCP },
        { AF_INET6, -1, 262, FOR_TCP | FOR_MPTCP },
        { AF_INET, -1, IPPROTO_UDP, FOR_UDP },
        { AF_INET6, -1, IPPROTO_UDP, FOR_UDP },
        { AF_INET, -1, IPPROTO_UDPLITE, FOR_UDPLITE },
        { AF_INET6, -1, IPPROTO_UDPLITE, FOR_UDPLITE },
        { AF_INET, SOCK_RAW, -1, FOR_RAW },
        { AF_INET6, SOCK_RAW, -1, FOR_RAW },
        { AF_UNIX, -1, -1, FOR_UNIX },
        { AF_PACKET, -1, -1, FOR_PACKET },
        { AF_NETLINK, -1, -1, FOR_NETLINK },
        { AF_VSOCK, -1, -1, FOR_VSOCK },
        { AF_CAN, SOCK_RAW, -1, FOR_CAN },
        { AF_CAN, SOCK_DGRAM, 0, FOR_ISOTP }, /* that is what it says of itself */
        { AF_CAN, SOCK_DGRAM, CAN_ISOTP, FOR_ISOTP },
        { AF_CAN, SOCK_DGRAM, CAN_J1939, FOR_J1939 },
        { AF_TIPC, -1, -1, FOR_TIPC },
        { AF_ALG, -1, -1, FOR_ALG },
        { AF_RDS, -1, -1, FOR_RDS },
    };
    unsigned sockets = FOR_ANY;
    int proto = 0;
    if (skt_getsockopt_int(s, SOL_SOCKET, SO_PROTOCOL, &proto) < 0) /* skt_proto is what was asked for: maybe 0 */
        return 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (skt_family(s) == rows[i].family && (rows[i].type < 0 || rows[i].type == skt_type(s)) &&
            (rows[i].proto < 0 || rows[i].proto == proto))
            sockets |= rows[i].sockets;
    return sockets;
}

/* ---- Setting ---- */

int cmd_sockopt_put(struct cmd_sockopt_value *value, const void *bytes, size_t len)
{
    if (len > sizeof value->bytes)
        return -1;
    memcpy(value->bytes, bytes, len);
    value->len = (socklen_t)len;
    return 0;
}

static const struct cmd_sockopt *find_or_say(const char *name)
{
    const struct cmd_sockopt *option = cmd_find_sockopt(name);
    const char *nearest = option ? NULL : cmd_nearest(name, option_name);
    if (nearest)
        cmd_misuse("no socket option '%s'; did you mean '%s'?", name, nearest);
    else if (!option)
        cmd_misuse("no socket option '%s'; skt options lists what there is", name);
    return option;
}

int cmd_read_sockopt(const char *text, struct cmd_sockopt_setting *setting)
{
    char name[64];
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
        return cmd_misuse("'%.80s' sets no socket option; write NAME=VALUE, such as TCP_NODELAY=1", text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    *setting = (struct cmd_sockopt_setting){ .text = text, .option = find_or_say(name) };
    const struct cmd_sockopt *option = setting->option;
    if (!option)
        return STATUS_USAGE;
    if (!option->writable || !option->kind->parse)
        return cmd_misuse("'%s': %s cannot be set%s", text, option->name,
                          option->readable ? ", only read" : " by a text");
    if (option->kind->parse(option, equals + 1, &setting->value) < 0)
        return cmd_misuse("'%s': %s takes %s", text, option->name, option->kind->form);
    return 0;
}

int cmd_set_sockopt(skt *s, const struct cmd_sockopt_setting *setting)
{
    const struct cmd_sockopt *option = setting->option;
    if (skt_setsockopt(s, option->level, option->number, setting->value.bytes, setting->value.len) == 0)
        return 0;
    if (errno == ENOPROTOOPT || errno == EOPNOTSUPP)
        cmd_say("cannot set %s: this kind of socket, or this system, does not have it", setting->text);
    else
        cmd_say("cannot set %s: %m", setting->text);
    return STATUS_FAILED;
}

/* ---- Getting ---- */

int cmd_get_sockopt(skt *s, const struct cmd_sockopt *option, struct cmd_sockopt_value *value)
{
    *value = (struct cmd_sockopt_value){ .len = option->kind->size };
    if (!value->len)
        value->len = sizeof value->bytes - 1; /* a NUL follows text */
    return skt_getsockopt(s, option->level, option->number, value->bytes, &value->len);
}

char *cmd_sockopt_text(const struct cmd_sockopt *option, const struct cmd_sockopt_value *value, char *buf, size_t len)
{
    option->kind->format(option, value, buf, len);
    return buf;
}

void cmd_sockopt_json(const struct cmd_sockopt *option, const struct cmd_sockopt_value *value, struct cmd_json *j,
                      const char *name)
{
    char text[1024];
    if (option->kind->json)
        option->kind->json(value, j, name);
    else
        cmd_json_text(j, name, cmd_sockopt_text(option, value, text, sizeof text));
}

const char *cmd_sockopt_trouble(int error)
{
    static const struct {
        int error;
        const char *words;
    } rows[] = {
        { ENOPROTOOPT, NULL },      { EOPNOTSUPP, NULL },        { EINVAL, "not now" }, { ENOTCONN, "not connected" },
        { EPERM, "not permitted" }, { EACCES, "not permitted" }, { ENODATA, "nobody" }, { ENOENT, "nothing" },
        { ERANGE, "too long" },     { ESRCH, "nobody" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].error == error)
            return rows[i].words;
    return strerror(error);
}
