/* context_aarch64.S - see context.h.  What a call must keep (AAPCS64): x19 to x29, the link
 * register and the lower halves of v8 to v15.
 *
 *     saved pointer -> x19 x20 ... x29 x30, d8 ... d15: 160 bytes */
    .text
    .globl  skti_switch
    .hidden skti_switch
    .type   skti_switch, %function
    .p2align 4
skti_switch:
    .cfi_startproc
    sub     sp, sp, #160
    .cfi_adjust_cfa_offset 160
    stp     x19, x20, [sp, #0]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    mov     x9, sp
    str     x9, [x0]
    mov     sp, x1
    ldp     x19, x20, [sp, #0]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    ldp     d8, d9, [sp, #96]
    ldp     d10, d11, [sp, #112]
    ldp     d12, d13, [sp, #128]
    ldp     d14, d15, [sp, #144]
    add     sp, sp, #160
    .cfi_adjust_cfa_offset -160
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size   skti_switch, . - skti_switch

/* void *skti_context(top, run, arg): x19 is run, x20 arg, and x30 `begin`. */
    .globl  skti_context
    .hidden skti_context
    .type   skti_context, %function
    .p2align 4
skti_context:
    .cfi_startproc
    adr     x9, begin
    sub     x0, x0, #160
    stp     x1, x2, [x0, #0]
    stp     xzr, x9, [x0, #80]
    ret
    .cfi_endproc
    .size   skti_context, . - skti_context

/* Where a stack begins: a debugger and an exception stop here. */
    .type   begin, %function
    .p2align 4
begin:
    .cfi_startproc
    .cfi_undefined x30
    mov     x0, x20
    blr     x19
    brk     #1
    .cfi_endproc
    .size   begin, . - begin
    .section .note.GNU-stack, "", %progbits
