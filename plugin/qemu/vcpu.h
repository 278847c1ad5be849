/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the descriptor of a vCPU to the page in which KVM tells why it stopped. */
#pragma once

#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * All that a KVM_RUN without an answer needs, in one page: after an exit of the guest each further page may cost the
 * processor a walk of the page tables, and that is the whole cost of standing before KVM_RUN.
 */
#define BZ_HOT_VCPUS 496
struct bz_hot {
    int (*_Atomic next_ioctl)(int fd, unsigned long request, ...); /* NULL before the first call */
    atomic_bool next_is_libc;                   /* nobody else stands behind this library */
    atomic_bool has_run;                        /* the machine has, since the start or the last reset */
    struct kvm_run *_Atomic runs[BZ_HOT_VCPUS]; /* by the vCPU's descriptor; of larger ones: bz_vcpu_find_far() */
};
extern struct bz_hot bz_hot;

/*
 * Maps that page once more for ourselves. False with errno when that fails. One caller at a time; a descriptor that
 * comes again belongs to a new vCPU, the old one was closed.
 */
bool bz_vcpu_add(int fd);

/* fd is another VM's vCPU now. */
void bz_vcpu_forget(int fd);

struct kvm_run *bz_vcpu_find_far(int fd);

/* NULL when fd is not a vCPU of ours. From any thread, without a lock, before each KVM_RUN. */
static inline struct kvm_run *bz_vcpu_find(int fd)
{
    if (fd < 0 || fd >= BZ_HOT_VCPUS)
        return bz_vcpu_find_far(fd);
    return atomic_load_explicit(&bz_hot.runs[fd], memory_order_acquire);
}
