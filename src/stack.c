/* stack.c - stacks for tasks, many to a mapping: see stack.h. */
#include "stack.h"
#include "fibre.h"
#include "sys.h"
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define CHUNK_BYTES ((size_t)16 << 20)
#define MOST_MPROTECTED 16000 /* each splits a mapping in two; the program needs some of its own */
#define CANARY 0x736b745f656e6421ull

enum guard { GUARD_MADVISE, GUARD_MPROTECT, GUARD_CANARY };

struct skti_stack_chunk {
    struct skti_stack_chunk *next;
    char *low;
    size_t size;
};

static size_t page_size(void)
{
    static size_t known; /* by any thread */
    size_t size = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!size) {
        size = (size_t)sysconf(_SC_PAGESIZE);
        __atomic_store_n(&known, size, __ATOMIC_RELAXED);
    }
    return size;
}

void skti_stacks_init(struct skti_stacks *stacks, size_t size)
{
    size_t page = page_size();
    *stacks = (struct skti_stacks){ .size = (size + page - 1) / page * page + page, .guard = GUARD_MADVISE };
}

/* The uppermost words of each stack, above the task. */
struct top {
    void *next; /* while it is free */
    unsigned valgrind_id;
    bool marked; /* at its lower end, for want of a guard page */
};

_Static_assert(sizeof(struct top) <= SKTI_STACK_OWN, "a task lies below it");

static struct top *top_of(void *top)
{
    return (struct top *)top - 1;
}

static bool add_chunk(struct skti_stacks *stacks)
{
    size_t n = CHUNK_BYTES / stacks->size ? CHUNK_BYTES / stacks->size : 1;
    struct skti_stack_chunk *chunk = skti_sys.malloc(sizeof *chunk);
    if (!chunk)
        return false;
    chunk->size = n * stacks->size;
    chunk->low = skti_sys.mmap(chunk->size, PROT_READ | PROT_WRITE);
    if (!chunk->low) {
        skti_sys.free(chunk);
        errno = ENOMEM;
        return false;
    }
    /* A huge page would be two megabytes for a task that needs four kilobytes. */
    skti_sys.madvise(chunk->low, chunk->size, MADV_NOHUGEPAGE);
    chunk->next = stacks->chunks;
    stacks->chunks = chunk;
    stacks->next = chunk->low;
    stacks->end = chunk->low + chunk->size;
    return true;
}

/* Makes the lowest page of a new stack a guard, in the best way that still works. */
static void guard(struct skti_stacks *stacks, char *low)
{
    size_t page = page_size();
    if (stacks->guard == GUARD_MADVISE && skti_sys.madvise(low, page, MADV_GUARD_INSTALL) < 0)
        stacks->guard = GUARD_MPROTECT;
    if (stacks->guard == GUARD_MPROTECT) {
        if (stacks->mprotected < MOST_MPROTECTED && skti_sys.mprotect(low, page, PROT_NONE) == 0)
            stacks->mprotected++;
        else
            stacks->guard = GUARD_CANARY;
    }
    if (stacks->guard == GUARD_CANARY)
        *(uint64_t *)(low + page) = CANARY;
}

void *skti_stack_take(struct skti_stacks *stacks)
{
    if (stacks->free) {
        void *top = stacks->free;
        stacks->free = top_of(top)->next;
        return top;
    }
    int keep = errno;
    if (stacks->next == stacks->end && !add_chunk(stacks))
        return NULL;
    guard(stacks, stacks->next);
    stacks->next += stacks->size;
    *top_of(stacks->next) = (struct top){
        .valgrind_id = skti_fibre_map(skti_stack_low(stacks, stacks->next), stacks->next),
        .marked = stacks->guard == GUARD_CANARY,
    };
    stacks->marked |= top_of(stacks->next)->marked;
    errno = keep;
    return stacks->next;
}

void skti_stack_give(struct skti_stacks *stacks, void *top)
{
    top_of(top)->next = stacks->free;
    stacks->free = top;
}

/* Tells valgrind that the stacks of a chunk are going; the newest chunk may not have given out all. */
static void forget(struct skti_stacks *stacks, struct skti_stack_chunk *chunk)
{
    char *end = chunk == stacks->chunks ? stacks->next : chunk->low + chunk->size;
    for (char *top = chunk->low + stacks->size; top <= end; top += stacks->size)
        skti_fibre_unmap(top_of(top)->valgrind_id);
}

void skti_stacks_destroy(struct skti_stacks *stacks)
{
    for (struct skti_stack_chunk *chunk = stacks->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        forget(stacks, chunk);
        skti_sys.munmap(chunk->low, chunk->size);
        skti_sys.free(chunk);
    }
    skti_stacks_init(stacks, stacks->size - page_size());
}

char *skti_stack_low(const struct skti_stacks *stacks, void *top)
{
    return (char *)top - stacks->size + page_size();
}

bool skti_stack_guards(const struct skti_stacks *stacks, void *top, const void *address)
{
    const char *low = skti_stack_low(stacks, top);
    return (const char *)address < low && (const char *)address >= low - page_size();
}

bool skti_stack_overflowed(const struct skti_stacks *stacks, void *top)
{
    return top_of(top)->marked && *(uint64_t *)skti_stack_low(stacks, top) != CANARY;
}

size_t skti_stack_touched(const struct skti_stacks *stacks, void *top)
{
    unsigned char in_memory[256];
    char *low = skti_stack_low(stacks, top);
    size_t page = page_size(), pages = stacks->size / page - 1;
    for (size_t first = 0; first < pages; first += sizeof in_memory) {
        size_t n = pages - first < sizeof in_memory ? pages - first : sizeof in_memory;
        if (mincore(low + first * page, n * page, in_memory) < 0)
            break;
        for (size_t i = 0; i < n; i++)
            if (in_memory[i] & 1)
                return (pages - first - i) * page;
    }
    return 0;
}
