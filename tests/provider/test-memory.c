/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory slots in all their shapes and changes: what may be reported and where an answer may be written. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"
#include "machine.h"
#include "qemu/abi-kvm.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define ON "boot-zeroed-mem=on"
#define OUT (2 * MIB)
#define SIZE (16 * MIB)

static bool nothing_written(uint64_t page)
{
    return false;
}

/* Asks at OUT and expects exactly bytes to be reported in [start, end). */
static struct bz_hv_boot_zeroed_memory ask(void)
{
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(OUT);
    machine_check_answer(&answer);
    return answer;
}

static void expect_reported(uint64_t start, uint64_t end, uint64_t bytes)
{
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, start, end), bytes);
}

static void expect_none(const char *reason)
{
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(answer.range_count, 0);
    CHECK_CONTAINS(machine_log(), reason);
}

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

/* Before the registers are loaded: everything that is not plain memory stays out even then. */
static const char *bootzero = ON;

static void start_with(int (*more)(void))
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

/* --- kinds of memory --- */

static void *special;

static int add_special(void)
{
    return machine_slot(2, 0, 64 * MIB, 8 * MIB, special);
}

static void expect_special_is_left_out(const char *reason)
{
    start_with(add_special);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - PAGE);
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 0);
    CHECK_CONTAINS(machine_log(), reason);
    CHECK_CONTAINS(machine_log(), "of 24117248 bytes");
}

static void expect_special_is_reported(uint64_t bytes, const char *backend)
{
    start_with(add_special);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), bytes);
    CHECK_CONTAINS(machine_log(), backend);
}

static int file_of(size_t size)
{
    int fd = memfd_create("guest", 0);
    CHECK(ftruncate(fd, (off_t)size) == 0);
    return fd;
}

static void shared_anonymous(void)
{
    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect_special_is_left_out("; left out: guest memory is shared and QEMU has no descriptor of it\n");
}

static void memfd(void)
{
    int fd = file_of(8 * MIB);

    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ((uint8_t *)special)[5 * MIB] = 1;
    expect_special_is_reported(8 * MIB - PAGE, "by pagemap-scan,seek-hole\n");
    CHECK(pwrite(fd, "x", 1, 6 * MIB) == 1);
    close(fd);
    expect_reported(64 * MIB, 72 * MIB, 8 * MIB - 2 * PAGE);
    /* The answer in such a page. */
    CHECK_EQUAL(machine_call(0x8002, 65 * MIB), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer;
    memcpy(&answer, (uint8_t *)special + MIB, sizeof answer);
    CHECK_EQUAL(machine_reported(&answer, 65 * MIB, 65 * MIB + PAGE), 0);
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 8 * MIB - 3 * PAGE);
}

/* Two mappings of one file: the answer that goes to one is seen through the other. */
static int add_mapped_twice(void)
{
    return machine_slot(2, 0, 64 * MIB, 8 * MIB, special) |
           machine_slot(3, 0, 128 * MIB, 8 * MIB, (uint8_t *)special + 8 * MIB);
}

static void a_file_mapped_twice(void)
{
    int fd = file_of(8 * MIB);

    special = mmap(NULL, 16 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 2; i++)
        CHECK(mmap((uint8_t *)special + i * 8 * MIB, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
              MAP_FAILED);
    start_with(add_mapped_twice);
    CHECK_EQUAL(machine_call(0x8002, 65 * MIB), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer;
    memcpy(&answer, (uint8_t *)special + MIB, sizeof answer);
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 8 * MIB - PAGE);
    CHECK_EQUAL(machine_reported(&answer, 128 * MIB, 136 * MIB), 8 * MIB - PAGE);
    CHECK_EQUAL(machine_reported(&answer, 129 * MIB, 129 * MIB + PAGE), 0);
}

/* Boot memory that was taken away and unmapped, and other memory that the kernel put in its place. */
static void another_file_at_the_address(void)
{
    int fd = file_of(8 * MIB), other = file_of(8 * MIB);

    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    start_with(add_special);
    expect_reported(64 * MIB, 72 * MIB, 8 * MIB);
    CHECK_EQUAL(machine_slot(2, 0, 64 * MIB, 0, NULL), 0);
    CHECK(mmap(special, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, other, 0) == special);
    CHECK_EQUAL(machine_slot(2, 0, 64 * MIB, 8 * MIB, special), 0);
    expect_reported(64 * MIB, 72 * MIB, 0);
    CHECK_CONTAINS(machine_log(), "; left out: guest memory is shared and QEMU has no descriptor of it\n");
}

/* Memory that is cut short, moved away, or changed in part when the guest asks. */
static void remapped(void)
{
    special = machine_memory(8 * MIB);
    start_with(add_special);
    uint8_t *memory = special;
    memset(memory + 4 * MIB, 1, MIB);
    CHECK_EQUAL(madvise(memory + 4 * MIB, 512 * KIB, MADV_DONTNEED), 0);
    expect_reported(64 * MIB, 72 * MIB, 8 * MIB - 512 * KIB);
    /* What was written goes elsewhere, and memory nobody wrote comes to its place. */
    uint8_t *away = mmap(NULL, 2 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mremap(memory + 4 * MIB, 2 * MIB, 2 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
    expect_reported(64 * MIB, 72 * MIB, 6 * MIB);
    CHECK_CONTAINS(machine_log(), "; left out: guest memory is not mapped in QEMU\n");
    CHECK(mremap(away, 2 * MIB, 2 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, memory + 4 * MIB) == memory + 4 * MIB);
    expect_reported(64 * MIB, 72 * MIB, 8 * MIB - 512 * KIB);
    CHECK_EQUAL(mprotect(memory, 2 * MIB, PROT_READ), 0);
    expect_reported(64 * MIB, 72 * MIB, 6 * MIB - 512 * KIB);
}

/* A slot in the middle of a file that is mapped from its middle, and two slots of one file. */
static int add_middle(void)
{
    return machine_slot(2, 0, 64 * MIB, 8 * MIB, (uint8_t *)special + 4 * MIB) |
           machine_slot(3, 0, 128 * MIB, 4 * MIB, special);
}

static void middle_of_a_file(void)
{
    int fd = file_of(64 * MIB);

    CHECK(pwrite(fd, "x", 1, 16 * MIB + 6 * MIB) == 1);
    special = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 16 * MIB);
    start_with(add_middle);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 8 * MIB - PAGE);
    CHECK_EQUAL(machine_reported(&answer, 66 * MIB, 66 * MIB + PAGE), 0);
    CHECK_EQUAL(machine_reported(&answer, 128 * MIB, 132 * MIB), 4 * MIB);
}

/* Such a file has old content, and a page of it that is absent reads as the file does. */
static void private_mapping_of_a_file(void)
{
    int fd = file_of(8 * MIB);
    CHECK(pwrite(fd, "old", 3, 4 * MIB) == 3);
    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    expect_special_is_reported(8 * MIB - PAGE, "by pagemap-scan,seek-hole+pagemap-scan\n");
    ((uint8_t *)special)[MIB] = 1;
    expect_reported(64 * MIB, 72 * MIB, 8 * MIB - 2 * PAGE);
}

static void huge_pages(void)
{
    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1,
                   0);
    if (special == MAP_FAILED)
        SKIP("no mapping of huge pages here");
    expect_special_is_left_out(
        "; left out: guest memory is a private mapping of a file and QEMU has no descriptor of it\n");
}

/* --- memory populated in advance --- */

static void populate(void *memory, size_t size)
{
    if (madvise(memory, size, MADV_POPULATE_WRITE) != 0)
        SKIP("this kernel has no MADV_POPULATE_WRITE (Linux 5.14)");
}

/* By the kernel: a flag of the mapping. */
static bool is_write_protected(const void *memory)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    char line[512];
    unsigned long start, end;
    bool inside = false, found = false;

    while (smaps && fgets(line, sizeof line, smaps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = (uintptr_t)memory >= start && (uintptr_t)memory < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " uw") != NULL;
    }
    if (smaps)
        fclose(smaps);
    return found;
}

static int add_populated(void)
{
    special = machine_memory(8 * MIB);
    /* One that fails tells why, and is as if it had not been. */
    errno = 0;
    CHECK_EQUAL(madvise((uint8_t *)special + 1, PAGE, MADV_POPULATE_WRITE), -1);
    CHECK_EQUAL(errno, EINVAL);
    populate(special, PAGE);
    populate(special, 3 * MIB);
    populate((uint8_t *)special + 3 * MIB, 5 * MIB);
    return add_special();
}

static void populated(void)
{
    start_with(add_populated);
    ((uint8_t *)special)[5 * MIB] = 1;
    bool was_protected = is_write_protected(special);
    struct bz_hv_boot_zeroed_memory answer = ask();
    if (strstr(machine_log(), "not tracked: userfaultfd") || strstr(machine_log(), "not tracked: PAGEMAP_SCAN"))
        SKIP("this kernel has no asynchronous write-protection (Linux 6.7)");
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 8 * MIB - PAGE);
    CHECK_CONTAINS(machine_log(), "by pagemap-scan,write-protect\n");
    /* Once: nothing is left of it. */
    CHECK(was_protected && !is_write_protected(special));
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    answer = machine_answer(OUT);
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 0);
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - PAGE);
    CHECK_CONTAINS(machine_log(), "; left out: guest memory populated in advance is not tracked: the guest had its "
                                  "answer before\n");
}

static void populated_but_asked_late(void)
{
    bootzero = ON ",track-seconds=1";
    start_with(add_populated);
    bool was_protected = is_write_protected(special);
    CHECK_EQUAL(machine_call(0x8001, OUT), BZ_HV_SUCCESS); /* runs */
    CHECK_EQUAL(is_write_protected(special), was_protected);
    sleep(2);
    CHECK(!is_write_protected(special));
    expect_reported(64 * MIB, 72 * MIB, 0);
    CHECK_CONTAINS(machine_log(), "; left out: guest memory populated in advance is not tracked: the guest did not ask "
                                  "in time\n");
}

/* Populated when the guest has run already: hot-plugged, and not tracked. */
static void populated_too_late(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_call(0x8001, OUT), BZ_HV_SUCCESS);
    populate(machine.ram, SIZE);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_answer(OUT).range_count, 0);
}

static void populated_before_the_vm(void)
{
    uint8_t *memory = machine_memory(8 * MIB);

    populate(memory, 8 * MIB);
    special = memory;
    start_with(add_special);
    expect_reported(64 * MIB, 72 * MIB, 0);
}

static void inaccessible(void)
{
    special = mmap(NULL, 8 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect_special_is_left_out("; left out: guest memory is not readable and writable in QEMU\n");
    CHECK_EQUAL(machine_call(0x8002, 64 * MIB), BZ_HV_INVALID_PARAMETER);
}

static void not_mapped(void)
{
    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    start_with(add_special);
    expect_reported(64 * MIB, 72 * MIB, 8 * MIB);
    munmap(special, 8 * MIB);
    expect_reported(64 * MIB, 72 * MIB, 0);
    CHECK_CONTAINS(machine_log(), "; left out: guest memory is not mapped in QEMU\n");
    CHECK_EQUAL(machine_call(0x8002, 64 * MIB), BZ_HV_INVALID_PARAMETER);
}

/* One slot of two kinds of memory: only the sound part. */
static void changed_in_the_middle(void)
{
    special = machine_memory(8 * MIB);
    CHECK(mmap((uint8_t *)special + 2 * MIB, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) != MAP_FAILED);
    start_with(add_special);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 64 * MIB, 72 * MIB), 7 * MIB);
    CHECK_EQUAL(machine_reported(&answer, 66 * MIB, 67 * MIB), 0);
}

/* The answer to a place where QEMU itself would be killed by SIGBUS. */
static void output_in_a_truncated_file(void)
{
    int fd = file_of(8 * MIB);
    special = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    start_with(add_special);
    CHECK(ftruncate(fd, 4 * MIB) == 0);
    CHECK_EQUAL(machine_call(0x8002, 64 * MIB), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_call(0x8002, 70 * MIB), BZ_HV_INVALID_PARAMETER);
    CHECK_EQUAL(machine_call(0x8001, 70 * MIB), BZ_HV_INVALID_PARAMETER);
}

/* --- userfaultfd --- */

/* The descriptor, or -1 where userfaultfd is not allowed. */
static int register_userfaults(void *address, size_t size)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register range = { .range = { (uintptr_t)address, size }, .mode = UFFDIO_REGISTER_MODE_MISSING };

    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0)
        return -1;
    CHECK_EQUAL(ioctl(fd, UFFDIO_REGISTER, &range), 0);
    return fd;
}

static void postcopy(void)
{
    machine_start(ON, SIZE);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    if (register_userfaults(machine.ram + 8 * MIB, 4 * MIB) < 0)
        SKIP("userfaultfd is not allowed here");
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 8 * MIB, 12 * MIB), 0);
    CHECK(machine_reported(&answer, 12 * MIB, SIZE) == 4 * MIB);
    CHECK_CONTAINS(machine_log(), "left out: guest memory is, or was, filled by userfaultfd (postcopy migration or "
                                  "background snapshot), where absent is not zero\n");
}

/* QEMU's userfaultfd has precedence, and an answer into memory that is being filled would wait with the lock held. */
static void populated_then_postcopy(void)
{
    start_with(add_populated);
    struct uffdio_range range = { (uintptr_t)special, 8 * MIB };
    int fd = register_userfaults(special, 8 * MIB);
    if (fd < 0)
        SKIP("userfaultfd is not allowed here");
    expect_reported(64 * MIB, 72 * MIB, 0);
    CHECK_EQUAL(machine_call(0x8001, 65 * MIB), BZ_HV_ACCESS_DENIED);
    CHECK_EQUAL(machine_call(0x8002, 65 * MIB), BZ_HV_ACCESS_DENIED);
    CHECK_EQUAL(ioctl(fd, UFFDIO_UNREGISTER, &range), 0);
    CHECK_EQUAL(machine_call(0x8002, 65 * MIB), BZ_HV_SUCCESS);
    expect_reported(64 * MIB, 72 * MIB, 0);
}

/* QEMU tries userfaultfd on a page of its own before it offers postcopy. */
static void userfaults_elsewhere(void)
{
    machine_start(ON, SIZE);
    if (register_userfaults(machine_memory(PAGE), PAGE) < 0)
        SKIP("userfaultfd is not allowed here");
    machine_expect_exactly(OUT, nothing_written);
}

static void userfaults_refused(void)
{
    struct uffdio_register range = { .range = { 0, UINT64_MAX } };

    machine_start(ON, SIZE);
    errno = 0;
    CHECK_EQUAL(ioctl(machine.kvm, UFFDIO_REGISTER, &range), -1);
    CHECK_EQUAL(errno, ENOTTY);
    machine_expect_exactly(OUT, nothing_written);
}

/* --- guests that never get a range --- */

static void second_vm(void)
{
    machine_start(ON, SIZE);
    machine_expect_exactly(OUT, nothing_written);
    int vm = ioctl(machine.kvm, KVM_CREATE_VM, 0);
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    CHECK(vm >= 0 && vcpu >= 0);
    expect_none("got no range: this process has had a second VM\n");
    CHECK_EQUAL(machine_call_on(vcpu, 0x8002, OUT), REACHED_MONITOR);
    CHECK_EQUAL(machine_call_on(vcpu, 0x8001, OUT), REACHED_MONITOR);
    /* Its slots are not the first one's. */
    struct kvm_userspace_memory_region region = { 0, 0, 0, 0, 0 };
    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
    CHECK_EQUAL(machine_call(0x8002, 0x8000), BZ_HV_SUCCESS);
}

static void encrypted_by_request(void)
{
    machine_start(ON, SIZE);
    ioctl(machine.vm, KVM_MEMORY_ENCRYPT_OP, NULL);
    expect_none("got no range: the guest's memory is encrypted, so zero in the host is not zero in the guest\n");
}

static void encrypted_by_type(void)
{
    machine_create(NULL); /* not tracked */
    setenv("BOOTZERO", ON, 1);
    machine.vm = ioctl(machine.kvm, KVM_CREATE_VM, 4ul);
    machine.vcpu = ioctl(machine.vm, KVM_CREATE_VCPU, 0);
    machine.run = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vcpu, 0);
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    CHECK_EQUAL(machine_slot(0, 0, 0, SIZE, machine.ram), 0);
    expect_none("got no range: the guest's memory is encrypted");
}

static void without_proc(void)
{
    if (chroot("/sys/kernel") != 0 || chdir("/") != 0)
        SKIP("chroot is not allowed here");
    machine_start(ON, SIZE);
    expect_none("got no range: cannot open /proc/self/pagemap: No such file or directory\n");
}

/* What -runas and chroot do, after the VM is there. */
static void after_chroot_and_setuid(void)
{
    machine_start(ON, SIZE);
    if (chroot("/sys/kernel") != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0 || setgid(65534) != 0 ||
        setuid(65534) != 0)
        SKIP("chroot and setuid are not allowed here");
    CHECK(access("/proc/self/pagemap", R_OK) != 0);
    machine_expect_exactly(OUT, nothing_written);
}

static void in_a_forked_child(void)
{
    machine_start(ON, SIZE);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        expect_none("got no range: this process was forked from the one that created the VM\n");
        _exit(check_failures ? 1 : 0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int add_above_4g(void)
{
    return machine_slot(2, 0, 4 * GIB, 8 * MIB, machine_memory(8 * MIB)) |
           machine_slot(3, 0, 4 * GIB - 8 * MIB, 8 * MIB, machine_memory(8 * MIB));
}

static void persistent_memory(void)
{
    start_with(add_above_4g);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 4 * GIB, 5 * GIB), 0);
    CHECK_EQUAL(machine_reported(&answer, 4 * GIB - 8 * MIB, 4 * GIB), 8 * MIB);
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - PAGE);
    CHECK_CONTAINS(machine_log(), "left out: nothing above 4 GiB: the guest has persistent memory (nvdimm or "
                                  "virtio-pmem)\n");
}

static void no_persistent_memory(void)
{
    start_with(add_above_4g);
    expect_reported(4 * GIB, 5 * GIB, 8 * MIB);
}

/* The command line is that of the process: this one starts itself with QEMU's option. */
static void persistent_memory_on_the_command_line(void)
{
    execl("/proc/self/exe", "qemu", "persistent_memory", "-device", "nvdimm,memdev=m", (char *)NULL);
    CHECK(!"execl");
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        CASE(pam),
        CASE(while_a_slot_is_away),
        CASE(alias),
        CASE(smram),
        CASE(rom),
        CASE(rom_made_writable),
        CASE(memory_made_rom),
        CASE(guest_memfd),
        CASE(hot_plugged_after_the_first_run),
        CASE(plugged_before_the_first_run),
        CASE(registers_before_memory),
        CASE(numbers_are_reused),
        CASE(a_thousand_slots),
        CASE(refused_changes_change_nothing),
        CASE(dirty_logging_refuses),
        CASE(shared_anonymous),
        CASE(memfd),
        CASE(private_mapping_of_a_file),
        CASE(middle_of_a_file),
        CASE(a_file_mapped_twice),
        CASE(another_file_at_the_address),
        CASE(remapped),
        CASE(huge_pages),
        CASE(populated),
        CASE(populated_but_asked_late),
        CASE(populated_too_late),
        CASE(populated_before_the_vm),
        CASE(populated_then_postcopy),
        CASE(inaccessible),
        CASE(not_mapped),
        CASE(changed_in_the_middle),
        CASE(output_in_a_truncated_file),
        CASE(postcopy),
        CASE(userfaults_elsewhere),
        CASE(userfaults_refused),
        CASE(second_vm),
        CASE(encrypted_by_request),
        CASE(encrypted_by_type),
        CASE(without_proc),
        CASE(after_chroot_and_setuid),
        CASE(in_a_forked_child),
        CASE(no_persistent_memory),
        CASE(persistent_memory_on_the_command_line),
    };
    static const struct check_case started_by_another[] = { CASE(persistent_memory) };

    if (argc > 2)
        return check_main(2, argv, started_by_another, 1);
    return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
