/* context.h - stacks that a thread can change between: the one piece that differs by processor.
 *
 * context_x86_64.S and context_aarch64.S save the registers that a call must keep
 * and change the stack pointer, in about ten instructions; context_ucontext.c does it with
 * swapcontext(3), at two system calls a switch, for every other processor.
 * The signal mask and the floating-point environment (rounding, exceptions) stay the thread's; only swapcontext(3) of
 * some C libraries keeps the latter for each stack. */
#ifndef SKTI_CONTEXT_H
#define SKTI_CONTEXT_H

/* Prepares the stack that ends below top (aligned to 16) so that the first skti_switch to the
 * result calls run(arg), which must not return. */
void *skti_context(void *top, void (*run)(void *arg), void *arg);

/* Leaves the running stack, remembering it in *from, and goes on where `to` was left. */
void skti_switch(void **from, void *to);

#endif
