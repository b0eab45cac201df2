/* stack.h - stacks for tasks, by the hundred thousand.
 *
 * Many stacks share one mapping, since the kernel allows a process 65530 of them
 * (vm.max_map_count).  Below each is a guard page, so that an overflow is a fault and not silent corruption:
 *
 *     chunk:  |guard| ... stack 0 ... |guard| ... stack 1 ... |guard| ...
 *              ^low                   ^ top of 0
 *
 * MADV_GUARD_INSTALL (Linux 6.13) makes guards that split no mapping; before it mprotect(2)
 * does, for as many stacks as leave room in the kernel's count; then a value at the lower end shows
 * afterwards that a stack was too small. */
#ifndef SKTI_STACK_H
#define SKTI_STACK_H

#include <stdbool.h>
#include <stddef.h>

#define SKTI_STACK_OWN 16 /* bytes at the upper end of each stack that are stack.c's own */

struct skti_stacks {
    size_t size; /* of each, with its guard page */
    struct skti_stack_chunk *chunks;
    char *next, *end;  /* what the newest chunk has left */
    void *free;        /* list of stacks given back, linked through the word below their tops */
    int guard;         /* how the next is guarded */
    bool marked;       /* some are only marked at their lower end: skti_stack_overflowed tells */
    size_t mprotected; /* how many are by mprotect */
};

/* Stacks of at least so many bytes each, of which no more are used than a task touches. */
void skti_stacks_init(struct skti_stacks *stacks, size_t size);

/* A stack: the address above its highest byte, aligned to a page; NULL with errno. */
void *skti_stack_take(struct skti_stacks *stacks);

/* Gives one back, for the next that is taken: its uppermost pages stay. */
void skti_stack_give(struct skti_stacks *stacks, void *top);

/* Unmaps them all. */
void skti_stacks_destroy(struct skti_stacks *stacks);

/* The lowest usable byte. */
char *skti_stack_low(const struct skti_stacks *stacks, void *top);

/* Whether an address is in the guard page of that stack. */
bool skti_stack_guards(const struct skti_stacks *stacks, void *top, const void *address);

/* Whether the stack has overflowed, as far as a value at its lower end tells. */
bool skti_stack_overflowed(const struct skti_stacks *stacks, void *top);

/* Bytes from the top down to the lowest page that was touched. */
size_t skti_stack_touched(const struct skti_stacks *stacks, void *top);

#endif
