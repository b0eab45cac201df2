/* turns.c - the order in which a host's addresses are tried: in one place, for those who try them and for
 * those who want to know. */
#include "turns.h"
#include <skt.h>
#include <stdbool.h>
#include <string.h>

/* Puts what stands at `to` before what stands at `at`. */
static void move_up(char *at, char *to, size_t size)
{
    char row[sizeof(skt_addrinfo)];
    memcpy(row, to, size);
    memmove(at + size, at, (size_t)(to - at));
    memcpy(at, row, size);
}

void skti_take_turns(void *rows, size_t n, size_t size, int (*family)(const void *row))
{
    char *row = rows;
    size_t next = 1;
    for (size_t i = 1; i < n && next < n; i++) {
        bool wants_first = i % 2 == 0;
        next = i;
        while (next < n && (family(row + next * size) == family(row)) != wants_first)
            next++;
        if (next < n)
            move_up(row + i * size, row + next * size, size);
    }
}

static int family_of(const void *row)
{
    return ((const skt_addrinfo *)row)->family;
}

void skt_connection_order(skt_addrinfo *list, size_t n)
{
    if (list)
        skti_take_turns(list, n, sizeof *list, family_of);
}
