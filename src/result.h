/* result.h - text that a call gives back in its caller's buffer. */
#ifndef SKTI_RESULT_H
#define SKTI_RESULT_H

#include <skt.h>

/* Whether buf can hold anything: 0, or -1 with the record. */
int skti_result_room(const char *call, const char *buf, size_t len);

/* Copies text with its NUL: 0, or -1 with ENAMETOOLONG. */
int skti_result(const char *call, const char *text, char *buf, size_t len);

#endif
