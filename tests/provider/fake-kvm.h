/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A KVM without a processor: open("/dev/kvm") and the ioctls of what it gives are played by this library, which stands
 * between the provider and libc. It refuses what KVM refuses; the guest is a function.
 */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>

/*
 * One KVM_RUN of a vCPU: fills run as the guest's next exit. 0, or the errno KVM_RUN fails with. Called on the thread
 * that called KVM_RUN. immediate_exit is handled before: EINTR, and then the guest is told by exit_reason.
 */
typedef int fake_guest(int vcpu_fd, struct kvm_run *run, void *opaque);
void fake_kvm_set_guest(fake_guest *guest, void *opaque);

/* The next time request comes it fails with error. */
void fake_kvm_fail_once(unsigned request, int error);

/* Of the provider's PAGEMAP_SCAN calls from now on the number-th (1: the next) and all after it fail with error. */
void fake_kvm_fail_scans_from(unsigned number, int error);

/* How many have failed by that. */
unsigned fake_kvm_failed_scans(void);

/* KVM_CHECK_EXTENSION(KVM_CAP_HYPERV). On at first. */
void fake_kvm_set_hyperv(bool on);

/* How often request came, of any descriptor. */
unsigned fake_kvm_count(unsigned request);

/* What the kernel was given for this vCPU by KVM_SET_CPUID2; NULL before. */
const struct kvm_cpuid2 *fake_kvm_cpuid(int vcpu_fd);
