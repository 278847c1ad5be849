/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one VM of this process: what is known of it, and what each interposed ioctl means for it.
 *
 * Each function below does the system call it stands for, exactly once and with the caller's own argument except where
 * said, and returns its result with errno untouched.
 */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An ioctl on its way to the kernel. */
struct bz_ioctl {
    int (*real)(int fd, unsigned long request, ...);
    int fd;
    unsigned long request;
    void *argument;
};

static inline int bz_pass(const struct bz_ioctl *call)
{
    return call->real(call->fd, call->request, call->argument);
}

/* KVM_CREATE_VM: reads BOOTZERO; fails with EINVAL when that is wrong, so that QEMU refuses to start. */
int bz_vm_create(const struct bz_ioctl *call);

/* KVM_CREATE_VCPU */
int bz_vm_create_vcpu(const struct bz_ioctl *call);

/* KVM_SET_CPUID2: gives the kernel a copy in which extended hypercalls are offered. */
int bz_vm_set_cpuid(const struct bz_ioctl *call);

/* KVM_SET_REGS: the first one tells that QEMU has built the machine. */
int bz_vm_set_regs(const struct bz_ioctl *call);

/* KVM_SET_SREGS and KVM_SET_SREGS2: those of the boot processor tell of a reset, or that other memory was loaded. */
int bz_vm_set_sregs(const struct bz_ioctl *call);

/* KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2 */
int bz_vm_set_memory(const struct bz_ioctl *call);

/* KVM_MEMORY_ENCRYPT_OP */
int bz_vm_encrypt(const struct bz_ioctl *call);

/* UFFDIO_REGISTER: ends write-protection of ours first where it would be in the way. */
int bz_vm_register_userfaults(const struct bz_ioctl *call);

/* UFFDIO_UNREGISTER */
int bz_vm_unregister_userfaults(const struct bz_ioctl *call);

/* madvise(MADV_POPULATE_WRITE), and the function that does it: write-protects what is guest memory in the making. */
int bz_vm_populate(int (*real)(void *start, size_t size, int advice), void *start, size_t size, int advice);

/* Before the first KVM_RUN since the start or a reset. */
void bz_vm_begin_to_run(void);

/* KVM_RUN has returned with this exit: answers it if it is one of the offered calls. */
bool bz_vm_answer(struct kvm_run *run);
