/* json.h - results for programs (--json), written as they come.
 *
 *     struct cmd_json j = { .file = stdout };
 *     cmd_json_open(&j, NULL, '{');
 *     cmd_json_text(&j, "host", "::1");
 *     cmd_json_open(&j, "rtt", '[');
 *     cmd_json_number(&j, NULL, 0.25);
 *     cmd_json_close(&j, ']');
 *     cmd_json_close(&j, '}');              {"host": "::1", "rtt": [0.25]} and a newline
 *
 * Each text is one line, so that a program can read a stream of them.  name is NULL inside [ ] and for the outermost.
 * Times are seconds, sizes bytes, rates bytes per second; names are written with_underscores. */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cmd_json {
    FILE *file;
    int depth;
    bool more; /* something stands before, at this depth */
};

void cmd_json_open(struct cmd_json *j, const char *name, char bracket);
void cmd_json_close(struct cmd_json *j, char bracket);

/* NULL is written as null.  What is not UTF-8 becomes U+FFFD. */
void cmd_json_text(struct cmd_json *j, const char *name, const char *text);

/* What JSON has no number for (NaN, infinity) is null. */
void cmd_json_number(struct cmd_json *j, const char *name, double number);
void cmd_json_integer(struct cmd_json *j, const char *name, int64_t number);
void cmd_json_bool(struct cmd_json *j, const char *name, bool value);

#endif
