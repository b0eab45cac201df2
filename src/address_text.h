/* address_text.h - the small change of reading and writing addresses as text. */
#ifndef SKTI_ADDRESS_TEXT_H
#define SKTI_ADDRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Python's tuple as text: fields between commas, in which %41 stands for a byte. */
#define SKTI_FIELDS 6
struct skti_fields {
    size_t n;
    const char *at[SKTI_FIELDS]; /* decoded, NUL-terminated; "" for those that are missing */
    char copy[512];
};

/* Splits text: false if there are fewer fields than least or more than most, if
 * it is too long, or if a field is not rightly encoded or has a NUL. */
bool skti_split(struct skti_fields *fields, const char *text, size_t least, size_t most);

/* Decimal or 0x hexadecimal, at most max; "" is 0.  false: not such a number. */
bool skti_number(const char *text, uint64_t max, uint64_t *value);

/* skti_number for the fields from first on: false if one is no number up to its max. */
bool skti_numbers(const struct skti_fields *fields, size_t first, size_t n, const uint64_t *max, uint64_t *values);

/* Writes n bytes with those encoded that are not printable or stand in special,
 * cut to len. */
void skti_encode(char *buf, size_t len, const void *data, size_t n, const char *special);

/* Decodes text into at most size bytes: how many, or -1. */
int skti_decode(const char *text, char *buf, size_t size);

/* Two hexadecimal digits a byte; at most size bytes: how many, or -1. */
int skti_unhex(const char *text, unsigned char *buf, size_t size);
void skti_hex(char *buf, size_t len, const unsigned char *data, size_t n);

#endif
