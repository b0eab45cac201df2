/* address_text.c - reading and writing addresses as text: see address_text.h. */
#include "address_text.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_byte(const char *text)
{
    int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
    return low < 0 ? -1 : high * 16 + low;
}

int skti_decode(const char *text, char *buf, size_t size)
{
    size_t n = 0;
    for (; *text; text++, n++) {
        int byte = (unsigned char)*text;
        if (byte == '%') {
            if ((byte = hex_byte(text + 1)) < 0)
                return -1;
            text += 2;
        }
        if (n == size)
            return -1;
        buf[n] = (char)byte;
    }
    return (int)n;
}

void skti_encode(char *buf, size_t len, const void *data, size_t n, const char *special)
{
    const unsigned char *byte = data;
    size_t used = 0;
    if (len > 0)
        *buf = '\0';
    for (size_t i = 0; i < n && used + 1 < len; i++) {
        bool plain = byte[i] > ' ' && byte[i] != 127 && byte[i] != '%' && !strchr(special, byte[i]);
        snprintf(buf + used, len - used, plain ? "%c" : "%%%02x", byte[i]);
        used += plain ? 1 : 3;
    }
}

bool skti_split(struct skti_fields *fields, const char *text, size_t least, size_t most)
{
    char *out = fields->copy;
    fields->n = 0;
    for (size_t i = 0; i < SKTI_FIELDS; i++)
        fields->at[i] = "";
    if (strlen(text) >= sizeof fields->copy)
        return false;
    do {
        char field[sizeof fields->copy];
        size_t len = strcspn(text, ",");
        memcpy(field, text, len);
        field[len] = '\0';
        int n = skti_decode(field, out, sizeof field - 1);
        if (fields->n == most || n < 0 || memchr(out, '\0', (size_t)n))
            return false;
        out[n] = '\0';
        fields->at[fields->n++] = out;
        out += n + 1;
        text += len;
    } while (*text++ == ',');
    return fields->n >= least;
}

bool skti_number(const char *text, uint64_t max, uint64_t *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end = NULL;
    *value = 0;
    if (!*text)
        return true;
    if (!isxdigit((unsigned char)(hex ? text[2] : text[0])))
        return false;
    errno = 0;
    *value = strtoull(text, &end, hex ? 16 : 10);
    return !*end && errno == 0 && *value <= max;
}

bool skti_numbers(const struct skti_fields *fields, size_t first, size_t n, const uint64_t *max, uint64_t *values)
{
    for (size_t i = 0; i < n; i++)
        if (!skti_number(fields->at[first + i], max[i], &values[i]))
            return false;
    return true;
}

int skti_unhex(const char *text, unsigned char *buf, size_t size)
{
    size_t n = 0;
    for (; *text; text += 2, n++) {
        int byte = hex_byte(text);
        if (byte < 0 || n == size)
            return -1;
        buf[n] = (unsigned char)byte;
    }
    return (int)n;
}

void skti_hex(char *buf, size_t len, const unsigned char *data, size_t n)
{
    if (len > 0)
        *buf = '\0';
    for (size_t i = 0; i < n && 2 * i + 1 < len; i++)
        snprintf(buf + 2 * i, len - 2 * i, "%02x", data[i]);
}
