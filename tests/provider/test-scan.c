/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the provider believes of the kernel: private anonymous memory in every state, what each backend says of it, and a
 * comparison of the content of every page afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"
#include "finding.h"
#include "qemu/abi-pagemap.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static struct finding by_pagemap;

/*
 * Scans by both backends. expected tells which pages must be found zero (precision), also when they were only read;
 * soundness is checked by content for all pages. Fails the test when this kernel has no PAGEMAP_SCAN: returns false.
 */
enum expectation { NOT_ZERO, ZERO, ZERO_ONLY_READ, EITHER };

static void compare(uint8_t *memory, size_t size, enum expectation (*expected)(size_t page))
{
    bool has_scan = scan(&bz_scan_anonymous, &by_scan, memory, size) == BZ_SCAN_DONE;
    CHECK_EQUAL(scan(&bz_scan_pagemap, &by_pagemap, memory, size), BZ_SCAN_DONE);

    for (size_t page = 0; page < size / PAGE; page++) {
        enum expectation wanted = expected(page);
        if (wanted == ZERO || wanted == NOT_ZERO) {
            CHECK_EQUAL(by_pagemap.zero[page], wanted == ZERO);
            if (has_scan)
                CHECK_EQUAL(by_scan.zero[page], wanted == ZERO);
        } else if (wanted == ZERO_ONLY_READ && has_scan) {
            CHECK(by_scan.zero[page]);
        }
        /* Ground truth. */
        if (by_scan.zero[page] || by_pagemap.zero[page])
            CHECK(is_zero(memory + page * PAGE));
        if (check_failures > 20) {
            printf("# page %zu of %zu: giving up\n", page, size / PAGE);
            return;
        }
    }
    if (!has_scan)
        SKIP("this kernel has no PAGEMAP_SCAN (Linux 6.7); the pagemap backend was checked alone");
}

static enum expectation all_zero(size_t page)
{
    return ZERO;
}

static enum expectation none_zero(size_t page)
{
    return NOT_ZERO;
}

static enum expectation even_zero(size_t page)
{
    return page % 2 ? NOT_ZERO : ZERO;
}

static enum expectation all_only_read(size_t page)
{
    return ZERO_ONLY_READ;
}

static void untouched(void)
{
    start();
    compare(memory_of(16 << 20, MADV_NOHUGEPAGE), 16 << 20, all_zero);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK_EQUAL(by_pagemap.spans, 1);
}

static void written(void)
{
    start();
    uint8_t *memory = memory_of(4 << 20, MADV_NOHUGEPAGE);
    memset(memory, 0xa5, 4 << 20);
    compare(memory, 4 << 20, none_zero);
}

/* Content is not looked at: a page that was written with zeroes counts as written. */
static void written_with_zeroes(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    explicit_bzero(memory, 1 << 20);
    compare(memory, 1 << 20, none_zero);
}

/* Far more regions than one system call gives: every second page. */
static void checkerboard(void)
{
    start();
    uint8_t *memory = memory_of(128 << 20, MADV_NOHUGEPAGE);
    for (size_t page = 1; page < (128u << 20) / PAGE; page += 2)
        memory[page * PAGE + page % PAGE] = 1;
    compare(memory, 128 << 20, even_zero);
    CHECK_EQUAL(by_scan.spans, (128u << 20) / PAGE / 2);
}

/* The number of regions around the most that one system call gives, where resuming could go wrong. */
static void regions_around_the_limit(void)
{
    start();
    for (size_t regions = 510; regions <= 514; regions++) {
        for (size_t tail = 0; tail < 2; tail++) {
            size_t size = (regions * 2 + tail) * PAGE;
            uint8_t *memory = memory_of(size, MADV_NOHUGEPAGE);
            for (size_t page = 1; page < size / PAGE; page += 2)
                memory[page * PAGE] = 1;
            compare(memory, size, even_zero);
            CHECK_EQUAL(by_scan.spans, regions + tail);
        }
    }
}

static void only_read(void)
{
    start();
    volatile uint8_t *memory = memory_of(4 << 20, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < 4 << 20; at += PAGE)
        CHECK(memory[at] == 0);
    compare((uint8_t *)memory, 4 << 20, all_only_read);
    CHECK_EQUAL(by_scan.spans, 1);
    /* The entries alone cannot tell a read page from a written one. */
    CHECK_EQUAL(by_pagemap.spans, 0);
}

/* Sparse and read pages side by side make one range. */
static void read_beside_untouched(void)
{
    start();
    volatile uint8_t *memory = memory_of(4 << 20, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < 4 << 20; at += 3 * PAGE)
        CHECK(memory[at] == 0);
    compare((uint8_t *)memory, 4 << 20, all_only_read);
    CHECK_EQUAL(by_scan.spans, 1);
}

static void discarded(void)
{
    start();
    uint8_t *memory = memory_of(4 << 20, MADV_NOHUGEPAGE);
    memset(memory, 0xff, 4 << 20);
    for (size_t page = 0; page < (4u << 20) / PAGE; page += 2)
        CHECK(madvise(memory + page * PAGE, PAGE, MADV_DONTNEED) == 0);
    compare(memory, 4 << 20, even_zero);
}

/* Writers that are not this process's own stores. */
static void written_by_the_kernel(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    int zero = memfd_create("source", 0);
    static uint8_t data[PAGE];
    memset(data, 7, sizeof data);
    CHECK(write(zero, data, sizeof data) == sizeof data);
    for (size_t page = 1; page < (1u << 20) / PAGE; page += 2) {
        uint8_t *target = memory + page * PAGE;
        if (page % 4 == 1) {
            CHECK(pread(zero, target, 16, 0) == 16);
        } else {
            struct iovec from = { data, 16 }, to = { target + 100, 16 };
            CHECK(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 16);
        }
    }
    compare(memory, 1 << 20, even_zero);
}

static void after_a_fork(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    for (size_t page = 1; page < (1u << 20) / PAGE; page += 2)
        memory[page * PAGE] = 1;
    pid_t child = fork();
    if (child == 0) {
        /* Writes of a child are its own; the descriptor shows the parent. */
        memset(memory, 1, 1 << 20);
        CHECK(!bz_self_is_me(&self));
        _exit(check_failures ? 1 : 0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(bz_self_is_me(&self));
    compare(memory, 1 << 20, even_zero);
}

static void locked(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    /* Not mlock(): the address sanitizer makes that do nothing. */
    if (syscall(SYS_mlock, memory, 1 << 20) != 0)
        SKIP("mlock is not allowed here");
    /* All is present now. Zero it is, but the kernel cannot say that nobody wrote it. */
    compare(memory, 1 << 20, none_zero);
}

static unsigned long smaps_kb(const void *memory, const char *field)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    char line[512];
    unsigned long start_address, end_address, value = 0;
    bool inside = false;

    while (smaps && fgets(line, sizeof line, smaps)) {
        if (sscanf(line, "%lx-%lx ", &start_address, &end_address) == 2)
            inside = (uintptr_t)memory >= start_address && (uintptr_t)memory < end_address;
        else if (inside && strncmp(line, field, strlen(field)) == 0)
            value = strtoul(line + strlen(field), NULL, 10);
    }
    if (smaps)
        fclose(smaps);
    return value;
}

static enum expectation first_huge_page_written(size_t page)
{
    return page < HUGE / PAGE ? NOT_ZERO : ZERO;
}

static void huge_pages(void)
{
    start();
    uint8_t *memory = memory_of(4 * HUGE, MADV_HUGEPAGE);
    memory[5 * PAGE] = 1;
    if (smaps_kb(memory, "AnonHugePages:") != HUGE / 1024)
        SKIP("no transparent huge page to be had");
    compare(memory, 4 * HUGE, first_huge_page_written);
}

static enum expectation reads_then_write_in_second(size_t page)
{
    return page / (HUGE / PAGE) == 1 ? NOT_ZERO : EITHER;
}

/* The kernel's huge page of zeroes, and a write that replaces it. */
static void huge_pages_only_read(void)
{
    start();
    volatile uint8_t *memory = memory_of(4 * HUGE, MADV_HUGEPAGE);
    for (size_t at = 0; at < 4 * HUGE; at += PAGE)
        CHECK(memory[at] == 0);
    scan(&bz_scan_anonymous, &by_scan, (uint8_t *)memory, 4 * HUGE);
    printf("# of %u pages that were only read under huge pages %u spans are found\n", 4 * HUGE / PAGE, by_scan.spans);
    memory[HUGE + 17] = 1;
    memory[HUGE + 17] = 0;
    if (smaps_kb((void *)memory, "AnonHugePages:") == 0)
        SKIP("no transparent huge page to be had");
    compare((uint8_t *)memory, 4 * HUGE, reads_then_write_in_second);
}

static void swapped(void)
{
    start();
    uint8_t *memory = memory_of(4 << 20, MADV_NOHUGEPAGE);
    memset(memory, 0x5a, 4 << 20);
    if (madvise(memory, 4 << 20, MADV_PAGEOUT) != 0 || smaps_kb(memory, "Swap:") == 0) {
        compare(memory, 4 << 20, none_zero);
        SKIP("no swap here: pages cannot be swapped out");
    }
    compare(memory, 4 << 20, none_zero);
}

/* A page table marker is an entry like that of a swapped page; there need be no swap for it. */
static void guard_pages(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    for (size_t page = 1; page < (1u << 20) / PAGE; page += 2)
        if (madvise(memory + page * PAGE, PAGE, MADV_GUARD_INSTALL) != 0)
            SKIP("this kernel has no guard pages (Linux 6.13)");
    compare(memory, 1 << 20, even_zero);
}

/* Makes ioctl(PAGEMAP_SCAN) fail with error, as kernels without it do. */
static void deny_pagemap_scan(int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)BZ_PAGEMAP_SCAN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void older_kernels(void)
{
    static const int unknown[] = { ENOTTY, EINVAL };
    const char *backend;
    char why[160];

    start();
    for (size_t i = 0; i < 2; i++) {
        uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
        memory[0] = 1;
        deny_pagemap_scan(unknown[i]);
        CHECK_EQUAL(choose(memory, &backend, why, sizeof why), BZ_SCAN_DONE);
        CHECK_TEXT(backend, "pagemap");
        CHECK_EQUAL(by_scan.spans, 1);
        CHECK(!by_scan.zero[0] && by_scan.zero[1]);
    }
}

static void other_errors(void)
{
    const char *backend;
    char why[160];

    start();
    deny_pagemap_scan(EPERM);
    CHECK_EQUAL(choose(memory_of(1 << 20, MADV_NOHUGEPAGE), &backend, why, sizeof why), BZ_SCAN_FAILED);
    CHECK_TEXT(why, "PAGEMAP_SCAN: Operation not permitted");
    CHECK_EQUAL(by_scan.spans, 0);
}

static void pagemap_errors(void)
{
    char why[160];
    struct bz_span span = { 0x10000, 0x20000 };
    struct bz_mapping mapping = { .span = span, .kind = BZ_MEMORY_PRIVATE_ANONYMOUS };

    self.pagemap = memfd_create("short", 0);
    by_scan.sink.take = take;
    CHECK_EQUAL(bz_scan_pagemap.scan(&known, &mapping, span, &by_scan.sink, why, sizeof why), BZ_SCAN_FAILED);
    CHECK_TEXT(why, "cannot read /proc/self/pagemap: it is too short");
    close(self.pagemap);
    CHECK_EQUAL(bz_scan_pagemap.scan(&known, &mapping, span, &by_scan.sink, why, sizeof why), BZ_SCAN_FAILED);
    CHECK_TEXT(why, "cannot read /proc/self/pagemap: Bad file descriptor");
    CHECK_EQUAL(bz_scan_anonymous.scan(&known, &mapping, span, &by_scan.sink, why, sizeof why), BZ_SCAN_FAILED);
    CHECK_TEXT(why, "PAGEMAP_SCAN: Bad file descriptor");
}

CHECK_MAIN(CASE(untouched), CASE(written), CASE(written_with_zeroes), CASE(checkerboard),
           CASE(regions_around_the_limit), CASE(only_read), CASE(read_beside_untouched), CASE(discarded),
           CASE(written_by_the_kernel), CASE(after_a_fork), CASE(locked), CASE(huge_pages), CASE(huge_pages_only_read),
           CASE(swapped), CASE(guard_pages), CASE(older_kernels), CASE(other_errors), CASE(pagemap_errors))
