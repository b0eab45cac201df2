/* options.h - the table of options, for those that read it, print it, and complete it. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "cmd.h"

/* What an option's value is, and with it what becomes of its field in struct cmd_settings. */
enum option_kind {
    OPTION_FLAG,   /* bool: becomes true; the option has no value */
    OPTION_TIME,   /* double: seconds */
    OPTION_SIZE,   /* int64_t: bytes, or bytes per second */
    OPTION_NUMBER, /* int: from least to most */
    OPTION_TEXT,   /* const char * */
    OPTION_WORD,   /* int: which of words */
    OPTION_LIST,   /* struct cmd_list: the option may be given several times */
    OPTION_REST,   /* char **: all that follows, a program and its arguments, until NULL */
    OPTION_OTHER,  /* set() sees to it */
};

struct cmd_option {
    char letter; /* or 0 */
    const char *name;
    const char *value; /* what is to follow it, or NULL */
    enum option_kind kind;
    unsigned field; /* where in struct cmd_settings */
    const char *help;
    int least, most;          /* OPTION_NUMBER */
    const char *const *words; /* OPTION_WORD: until NULL */
    int (*set)(struct cmd_settings *settings,
               const char *value); /* OPTION_OTHER: 0, or STATUS_USAGE, having said why */
};

/* The options of a command, in the order of its list, until NULL.  In *shown (may be NULL) how many stand before
 * the bar.  Valid until the next call. */
const struct cmd_option *const *cmd_options_of(const struct command *command, size_t *shown);

#endif
