/* turns.h - the order in which a host's addresses are tried. */
#ifndef SKTI_TURNS_H
#define SKTI_TURNS_H

#include <stddef.h>

/* Makes the families of n rows of `size` bytes take turns, beginning with the first row's; within a family
 * the order stays (RFC 8305, section 4).  family: that of a row. */
void skti_take_turns(void *rows, size_t n, size_t size, int (*family)(const void *row));

#endif
