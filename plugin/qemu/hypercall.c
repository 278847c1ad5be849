/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/hypercall.h"

#include "qemu/abi-hyperv.h"

bool bz_hypercall_is_offered(struct bz_hypercall call, const struct bz_config *config)
{
    switch (BZ_HV_INPUT_CODE(call.input)) {
    case BZ_HV_QUERY_CAPABILITIES:
        return config->ext_query_caps;
    case BZ_HV_GET_BOOT_ZEROED_MEMORY:
        return config->boot_zeroed_mem;
    default:
        return false;
    }
}

size_t bz_hypercall_output_size(struct bz_hypercall call)
{
    if (BZ_HV_INPUT_CODE(call.input) == BZ_HV_QUERY_CAPABILITIES)
        return sizeof(uint64_t);
    return sizeof(struct bz_hv_boot_zeroed_memory);
}

uint16_t bz_hypercall_check(struct bz_hypercall call, unsigned physical_bits)
{
    size_t size = bz_hypercall_output_size(call);
    uint64_t offset = call.output_gpa % BZ_HV_PAGE_SIZE;

    /* Their output does not fit into registers. KVM says the same before anyone else is asked. */
    if (call.input & BZ_HV_INPUT_FAST)
        return BZ_HV_INVALID_PARAMETER;
    /* Above the call code: no variable header, no repetitions, no start index, and nothing in the reserved bits. */
    if (call.input >> 16)
        return BZ_HV_INVALID_HYPERCALL_INPUT;
    if (call.output_gpa % sizeof(uint64_t) || offset + size > BZ_HV_PAGE_SIZE)
        return BZ_HV_INVALID_ALIGNMENT;
    if (physical_bits < 64 && call.output_gpa >> physical_bits)
        return BZ_HV_INVALID_ALIGNMENT;
    return BZ_HV_SUCCESS;
}
