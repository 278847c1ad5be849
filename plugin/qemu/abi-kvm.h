/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of KVM's interface that the headers of older distributions lack.
 * Source: Linux, include/uapi/linux/kvm.h (6.8 for the guest_memfd parts) and Documentation/virt/kvm/api.rst.
 */
#pragma once

#include <linux/kvm.h>

#ifndef KVM_MEM_GUEST_MEMFD
#define KVM_MEM_GUEST_MEMFD (1u << 2)
#endif

/* The first five members are those of struct kvm_userspace_memory_region, in the same places. */
struct bz_kvm_memory_region2 {
    uint32_t slot;
    uint32_t flags;
    uint64_t guest_phys_addr;
    uint64_t memory_size;
    uint64_t userspace_addr;
    uint64_t guest_memfd_offset;
    uint32_t guest_memfd;
    uint32_t pad1;
    uint64_t pad2[14];
};

#ifndef KVM_SET_USER_MEMORY_REGION2
#define KVM_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct bz_kvm_memory_region2)
#endif
