/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory slots in all their shapes and changes: what may be reported and where an answer may be written. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "asking.h"
#include "check.h"
#include "qemu/abi-kvm.h"

/* Firmware makes the area below 1 MiB writable: QEMU takes the slots away and brings them back cut in another way. */
static void pam(void)
{
    machine_start(ON, SIZE);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_EQUAL(machine_slot(1, 0, MIB, 0, NULL), 0);
    CHECK_EQUAL(machine_slot(1, 0, 0xc0000, SIZE - 0xc0000, machine.ram + 0xc0000), 0);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_EQUAL(machine_slot(1, 0, 0xc0000, 0, NULL), 0);
    CHECK_EQUAL(machine_slot(1, 0, 0xc0000, 0x30000, machine.ram + 0xc0000), 0);
    CHECK_EQUAL(machine_slot(9, KVM_MEM_READONLY, 0xf0000, 0x10000, machine_memory(0x10000)), 0);
    CHECK_EQUAL(machine_slot(3, 0, MIB, SIZE - MIB, machine.ram + MIB), 0);
    machine_expect_exactly(OUT, nothing_written);
}

static void while_a_slot_is_away(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_slot(1, 0, MIB, 0, NULL), 0);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_INVALID_PARAMETER);
    CHECK_EQUAL(machine_call(0x8002, 0x8000), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_answer(0x8000).range_count, 0);
    CHECK_CONTAINS(machine_log(), "got no range: no page of its memory is still zero");
}

/* The same host memory twice: both addresses read zero, and neither may name the output page. */
static void alias(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_slot(5, 0, GIB, 4 * MIB, machine.ram + MIB), 0);
    machine.ram[3 * MIB] = 1;
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - 2 * PAGE);
    CHECK_EQUAL(machine_reported(&answer, GIB, 2 * GIB), 4 * MIB - 2 * PAGE);
    CHECK_EQUAL(machine_reported(&answer, GIB + OUT - MIB, GIB + OUT - MIB + PAGE), 0);
    CHECK_EQUAL(machine_reported(&answer, GIB + 2 * MIB, GIB + 2 * MIB + PAGE), 0);

    /* And the other way: the answer through the alias. */
    CHECK_EQUAL(machine_call(0x8002, GIB + MIB + 16 * PAGE), BZ_HV_SUCCESS);
    answer = machine_answer(2 * MIB + 16 * PAGE);
    machine_check_answer(&answer);
    CHECK_EQUAL(machine_reported(&answer, OUT + 16 * PAGE, OUT + 17 * PAGE), 0);
    CHECK_EQUAL(machine_reported(&answer, GIB + MIB + 16 * PAGE, GIB + MIB + 17 * PAGE), 0);
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - 3 * PAGE);
}

static void smram(void)
{
    machine_start(ON, SIZE);
    /* The same numbers in the other address space: other memory, and none of the guest's normal business. */
    CHECK_EQUAL(machine_slot(0x10001, 0, MIB, 8 * MIB, machine_memory(8 * MIB)), 0);
    CHECK_EQUAL(machine_slot(0x10002, 0, 64 * MIB, 8 * MIB, machine_memory(8 * MIB)), 0);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_EQUAL(machine_call(0x8002, 64 * MIB), BZ_HV_INVALID_PARAMETER);
    CHECK_EQUAL(machine_slot(0x10001, 0, MIB, 0, NULL), 0);
    machine_expect_exactly(OUT, nothing_written);
}

static int add_rom(void)
{
    return machine_slot(2, KVM_MEM_READONLY, 64 * MIB, 8 * MIB, machine_memory(8 * MIB));
}

static void rom(void)
{
    start_with(add_rom);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_EQUAL(machine_call(0x8002, 64 * MIB), BZ_HV_INVALID_PARAMETER);
    CHECK_EQUAL(machine_call(0x8001, 72 * MIB - 8), BZ_HV_INVALID_PARAMETER);
}

/* Memory that becomes writable later (flash, by the same slot) was not boot memory. */
static void rom_made_writable(void)
{
    start_with(add_rom);
    CHECK_EQUAL(machine_slot(2, 0, 64 * MIB, 0, NULL), 0);
    CHECK_EQUAL(machine_slot(2, 0, 64 * MIB, 8 * MIB, machine_memory(8 * MIB)), 0);
    machine_expect_exactly(OUT, nothing_written);
}

/* Boot memory that is write-protected for the guest by now. */
static void memory_made_rom(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_slot(1, 0, MIB, 0, NULL), 0);
    CHECK_EQUAL(machine_slot(1, 0, MIB, 7 * MIB, machine.ram + MIB), 0);
    CHECK_EQUAL(machine_slot(2, KVM_MEM_READONLY, 8 * MIB, 8 * MIB, machine.ram + 8 * MIB), 0);
    expect_reported(MIB, SIZE, 7 * MIB - PAGE);
    expect_reported(8 * MIB, SIZE, 0);
}

static int add_guest_memfd(void)
{
    struct bz_kvm_memory_region2 private = { 2, KVM_MEM_GUEST_MEMFD, 64 * MIB, 8 * MIB,
                                             (uintptr_t)machine_memory(8 * MIB) };
    struct bz_kvm_memory_region2 plain = { 3, 0, 128 * MIB, 8 * MIB, (uintptr_t)machine_memory(8 * MIB) };

    if (ioctl(machine.vm, KVM_SET_USER_MEMORY_REGION2, &private) != 0)
        return -1;
    return ioctl(machine.vm, KVM_SET_USER_MEMORY_REGION2, &plain);
}

static void guest_memfd(void)
{
    start_with(add_guest_memfd);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 0);
    CHECK_EQUAL(machine_reported(&answer, 128 * MIB, 136 * MIB), 8 * MIB);
    CHECK_EQUAL(machine_call(0x8002, 64 * MIB), BZ_HV_INVALID_PARAMETER);
    CHECK_EQUAL(machine_call(0x8002, 128 * MIB), BZ_HV_SUCCESS);
}

static void hot_plugged_after_the_first_run(void)
{
    machine_create(ON);
    machine_cpuid();
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    CHECK_EQUAL(machine_slot(0, 0, 0, SIZE, machine.ram), 0);
    machine_expect_exactly(OUT, nothing_written); /* runs */
    CHECK_EQUAL(machine_slot(1, 0, GIB, 8 * MIB, machine_memory(8 * MIB)), 0);
    machine_expect_exactly(OUT, nothing_written);
    /* It is memory, though: an answer may go there. */
    CHECK_EQUAL(machine_call(0x8002, GIB), BZ_HV_SUCCESS);
}

/* -S and incoming migration: more memory comes between the complete machine and its first run. */
static void plugged_before_the_first_run(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_slot(2, 0, GIB, 8 * MIB, machine_memory(8 * MIB)), 0);
    machine_expect_exactly(OUT, nothing_written);
}

/* Registers that are loaded before there is memory say nothing. */
static void registers_before_memory(void)
{
    struct kvm_regs registers = { 0 };

    machine_create(ON);
    machine_cpuid();
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_REGS, &registers), 0);
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    CHECK_EQUAL(machine_slot(0, 0, 0, SIZE, machine.ram), 0);
    machine_expect_exactly(OUT, nothing_written);
}

/* A number that meant boot memory now means a hot-plugged DIMM, and boot memory returns under another. */
static void numbers_are_reused(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_slot(1, 0, MIB, 0, NULL), 0);
    CHECK_EQUAL(machine_slot(1, 0, 64 * MIB, 8 * MIB, machine_memory(8 * MIB)), 0);
    CHECK_EQUAL(machine_slot(77, 0, MIB, SIZE - MIB, machine.ram + MIB), 0);
    machine_expect_exactly(OUT, nothing_written);
    /* A slot of boot and other memory: the boot part only. Neighbours in host memory, as one mapping. */
    uint8_t *both = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQUAL(machine_slot(1, 0, 64 * MIB, 0, NULL), 0);
    CHECK_EQUAL(machine_slot(1, 0, 64 * MIB, 2 * MIB, both), 0);
    expect_reported(64 * MIB, 66 * MIB, 0);
}

static int add_thousand(void)
{
    uint8_t *memory = machine_memory(1000 * 4 * PAGE);
    int result = 0;

    for (unsigned i = 0; i < 1000; i++)
        result |= machine_slot(1000 + i, 0, GIB + i * 16 * PAGE, 4 * PAGE, memory + i * 4 * PAGE);
    return result;
}

static void a_thousand_slots(void)
{
    start_with(add_thousand);
    /* 1,002 ranges, 255 of them fit: the two large ones and 253 small ones. */
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(answer.range_count, 255);
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - PAGE);
    CHECK_EQUAL(machine_reported(&answer, GIB, 2 * GIB), 253 * 4 * PAGE);
    for (unsigned i = 0; i < 1000; i++)
        CHECK_EQUAL(machine_slot(1000 + i, 0, GIB + i * 16 * PAGE, 0, NULL), 0);
    machine_expect_exactly(OUT, nothing_written);
}

static void refused_changes_change_nothing(void)
{
    machine_start(ON, SIZE);
    fake_kvm_fail_once(KVM_SET_USER_MEMORY_REGION, EINVAL);
    errno = 0;
    CHECK_EQUAL(machine_slot(1, 0, MIB, 0, NULL), -1);
    CHECK_EQUAL(errno, EINVAL);
    CHECK_EQUAL(machine_slot(2, 0, 8 * MIB, MIB, machine_memory(MIB)), -1); /* overlaps */
    CHECK_EQUAL(errno, EEXIST);
    machine_expect_exactly(OUT, nothing_written);
}

static void dirty_logging_refuses(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_slot(1, KVM_MEM_LOG_DIRTY_PAGES, MIB, SIZE - MIB, machine.ram + MIB), 0);
    memset(machine.ram + OUT, 0x77, PAGE);
    CHECK_EQUAL(machine_call(0x8001, OUT), BZ_HV_ACCESS_DENIED);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_ACCESS_DENIED);
    for (unsigned i = 0; i < PAGE; i++)
        CHECK_EQUAL(machine.ram[OUT + i], 0x77);
    CHECK_CONTAINS(machine_log(), "bootzero: refused a call 0x8002 with output at 0x200000: status 6, "
                                  "the guest is being migrated or saved\n");
    /* Only the slot of the output counts. */
    CHECK_EQUAL(machine_call(0x8002, 0x8000), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_slot(1, 0, MIB, SIZE - MIB, machine.ram + MIB), 0);
    machine_expect_exactly(OUT, nothing_written);
}

CHECK_MAIN(CASE(pam), CASE(while_a_slot_is_away), CASE(alias), CASE(smram), CASE(rom), CASE(rom_made_writable),
           CASE(memory_made_rom), CASE(guest_memfd), CASE(hot_plugged_after_the_first_run),
           CASE(plugged_before_the_first_run), CASE(registers_before_memory), CASE(numbers_are_reused),
           CASE(a_thousand_slots), CASE(refused_changes_change_nothing), CASE(dirty_logging_refuses))
