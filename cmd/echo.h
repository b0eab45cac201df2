/* echo.h - what echo, discard and chargen do with datagrams (echo_datagrams.c). */
#ifndef CMD_ECHO_H
#define CMD_ECHO_H

#include <skt.h>

/* Fills buf with RFC 864's lines of 72 characters, each begun one later, and returns the length: so that the
 * pattern goes on where the buffer is sent again, as much of len as is a whole round of it, if there is room for one.
 */
size_t cmd_chargen_fill(char *buf, size_t len);

/* Each serves a bound socket in a task, until that fails; the exit status, having said why. */
int cmd_echo_datagrams(skt *s);
int cmd_discard_datagrams(skt *s);
int cmd_chargen_datagrams(skt *s);

#endif
