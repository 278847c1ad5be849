/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From QEMU's -kernel to C: the PVH entry in 32-bit protected mode, long mode with the first 4 GiB mapped one to one,
 * and the exception vectors. Sources: xen/include/public/arch-x86/hvm/start_info.h and elfnote.h for the entry; Intel
 * SDM volume 3, 10.8.5 for the way into long mode.
 */
#define WAKING_COPY 0x9100 /* as in suspend.c */

    .section .note.pvh, "a", @note
    .balign 4
    .long 4             /* size of the name */
    .long 8             /* size of the value */
    .long 18            /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad pvh_entry

    .text
    .code32
    .globl pvh_entry
pvh_entry:
    cli
    cld
    movl %ebx, %ebp     /* the start information */

    /* Zeroed here as well as by the loader: after a reset nothing of the run before may show. */
    movl $bss_start, %edi
    movl $bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl

    movl $(pdpt + 3), pml4
    movl $(page_directories + 3), %eax
    movl $pdpt, %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b

    movl $0x83, %eax    /* present, writable, 2 MiB */
    movl $page_directories, %edi
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $stack_top, %esp
    call enter_long_mode
    ljmp $8, $long_mode

/* With paging, by the tables above; the caller is still in a 32-bit segment. */
enter_long_mode:
    movl %cr4, %eax
    orl $0x20, %eax     /* PAE */
    movl %eax, %cr4
    movl $pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax    /* EFER.LME */
    wrmsr
    movl %cr0, %eax
    andl $0x9fffffff, %eax /* caches on */
    orl $0x80000001, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ret

/* void suspend_until_woken(uint16_t port, uint16_t value, void *copy) */
    .code64
    .globl suspend_until_woken
suspend_until_woken:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, asleep_stack
    movl %edi, %r8d
    movl %esi, %eax
    movq %rdx, %rdi
    movl $image_start, %esi
    movl $image_end, %ecx
    subl %esi, %ecx
    cld
    rep movsb
    movl %r8d, %edx
    outw %ax, %dx
1:  cli
    hlt
    jmp 1b

/* Copied below 1 MiB: the firmware calls it in real mode. */
    .code16
    .globl waking_code
waking_code:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl waking_gdt_pointer - waking_code
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $24, $woken_protected
waking_gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
    .globl waking_code_end
waking_code_end:

    .code32
woken_protected:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl WAKING_COPY, %esi
    movl $image_start, %edi
    movl $image_end, %ecx
    subl %edi, %ecx
    cld
    rep movsb
    movl $waking_stack, %esp
    call enter_long_mode
    ljmp $8, $woken
    .code64
woken:
    movq asleep_stack, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

    .code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $stack_top, %esp
    movl %ebp, %edi
    call guest_main
1:  cli
    hlt
    jmp 1b

/*
 * Where other processors start, in real mode: a copy of ap_start .. ap_end at the beginning of a page of low memory.
 * Then as above, with a stack of their own.
 */
    .globl ap_start, ap_end, ap_count
    .code16
ap_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl ap_gdt_pointer - ap_start
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $24, $ap_protected
    .balign 4
ap_gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
ap_end:

    .code32
ap_protected:
    movl $16, %eax
    movl %eax, %ds
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl $pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    andl $0x9fffffff, %eax
    orl $0x80000001, %eax
    movl %eax, %cr0
    ljmp $8, $ap_long_mode

    .code64
ap_long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $1, %edi
    lock xaddl %edi, ap_count
    incl %edi           /* its number; the first processor is 0 */
    movl %edi, %esp
    shll $12, %esp
    addl $ap_stacks, %esp
    call ap_main
1:  cli
    hlt
    jmp 1b

/* One 16-byte entry for each of the processor's exceptions; those that push no error code get a zero. */
    .balign 16
    .globl exception_vectors
exception_vectors:
    vector = 0
    .rept 32
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    jmp exception
    vector = vector + 1
    .endr

exception:
    popq %rdi           /* vector */
    popq %rsi           /* error code */
    popq %rdx           /* instruction pointer */
    movq %cr2, %rcx
    andq $-16, %rsp
    call exception_report

    .section .rodata
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 8: 64-bit code */
    .quad 0x00cf93000000ffff /* 16: data */
    .quad 0x00cf9b000000ffff /* 24: 32-bit code */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt

    .bss
    .balign 4096
    .globl pml4
pml4:
    .skip 4096
    .globl pdpt
pdpt:
    .skip 4096
    .globl page_directories
page_directories:
    .skip 4 * 4096
    .skip 16384
stack_top:
ap_stacks:
    .skip 16 * 4096
ap_count:
    .skip 4
    .balign 16
asleep_stack:
    .skip 8
    .skip 64
waking_stack:

    .section .note.GNU-stack, "", @progbits
