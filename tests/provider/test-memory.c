/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory behind the slots, of every kind and through its changes: what is reported of it, or why nothing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "asking.h"
#include "check.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

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

CHECK_MAIN(CASE(shared_anonymous), CASE(memfd), CASE(private_mapping_of_a_file), CASE(middle_of_a_file),
           CASE(a_file_mapped_twice), CASE(another_file_at_the_address), CASE(remapped), CASE(huge_pages),
           CASE(populated), CASE(populated_but_asked_late), CASE(populated_too_late), CASE(populated_before_the_vm),
           CASE(populated_then_postcopy), CASE(inaccessible), CASE(not_mapped), CASE(changed_in_the_middle),
           CASE(output_in_a_truncated_file), CASE(postcopy), CASE(userfaults_elsewhere), CASE(userfaults_refused))
