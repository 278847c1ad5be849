/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/hypercall.h"

#include "check.h"
#include "qemu/abi-hyperv.h"
#include "qemu/cpuid.h"

static uint16_t check(uint64_t input, uint64_t output)
{
    return bz_hypercall_check((struct bz_hypercall){ input, output }, 40);
}

static void offered(void)
{
    const struct bz_config none = { false, false }, caps = { true, false }, both = { true, true };
    struct bz_hypercall call = { .input = 0x8001 };

    CHECK(!bz_hypercall_is_offered(call, &none) && bz_hypercall_is_offered(call, &caps) &&
          bz_hypercall_is_offered(call, &both));
    call.input = 0x8002;
    CHECK(!bz_hypercall_is_offered(call, &none) && !bz_hypercall_is_offered(call, &caps) &&
          bz_hypercall_is_offered(call, &both));
    /* Only the low 16 bits are the call code. */
    call.input = 0xffffffffffff8002;
    CHECK(bz_hypercall_is_offered(call, &both));
    for (uint32_t code = 0; code < 0x10000; code++) {
        call.input = code;
        CHECK(bz_hypercall_is_offered(call, &both) == (code == 0x8001 || code == 0x8002));
    }
}

static void input_value(void)
{
    for (uint64_t code = 0x8001; code <= 0x8002; code++) {
        CHECK_EQUAL(check(code, 0x1000), BZ_HV_SUCCESS);
        CHECK_EQUAL(check(code | 1ull << 16, 0x1000), BZ_HV_INVALID_PARAMETER); /* fast */
        for (unsigned bit = 17; bit < 64; bit++)
            CHECK_EQUAL(check(code | 1ull << bit, 0x1000), BZ_HV_INVALID_HYPERCALL_INPUT);
    }
}

static void output_address(void)
{
    for (unsigned bit = 0; bit < 3; bit++) {
        CHECK_EQUAL(check(0x8001, 0x1000 | 1u << bit), BZ_HV_INVALID_ALIGNMENT);
        CHECK_EQUAL(check(0x8002, 0x1000 | 1u << bit), BZ_HV_INVALID_ALIGNMENT);
    }
    CHECK_EQUAL(check(0x8001, 0x1ff8), BZ_HV_SUCCESS);
    CHECK_EQUAL(check(0x8001, 0x1fff), BZ_HV_INVALID_ALIGNMENT);
    /* 0xff8 bytes fit at the start of a page and 8 bytes into it, nowhere else. */
    CHECK_EQUAL(check(0x8002, 0x1000), BZ_HV_SUCCESS);
    CHECK_EQUAL(check(0x8002, 0x1008), BZ_HV_SUCCESS);
    for (uint64_t offset = 0x10; offset < 0x1000; offset += 8)
        CHECK_EQUAL(check(0x8002, 0x1000 + offset), BZ_HV_INVALID_ALIGNMENT);
    /* The guest's address space ends at 40 bits here. */
    CHECK_EQUAL(check(0x8002, (1ull << 40) - 0x1000), BZ_HV_SUCCESS);
    CHECK_EQUAL(check(0x8002, 1ull << 40), BZ_HV_INVALID_ALIGNMENT);
    CHECK_EQUAL(check(0x8001, UINT64_MAX - 7), BZ_HV_INVALID_ALIGNMENT);
}

static void sizes(void)
{
    CHECK_EQUAL(bz_hypercall_output_size((struct bz_hypercall){ .input = 0x8001 }), 8);
    CHECK_EQUAL(bz_hypercall_output_size((struct bz_hypercall){ .input = 0x8002 }), 0xff8);
}

static void cpuid_bit(void)
{
    struct kvm_cpuid_entry2 entries[] = {
        { .function = 0, .eax = 7 },
        { .function = 0x40000001, .eax = 0x31237648 },
        { .function = 0x40000003, .eax = 1, .ebx = 0x30 },
    };

    CHECK(bz_cpuid_offer_extended_hypercalls(entries, 3));
    CHECK_EQUAL(entries[2].ebx, 0x100030);
    CHECK_EQUAL(entries[2].eax, 1);
    CHECK_EQUAL(entries[0].eax, 7);
    CHECK_EQUAL(entries[0].ebx, 0);

    entries[2].ebx = 0;
    entries[1].eax = 0x566e6558; /* Xen's: leaf 3 holds its clock */
    CHECK(!bz_cpuid_offer_extended_hypercalls(entries, 3));
    CHECK_EQUAL(entries[2].ebx, 0);

    entries[1].eax = 0x31237648;
    CHECK(!bz_cpuid_offer_extended_hypercalls(entries, 2));
    CHECK(!bz_cpuid_offer_extended_hypercalls(entries, 0));
}

static void cpuid_width(void)
{
    struct kvm_cpuid_entry2 sizes_leaf = { .function = 0x80000008, .eax = 0x3028 };

    CHECK_EQUAL(bz_cpuid_physical_bits(&sizes_leaf, 1, 52), 40);
    CHECK_EQUAL(bz_cpuid_physical_bits(&sizes_leaf, 0, 52), 52);
    sizes_leaf.eax = 0;
    CHECK_EQUAL(bz_cpuid_physical_bits(&sizes_leaf, 1, 52), 52);
    sizes_leaf.eax = 0xff;
    CHECK_EQUAL(bz_cpuid_physical_bits(&sizes_leaf, 1, 52), 52);
}

CHECK_MAIN(CASE(offered), CASE(input_value), CASE(output_address), CASE(sizes), CASE(cpuid_bit), CASE(cpuid_width))
