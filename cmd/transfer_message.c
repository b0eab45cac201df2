/* transfer_message.c - what the lines of a transfer say.  They come from a stranger: what is not exactly right is
 * refused. */
#include "transfer.h"
#include <stdlib.h>
#include <string.h>

const char *transfer_word(const char *line, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(line, word, len) != 0 || (line[len] != ' ' && line[len] != '\0'))
        return NULL;
    return line + len + (line[len] == ' ');
}

/* Copies what stands before the next space to field, and returns what is behind it; NULL if it does not fit. */
static const char *next_field(const char *text, char *field, size_t size)
{
    size_t len = strcspn(text, " ");
    if (len == 0 || len >= size || text[len] != ' ')
        return NULL;
    memcpy(field, text, len);
    field[len] = '\0';
    return text + len + 1;
}

bool transfer_read_number(const char *text, int64_t most, int64_t *number)
{
    int64_t n = 0;
    for (const char *s = text; *s; s++) {
        int digit = *s - '0';
        if (digit < 0 || digit > 9 || digit > most || n > (most - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *number = n;
    return *text != '\0';
}

static bool read_mode(const char *text, unsigned *mode)
{
    if (strlen(text) != 3 || strspn(text, "01234567") != 3)
        return false;
    *mode = (unsigned)strtoul(text, NULL, 8);
    return true;
}

/* SECONDS.NANOSECONDS, nine digits of them, or "-": not known. */
static bool read_mtime(const char *text, struct transfer_file *file)
{
    char seconds[24];
    int64_t s, ns;
    const char *point = strchr(text, '.');
    bool negative = *text == '-';
    file->has_mtime = strcmp(text, "-") != 0;
    if (!file->has_mtime)
        return true;
    if (!point || strlen(point) != 10 || (size_t)(point - text) >= sizeof seconds)
        return false;
    memcpy(seconds, text, (size_t)(point - text));
    seconds[point - text] = '\0';
    if (!transfer_read_number(seconds + negative, INT64_MAX, &s) || !transfer_read_number(point + 1, 999999999, &ns))
        return false;
    file->mtime = (struct timespec){ .tv_sec = negative ? -s : s, .tv_nsec = ns };
    return true;
}

/* The two bytes of UTF-8 for the control characters from 0x80 on, which some terminals obey. */
static bool is_control(const char *s)
{
    unsigned char first = (unsigned char)s[0], second = (unsigned char)s[1];
    return first < ' ' || first == 127 || (first == 0xc2 && second >= 0x80 && second < 0xa0);
}

bool transfer_is_name(const char *name)
{
    for (const char *s = name; *s; s++)
        if (*s == '/' || is_control(s))
            return false;
    return strlen(name) < sizeof((struct transfer_file *)0)->name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool transfer_read_file(const char *text, struct transfer_file *file)
{
    char size[24], mode[8], mtime[40];
    if (!(text = next_field(text, size, sizeof size)) || !(text = next_field(text, mode, sizeof mode)) ||
        !(text = next_field(text, mtime, sizeof mtime)) || !transfer_is_name(text))
        return false;
    file->size = -1;
    snprintf(file->name, sizeof file->name, "%s", text);
    return (!strcmp(size, "-") || transfer_read_number(size, INT64_MAX, &file->size)) && read_mode(mode, &file->mode) &&
           read_mtime(mtime, file);
}

void transfer_write_file(const struct transfer_file *file, char text[static TRANSFER_LINE])
{
    char size[24] = "-", mtime[40] = "-";
    if (file->size >= 0)
        snprintf(size, sizeof size, "%lld", (long long)file->size);
    if (file->has_mtime)
        snprintf(mtime, sizeof mtime, "%lld.%09ld", (long long)file->mtime.tv_sec, file->mtime.tv_nsec);
    snprintf(text, TRANSFER_LINE, "%s %03o %s %s", size, file->mode & 0777, mtime, file->name);
}

bool transfer_is_sha256(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

bool transfer_read_have(const char *text, int64_t *length, char sha256[static 65])
{
    char number[24];
    const char *rest = next_field(text, number, sizeof number);
    if (!rest || !transfer_is_sha256(rest))
        return false;
    memcpy(sha256, rest, 65);
    return transfer_read_number(number, INT64_MAX, length);
}

char *transfer_printable(char *text)
{
    for (char *s = text; *s; s++)
        if (is_control(s)) {
            if ((unsigned char)*s == 0xc2)
                s[1] = '?';
            *s = '?';
        }
    return text;
}
