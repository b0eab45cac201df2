/* registers.h - what is in the registers that a call must keep, before it and after it.
 *
 * In assembly (registers_x86_64.S, registers_aarch64.S): C cannot say which register a value is in. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#if defined(__x86_64__)
#define REGISTERS 6 /* rbx rbp r12 r13 r14 r15 */
#elif defined(__aarch64__)
#define REGISTERS 19 /* x19 ... x29, d8 ... d15 */
#endif

#ifdef REGISTERS
/* Puts before[] into the registers, calls call(first, second), and what is in them then into after[]. */
void registers_over(const uint64_t *before, uint64_t *after, void (*call)(void *first, void *second), void *first,
                    void *second);
#endif

#endif
