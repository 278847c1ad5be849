/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source: Hypervisor Top Level Functional Specification, chapters "Feature and Interface Discovery" and "Hypercall
 * Interface". */
#include "guest.h"

#define MSR_GUEST_OS_ID 0x40000000
#define MSR_HYPERCALL 0x40000001
#define INTERFACE_HV1 0x31237648 /* "Hv#1" */
#define EXTENDED_HYPERCALLS (1u << 20)

bool hv_present;
static bool amd;
static uint8_t hypercall_page[PAGE_SIZE] __attribute__((aligned(4096)));

static void copy_text(char *to, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++) {
        char c = (char) (word >> 8 * i);

        to[i] = c > ' ' && c <= '~' ? c : '.';
    }
}

void hv_detect(void)
{
    Cpuid vendor = cpuid(0), leaf = {0};
    char name[13] = "";
    uint32_t features = 0;

    amd = vendor.ebx == 0x68747541 || vendor.ebx == 0x6f677948; /* "Auth", "Hygo" */
    if ((cpuid(1).ecx & 1u << 31) != 0) {
        leaf = cpuid(0x40000000);
        copy_text(name, leaf.ebx);
        copy_text(name + 4, leaf.ecx);
        copy_text(name + 8, leaf.edx);
        hv_present = leaf.eax >= 0x40000003 && cpuid(0x40000001).eax == INTERFACE_HV1;
    }
    if (hv_present)
        features = cpuid(0x40000003).ebx;
    out("hyperv present=%lu vendor=%s max-leaf=0x%lx features-ebx=0x%lx extended-hypercalls=%lu\n",
        (uint64_t) hv_present, name, (uint64_t) leaf.eax, (uint64_t) features,
        (uint64_t) ((features & EXTENDED_HYPERCALLS) != 0));
}

void hv_handshake(void)
{
    /* Open source, another system than those with a number of their own, version 1. */
    write_msr(MSR_GUEST_OS_ID, 1ul << 63 | 0x7ful << 56 | 1ul << 16);
    write_msr(MSR_HYPERCALL, (uint64_t) hypercall_page | 1);
    out("handshake guest-os-id=0x%lx hypercall=0x%lx\n", read_msr(MSR_GUEST_OS_ID), read_msr(MSR_HYPERCALL));
}

uint64_t hv_raw_call(uint64_t input, uint64_t input_gpa, uint64_t output_gpa)
{
    register uint64_t r8 __asm__("r8") = output_gpa;
    uint64_t result = ~0ul;

    if (amd)
        __asm__ volatile("vmmcall" : "+a"(result), "+c"(input), "+d"(input_gpa), "+r"(r8) : : "memory", "r9", "r10", "r11");
    else
        __asm__ volatile("vmcall" : "+a"(result), "+c"(input), "+d"(input_gpa), "+r"(r8) : : "memory", "r9", "r10", "r11");
    return result;
}

uint64_t hv_call(uint64_t input, uint64_t input_gpa, uint64_t output_gpa)
{
    register uint64_t r8 __asm__("r8") = output_gpa;
    uint64_t result = ~0ul;

    __asm__ volatile("call *%4"
                     : "+a"(result), "+c"(input), "+d"(input_gpa), "+r"(r8)
                     : "b"(hypercall_page)
                     : "memory", "r9", "r10", "r11");
    return result;
}
