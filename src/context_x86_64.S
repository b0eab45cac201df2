/* context_x86_64.S - see context.h.  What a call must keep (System V ABI): rbx, rbp, r12 to r15.
 *
 *     saved pointer -> r15 r14 r13 r12 rbx rbp, return address
 *
 * It ends with a return, not a jump: the processor's return predictor, which knows only the stack that
 * was left, guesses right as long as both stacks stopped in the same place, and mostly they have (13 ns
 * a turn with a jump, 5 with a return). */
    .text
    .globl  skti_switch
    .hidden skti_switch
    .type   skti_switch, @function
    .p2align 4
skti_switch:
    .cfi_startproc
    pushq   %rbp
    .cfi_adjust_cfa_offset 8
    pushq   %rbx
    .cfi_adjust_cfa_offset 8
    pushq   %r12
    .cfi_adjust_cfa_offset 8
    pushq   %r13
    .cfi_adjust_cfa_offset 8
    pushq   %r14
    .cfi_adjust_cfa_offset 8
    pushq   %r15
    .cfi_adjust_cfa_offset 8
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    popq    %r15
    .cfi_adjust_cfa_offset -8
    popq    %r14
    .cfi_adjust_cfa_offset -8
    popq    %r13
    .cfi_adjust_cfa_offset -8
    popq    %r12
    .cfi_adjust_cfa_offset -8
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size   skti_switch, . - skti_switch

/* void *skti_context(top, run, arg): six registers, of which rbx is run and r12 arg, and `begin`
 * as the address to go on at. */
    .globl  skti_context
    .hidden skti_context
    .type   skti_context, @function
    .p2align 4
skti_context:
    .cfi_startproc
    leaq    begin(%rip), %rax
    movq    %rax, -8(%rdi)
    movq    $0, -16(%rdi)           /* rbp: the end of the chain of frames */
    movq    %rsi, -24(%rdi)         /* rbx: run */
    movq    %rdx, -32(%rdi)         /* r12: arg */
    leaq    -56(%rdi), %rax
    ret
    .cfi_endproc
    .size   skti_context, . - skti_context

/* Where a stack begins: a debugger and an exception stop here, since rip is undefined. */
    .type   begin, @function
    .p2align 4
begin:
    .cfi_startproc
    .cfi_undefined %rip
    movq    %r12, %rdi
    callq   *%rbx
    ud2
    .cfi_endproc
    .size   begin, . - begin
    .section .note.GNU-stack, "", @progbits
