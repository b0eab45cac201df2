/* fibre.h - tells AddressSanitizer, ThreadSanitizer and valgrind of stacks that are not threads'.
 *
 * Without it they take a change of stack for an overflow, lose the history that a race is
 * found by, or report what is no error.  In a build without them nothing is left of it. */
#ifndef SKTI_FIBRE_H
#define SKTI_FIBRE_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKTI_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SKTI_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SKTI_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SKTI_TSAN 1
#endif

#ifdef SKTI_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SKTI_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

/* A stack as the tools know it; lowest address and size are the caller's to fill in (0 for the
 * thread's own, of which they are found at the first change). */
struct skti_fibre {
#if defined(SKTI_ASAN)
    const void *low;
    size_t size;
    void *fake;
#elif defined(SKTI_TSAN)
    void *fibre;
#else
    char none[1];
#endif
};

/* A stack begins to be used, or the running thread's own is to be known. */
static inline void skti_fibre_begin(struct skti_fibre *f, const void *low, size_t size)
{
    (void)f, (void)low, (void)size;
#if defined(SKTI_ASAN)
    f->low = low;
    f->size = size;
    f->fake = NULL;
#elif defined(SKTI_TSAN)
    f->fibre = low ? __tsan_create_fiber(0) : __tsan_get_current_fiber();
#endif
}

static inline void skti_fibre_end(struct skti_fibre *f)
{
    (void)f;
#if defined(SKTI_TSAN)
    __tsan_destroy_fiber(f->fibre);
#endif
}

/* Just before skti_switch; last: `from` ends with it. */
static inline void skti_fibre_leave(struct skti_fibre *from, struct skti_fibre *to, int last)
{
    (void)from, (void)to, (void)last;
#if defined(SKTI_ASAN)
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->low, to->size);
#elif defined(SKTI_TSAN)
    __tsan_switch_to_fiber(to->fibre, 0);
#endif
}

/* Just after it, on the stack that goes on; from: where the change came from. */
static inline void skti_fibre_enter(struct skti_fibre *self, struct skti_fibre *from)
{
    (void)self, (void)from;
#if defined(SKTI_ASAN)
    const void *low;
    size_t size;
    __sanitizer_finish_switch_fiber(self->fake, &low, &size);
    if (from && !from->low) {
        from->low = low;
        from->size = size;
    }
#endif
}

/* valgrind: memory from low to below high is a stack from now on; the result is for skti_fibre_unmap. */
static inline unsigned skti_fibre_map(void *low, void *high)
{
    (void)low, (void)high;
#ifdef VALGRIND_STACK_REGISTER
    return VALGRIND_STACK_REGISTER(low, (char *)high - 1);
#else
    return 0;
#endif
}

/* valgrind: a stack that was used before is written to from outside, where it takes it for left. */
static inline void skti_fibre_reuse(void *low, size_t size)
{
    (void)low, (void)size;
#ifdef VALGRIND_MAKE_MEM_UNDEFINED
    VALGRIND_MAKE_MEM_UNDEFINED(low, size);
#endif
}

static inline void skti_fibre_unmap(unsigned id)
{
    (void)id;
#ifdef VALGRIND_STACK_DEREGISTER
    VALGRIND_STACK_DEREGISTER(id);
#endif
}

#endif
