/* units.h - numbers, times and sizes as people write and read them. */
#ifndef CMD_UNITS_H
#define CMD_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* A whole number, decimal or 0x..., between two others.  0, or -1. */
int cmd_parse_integer(const char *text, int64_t least, int64_t most, int64_t *number);

/* "2", "1.5s", "500ms", "20us", "3m", "1h": at most 1e9 of its unit.  0, or -1. */
int cmd_parse_time(const char *text, double *seconds);

/* "1500", "64k", "1.5M", "2G", "1T": powers of 1024, with or without a B behind them; a rate is
 * bytes per second in the same form, "/s" behind it or not.  0, or -1 (also if it is more than an int64_t). */
int cmd_parse_size(const char *text, int64_t *bytes);

/* Bytes that are enough for each of the texts below. */
#define CMD_UNITS_TEXT 32

/* "0 B", "999 B", "1.50 KiB", "12.3 MiB", "117 GiB".  All return buf. */
char *cmd_size_text(double bytes, char buf[static CMD_UNITS_TEXT]);

/* The same and "/s". */
char *cmd_rate_text(double bytes_per_second, char buf[static CMD_UNITS_TEXT]);

/* "850 ns", "12.3 us", "1.50 ms", "2.00 s", "3:05" (minutes), "2:03:05" (hours). */
char *cmd_time_text(double seconds, char buf[static CMD_UNITS_TEXT]);

#endif
