/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/cpuid.h"

#include <stddef.h>

#include "qemu/abi-hyperv.h"

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid_entry2 *entries, unsigned count, uint32_t leaf)
{
    for (unsigned i = 0; i < count; i++)
        if (entries[i].function == leaf)
            return &entries[i];
    return NULL;
}

bool bz_cpuid_offer_extended_hypercalls(struct kvm_cpuid_entry2 *entries, unsigned count)
{
    const struct kvm_cpuid_entry2 *interface = find(entries, count, BZ_HV_CPUID_INTERFACE);
    const struct kvm_cpuid_entry2 *features = find(entries, count, BZ_HV_CPUID_FEATURES);

    if (!interface || interface->eax != BZ_HV_CPUID_INTERFACE_SIGNATURE || !features)
        return false;
    entries[features - entries].ebx |= BZ_HV_CPUID_FEATURES_EBX_EXTENDED_HYPERCALLS;
    return true;
}

unsigned bz_cpuid_physical_bits(const struct kvm_cpuid_entry2 *entries, unsigned count, unsigned otherwise)
{
    const struct kvm_cpuid_entry2 *sizes = find(entries, count, 0x80000008u);

    if (!sizes || (sizes->eax & 0xff) < 32 || (sizes->eax & 0xff) > 52)
        return otherwise;
    return sizes->eax & 0xff;
}
