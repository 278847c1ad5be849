/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extended hypercalls of the Hyper-V interface.
 * Source: Microsoft, Hypervisor Top Level Functional Specification, "Hypercall Interface" (input value, status codes),
 * "HvExtCallQueryCapabilities" and "HvExtCallGetBootZeroedMemory".
 */
#pragma once

#include <stdint.h>

#define BZ_HV_PAGE_SIZE 4096u
#define BZ_HV_PAGE_SHIFT 12

/* CPUID: the interface leaf's signature, and where the guest learns that it may issue extended hypercalls. */
#define BZ_HV_CPUID_INTERFACE 0x40000001u
#define BZ_HV_CPUID_INTERFACE_SIGNATURE 0x31237648u /* "Hv#1" */
#define BZ_HV_CPUID_FEATURES 0x40000003u
#define BZ_HV_CPUID_FEATURES_EBX_EXTENDED_HYPERCALLS (1u << 20)

/* Call codes. */
#define BZ_HV_QUERY_CAPABILITIES 0x8001u
#define BZ_HV_GET_BOOT_ZEROED_MEMORY 0x8002u

/* The one capability that is offered: HvExtCallGetBootZeroedMemory may be called. */
#define BZ_HV_CAPABILITY_BOOT_ZEROED_MEMORY (1ull << 0)

/* Hypercall input value. */
#define BZ_HV_INPUT_CODE(input) ((uint16_t)(input))
#define BZ_HV_INPUT_FAST (1ull << 16)

/* Status codes. */
#define BZ_HV_SUCCESS 0
#define BZ_HV_INVALID_HYPERCALL_INPUT 3
#define BZ_HV_INVALID_ALIGNMENT 4
#define BZ_HV_INVALID_PARAMETER 5
#define BZ_HV_ACCESS_DENIED 6
#define BZ_HV_INSUFFICIENT_MEMORY 11

/* What HvExtCallGetBootZeroedMemory writes. Numbers are of 4 KiB pages. */
#define BZ_HV_MAX_RANGES 255
struct bz_hv_boot_zeroed_memory {
    uint64_t range_count;
    struct {
        uint64_t start_page;
        uint64_t page_count;
    } ranges[BZ_HV_MAX_RANGES];
};
_Static_assert(sizeof(struct bz_hv_boot_zeroed_memory) == 0xff8, "the size the specification gives");
