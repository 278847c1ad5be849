/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A real KVM whose guests make extended hypercalls, also where it emulates no Hyper-V: this library stands between the
 * provider and libc, and when the guest writes to port HYPERV_EXIT_PORT it shows KVM_RUN's caller the exit of such a
 * call.
 */
#pragma once

#include <stdint.h>

#define HYPERV_EXIT_PORT 0xf1

/* The call that the next write to the port stands for. Any thread's vCPU: one at a time. */
void hyperv_exit_prepare(uint64_t input, uint64_t output_gpa);

/* What it was answered. */
uint64_t hyperv_exit_result(void);
