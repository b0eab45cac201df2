/* json.c - results for programs.  We only write, one line at a time: a hundred lines, where a library would be one
 * more thing to have on every machine that builds skt. */
#include "json.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The length of the UTF-8 sequence at s, or 0 if it is none. */
static int sequence(const unsigned char *s)
{
    int len = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    unsigned point = len > 1 ? s[0] & (0x7fU >> len) : s[0];
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    for (int i = 1; i < len; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        point = point << 6 | (s[i] & 0x3f);
    }
    return point < least[len] || point > 0x10ffff || point >> 11 == 27 ? 0 : len; /* 0xd800 ...: surrogates */
}

static void put_string(FILE *file, const char *text)
{
    putc('"', file);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int len = sequence(s);
        if (*s == '"' || *s == '\\')
            fprintf(file, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(file, "\\u%04x", *s);
        else if (len == 0)
            fputs("\\ufffd", file);
        else
            fwrite(s, 1, (size_t)len, file);
        s += len ? len : 1;
    }
    putc('"', file);
}

/* What stands before a value. */
static void begin(struct cmd_json *j, const char *name)
{
    if (j->more)
        fputs(", ", j->file);
    j->more = true;
    if (name) {
        put_string(j->file, name);
        fputs(": ", j->file);
    }
}

/* Outermost, a value is a line. */
static void end(struct cmd_json *j)
{
    if (j->depth > 0)
        return;
    putc('\n', j->file);
    j->more = false;
}

void cmd_json_open(struct cmd_json *j, const char *name, char bracket)
{
    begin(j, name);
    putc(bracket, j->file);
    j->depth++;
    j->more = false;
}

void cmd_json_close(struct cmd_json *j, char bracket)
{
    putc(bracket, j->file);
    j->depth--;
    j->more = true;
    end(j);
}

void cmd_json_text(struct cmd_json *j, const char *name, const char *text)
{
    begin(j, name);
    if (text)
        put_string(j->file, text);
    else
        fputs("null", j->file);
    end(j);
}

void cmd_json_number(struct cmd_json *j, const char *name, double number)
{
    begin(j, name);
    if (isfinite(number))
        fprintf(j->file, "%.9g", number);
    else
        fputs("null", j->file);
    end(j);
}

void cmd_json_integer(struct cmd_json *j, const char *name, int64_t number)
{
    begin(j, name);
    fprintf(j->file, "%" PRId64, number);
    end(j);
}

void cmd_json_bool(struct cmd_json *j, const char *name, bool value)
{
    begin(j, name);
    fputs(value ? "true" : "false", j->file);
    end(j);
}
