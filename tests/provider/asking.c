/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "asking.h"

#include <sys/ioctl.h>

#include "check.h"

bool nothing_written(uint64_t page)
{
    return false;
}

struct bz_hv_boot_zeroed_memory ask(void)
{
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(OUT);
    machine_check_answer(&answer);
    return answer;
}

void expect_reported(uint64_t start, uint64_t end, uint64_t bytes)
{
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, start, end), bytes);
}

void expect_none(const char *reason)
{
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(answer.range_count, 0);
    CHECK_CONTAINS(machine_log(), reason);
}

const char *bootzero = ON;

void start_with(int (*more)(void))
{
    struct kvm_regs registers = { 0 };

    machine_create(bootzero);
    machine_cpuid();
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    CHECK_EQUAL(machine_slot(0, 0, 0, 640 * KIB, machine.ram), 0);
    CHECK_EQUAL(machine_slot(1, 0, MIB, SIZE - MIB, machine.ram + MIB), 0);
    CHECK_EQUAL(more(), 0);
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_REGS, &registers), 0);
}
