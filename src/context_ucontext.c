/* context_ucontext.c - see context.h: by swapcontext(3), for processors without a file of their own.
 *
 * A saved stack is a ucontext_t on that stack: skti_context puts the first one below top, later
 * ones stand in skti_switch's frame. */
#include "context.h"
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* Where a new stack begins: makecontext(3) passes ints only. */
static void begin(unsigned run_high, unsigned run_low, unsigned arg_high, unsigned arg_low)
{
    void (*run)(void *) = (void (*)(void *))(((uintptr_t)run_high << 16 << 16) | run_low);
    run((void *)(((uintptr_t)arg_high << 16 << 16) | arg_low));
}

static unsigned high(uintptr_t value)
{
    return (unsigned)(value >> 16 >> 16);
}

/* makecontext wants to know how large the stack is, and uses only its end: an amount that every stack here has. */
#define AT_LEAST 2048

void *skti_context(void *top, void (*run)(void *arg), void *arg)
{
    ucontext_t *context = (ucontext_t *)(((uintptr_t)top - sizeof *context) & ~(uintptr_t)63);
    getcontext(context);
    context->uc_stack.ss_sp = (char *)context - AT_LEAST;
    context->uc_stack.ss_size = AT_LEAST;
    context->uc_link = NULL;
    makecontext(context, (void (*)(void))begin, 4, high((uintptr_t)run), (unsigned)(uintptr_t)run, high((uintptr_t)arg),
                (unsigned)(uintptr_t)arg);
    return context;
}

void skti_switch(void **from, void *to)
{
    ucontext_t own, *there = to;
    *from = &own; /* cppcheck-suppress autoVariables ; it is used while this stack rests here */
    pthread_sigmask(SIG_SETMASK, NULL, &there->uc_sigmask); /* not the one of when it was left */
    swapcontext(&own, there);
}
