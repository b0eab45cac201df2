/* terminal.h - what is drawn only where somebody is looking: colours, a live line, bars. */
#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether fd is a terminal that can rewrite a line (TERM=dumb cannot). */
bool cmd_is_terminal(int fd);

/* Columns of fd's terminal; asked each time, so that a change of its size is seen.  80 where nobody knows. */
int cmd_terminal_width(int fd);

/* Whether the locale's encoding is UTF-8 (main calls setlocale). */
bool cmd_has_utf8(void);

enum cmd_colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_DIM, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_BLUE };

/* What switches to the colour on fd: "" unless it is a terminal and NO_COLOR is not set.  COLOUR_NONE switches back. */
const char *cmd_colour(int fd, enum cmd_colour colour);

/* Shows a line on standard error, in the place of the last one, cut to the terminal's width; where standard error is
 * no terminal, nothing.  No colours in it.  cmd_say and cmd_misuse clear it by themselves; before anything else
 * is printed, and at the end, call cmd_status_clear. */
void cmd_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cmd_status_clear(void);

/* Bytes that n columns of a bar or a sparkline take, with the NUL. */
#define CMD_COLUMNS(n) (3 * (size_t)(n) + 1)

/* A bar of so many columns, filled up to fraction (0 to 1); buf has CMD_COLUMNS(columns).  Returns buf. */
char *cmd_bar(char *buf, int columns, double fraction);

/* A column for each of n values, as high as it is between 0 and the greatest; a NaN is a gap. */
char *cmd_sparkline(char *buf, const double *values, size_t n);

#endif
