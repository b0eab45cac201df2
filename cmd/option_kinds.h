/* option_kinds.h - how the values of socket options are written: one kind for each way. */
#ifndef CMD_OPTION_KINDS_H
#define CMD_OPTION_KINDS_H

#include "option_names.h"

struct cmd_sockopt_kind {
    socklen_t size;   /* bytes to ask the system for; 0: as many as there are */
    const char *form; /* what may be written, for the complaint: "TCP_NODELAY takes <form>" */
    /* 0, or -1 for what is not of the form; NULL where nothing can be set. */
    int (*parse)(const struct cmd_sockopt *option, const char *text, struct cmd_sockopt_value *value);
    void (*format)(const struct cmd_sockopt *option, const struct cmd_sockopt_value *value, char *buf, size_t len);
    /* NULL: the text. */
    void (*json)(const struct cmd_sockopt_value *value, struct cmd_json *j, const char *name);
};

/* option_numbers.c */
extern const struct cmd_sockopt_kind kind_bool, kind_errno, kind_hex, kind_int, kind_ms, kind_name, kind_rate, kind_s,
    kind_size, kind_size64, kind_timeval, kind_u64, kind_us;

/* option_structs.c */
extern const struct cmd_sockopt_kind kind_address, kind_address6, kind_blob, kind_group4, kind_group6, kind_interface,
    kind_interface_be, kind_ipv4, kind_linger, kind_list, kind_pidfd, kind_ports, kind_tcp_info, kind_text, kind_ucred;

/* Puts what an option is to be set to. */
int cmd_sockopt_put(struct cmd_sockopt_value *value, const void *bytes, size_t len);

/* The first bytes of a value; what is missing is 0. */
#define SOCKOPT_AS(type, value) (*(const type *)(const void *)(value)->bytes)

#endif
