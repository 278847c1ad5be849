/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The headers of a PE32+ image of one section, by hand: linkers for ELF make none. Source: PE format, Microsoft. */
    .section .head, "ax"
head:
    .ascii "MZ"
    .org head + 0x3c
    .long pe - head
pe:
    .ascii "PE\0\0"
    .short 0x8664       /* x86-64 */
    .short 1            /* sections */
    .long 0, 0, 0
    .short sections - optional
    .short 0x206        /* executable, without symbols */
optional:
    .short 0x20b        /* PE32+ */
    .short 0
    .long image_size - 0x1000, 0, 0
    .long entry - head
    .long 0x1000        /* code */
    .quad 0             /* may be loaded anywhere: nothing needs relocation */
    .long 0x1000, 0x200 /* alignment in memory and in the file */
    .short 0, 0, 0, 0, 0, 0
    .long 0
    .long image_size
    .long 0x1000        /* headers */
    .long 0
    .short 10           /* EFI application */
    .short 0
    .quad 0, 0, 0, 0
    .long 0, 6
    .quad 0, 0, 0, 0, 0, 0
sections:
    .ascii ".text\0\0\0"
    .long image_size - 0x1000, 0x1000, image_size - 0x1000, 0x1000
    .long 0, 0, 0
    .long 0xe0000020    /* code: read, write, execute */

    .text
    .globl entry
entry:
    jmp efi_main

/* edi: the start information; esi: where to. */
    .globl descend_start, descend_end
descend_start:
    leaq segments(%rip), %rax
    subq $16, %rsp
    movw $23, (%rsp)
    movq %rax, 2(%rsp)
    lgdt (%rsp)
    leaq compatible(%rip), %rax
    pushq $8
    pushq %rax
    lretq
    .code32
compatible:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %cr0, %eax
    andl $0x7fffffff, %eax /* no paging */
    movl %eax, %cr0
    movl $0xc0000080, %ecx
    rdmsr
    andl $0xfffffeff, %eax /* no EFER.LME */
    wrmsr
    movl %edi, %ebx
    jmp *%esi
    .code64
    .balign 8
segments:
    .quad 0
    .quad 0x00cf9b000000ffff /* 8: 32-bit code */
    .quad 0x00cf93000000ffff /* 16: data */
descend_end:

    .section .note.GNU-stack, "", @progbits
