/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"
#include "port.h"

extern const char exception_vectors[];

static struct {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
} idt[32];

Cpuid cpuid(uint32_t leaf)
{
    Cpuid answer_of_leaf;

    __asm__ volatile("cpuid"
                     : "=a"(answer_of_leaf.eax), "=b"(answer_of_leaf.ebx), "=c"(answer_of_leaf.ecx),
                       "=d"(answer_of_leaf.edx)
                     : "a"(leaf), "c"(0));
    return answer_of_leaf;
}

uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t) high << 32 | low;
}

void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t) value), "d"((uint32_t) (value >> 32)) : "memory");
}

uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t) high << 32 | low;
}

void exceptions_use(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t) idt};

    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void exceptions_init(void)
{
    for (unsigned vector = 0; vector < 32; vector++) {
        uint64_t handler = (uint64_t) exception_vectors + vector * 16;

        idt[vector].offset_low = (uint16_t) handler;
        idt[vector].selector = 8;
        idt[vector].flags = 0x8e00; /* present, interrupt gate */
        idt[vector].offset_middle = (uint16_t) (handler >> 16);
        idt[vector].offset_high = (uint32_t) (handler >> 32);
    }
    exceptions_use();
}

void exception_report(uint64_t vector, uint64_t code, uint64_t address, uint64_t cr2)
{
    out("exception vector=%lu code=0x%lx address=0x%lx cr2=0x%lx\n", vector, code, address, cr2);
    finish("exception", false);
}

void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_reset(void)
{
    port_write8(0xcf9, 0x02);
    port_write8(0xcf9, 0x06);
    port_write8(0x64, 0xfe); /* the keyboard controller's way, for a machine without the port above */
    halt_forever();
}

void finish(const char *result, bool halt)
{
    out("done result=%s\n", result);
    if (!halt)
        port_write16(PM1A_CONTROL, PM1A_SLEEP);
    halt_forever();
}
