/* registers_x86_64.S - see registers.h: rdi before, rsi after, rdx call, rcx first, r8 second. */
    .text
    .globl  registers_over
    .type   registers_over, @function
registers_over:
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    pushq   %rsi                    /* and the stack is aligned to 16 */
    movq    0(%rdi), %rbx
    movq    8(%rdi), %rbp
    movq    16(%rdi), %r12
    movq    24(%rdi), %r13
    movq    32(%rdi), %r14
    movq    40(%rdi), %r15
    movq    %rcx, %rdi
    movq    %r8, %rsi
    callq   *%rdx
    popq    %rax
    movq    %rbx, 0(%rax)
    movq    %rbp, 8(%rax)
    movq    %r12, 16(%rax)
    movq    %r13, 24(%rax)
    movq    %r14, 32(%rax)
    movq    %r15, 40(%rax)
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret
    .size   registers_over, . - registers_over
    .section .note.GNU-stack, "", @progbits
