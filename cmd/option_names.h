/* option_names.h - socket options by their names: "TCP_NODELAY=1", what a socket has, and what each means.
 *
 * The rows come from data/options.txt.  They name more options than any one kernel has: whether it knows
 * one is found out by asking it. */
#ifndef CMD_OPTION_NAMES_H
#define CMD_OPTION_NAMES_H

#include "json.h"
#include <skt.h>

/* Kinds of sockets that an option is for; a socket is of several (TCP over IPv4 is FOR_ANY | FOR_TCP | FOR_IPV4). */
enum cmd_sockopt_sockets {
    FOR_ANY = 1 << 0,
    FOR_IPV4 = 1 << 1,
    FOR_IPV6 = 1 << 2,
    FOR_TCP = 1 << 3,
    FOR_MPTCP = 1 << 4,
    FOR_UDP = 1 << 5,
    FOR_UDPLITE = 1 << 6,
    FOR_RAW = 1 << 7,
    FOR_UNIX = 1 << 8,
    FOR_PACKET = 1 << 9,
    FOR_NETLINK = 1 << 10,
    FOR_VSOCK = 1 << 11,
    FOR_CAN = 1 << 12,
    FOR_ISOTP = 1 << 13,
    FOR_J1939 = 1 << 14,
    FOR_TIPC = 1 << 15,
    FOR_ALG = 1 << 16,
    FOR_RDS = 1 << 17,
};

struct cmd_sockopt_kind; /* how a value is written (option_kinds.h) */

struct cmd_sockopt {
    const char *name, *level_name;
    int level, number;
    unsigned sockets; /* FOR_... */
    bool readable, writable;
    const struct cmd_sockopt_kind *kind;
    const char *prefix; /* the int stands for a constant whose name begins so, or "" */
    const char *meaning;
};

/* What an option is, or is to be, set to: as setsockopt(2) takes it. */
struct cmd_sockopt_value {
    _Alignas(8) unsigned char bytes[256];
    socklen_t len;
};

/* The i-th option, NULL after the last. */
const struct cmd_sockopt *cmd_sockopt_at(size_t i);

/* By its name, in capitals or not; NULL.  (Two rows of one name differ only in how the value is read.) */
const struct cmd_sockopt *cmd_find_sockopt(const char *name);

/* The name of the constant with this prefix and value, or NULL; and the other way round: 0, or -1. */
const char *cmd_constant_name(const char *prefix, int64_t value);
int cmd_constant_value(const char *prefix, const char *name, int64_t *value);

/* Of which kinds a socket is: FOR_... */
unsigned cmd_sockopt_sockets(skt *s);

/* ---- Setting: -O NAME=VALUE ---- */

struct cmd_sockopt_setting {
    const char *text; /* as it was written, which has to stay */
    const struct cmd_sockopt *option;
    struct cmd_sockopt_value value;
};

/* Reads "NAME=VALUE".  0, or STATUS_USAGE, having said why. */
int cmd_read_sockopt(const char *text, struct cmd_sockopt_setting *setting);

/* Sets it.  0, or STATUS_FAILED, having said why. */
int cmd_set_sockopt(skt *s, const struct cmd_sockopt_setting *setting);

/* ---- Getting ---- */

/* 0, or -1: errno says why. */
int cmd_get_sockopt(skt *s, const struct cmd_sockopt *option, struct cmd_sockopt_value *value);

/* The value as text: buf. */
char *cmd_sockopt_text(const struct cmd_sockopt *option, const struct cmd_sockopt_value *value, char *buf, size_t len);

/* The value in JSON: a number, true or false where it is one, else the text. */
void cmd_sockopt_json(const struct cmd_sockopt *option, const struct cmd_sockopt_value *value, struct cmd_json *j,
                      const char *name);

/* In a word or two, why an option could not be read: "not connected" ...; NULL: this system does not know it. */
const char *cmd_sockopt_trouble(int error);

#endif
