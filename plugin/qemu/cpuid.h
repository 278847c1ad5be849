/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest reads by the CPUID instruction about extended hypercalls. */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>

/* KVM's own limit (KVM_MAX_CPUID_ENTRIES). */
#define BZ_CPUID_MAX_ENTRIES 256

/*
 * Sets the bit for extended hypercalls. False when the guest has no Hyper-V interface or none of its feature leaf, and
 * then nothing is changed: the numbers of the leaf mean something else under Xen's interface.
 */
bool bz_cpuid_offer_extended_hypercalls(struct kvm_cpuid_entry2 *entries, unsigned count);

/* Width of physical addresses, or otherwise when the leaf is not there or makes no sense. */
unsigned bz_cpuid_physical_bits(const struct kvm_cpuid_entry2 *entries, unsigned count, unsigned otherwise);
