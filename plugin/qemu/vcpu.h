/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the descriptor of a vCPU to the page in which KVM tells why it stopped. */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>

/*
 * Maps that page once more for ourselves. False with errno when that fails. One caller at a time; a descriptor that
 * comes again belongs to a new vCPU, the old one was closed.
 */
bool bz_vcpu_add(int fd);

/* NULL when fd is not a vCPU of ours. From any thread, without a lock: two loads, before each KVM_RUN. */
struct kvm_run *bz_vcpu_find(int fd);
