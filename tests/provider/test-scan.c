/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the provider believes of the kernel: memory in every state, what each backend says of it, and a comparison of
 * the content of every page afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "check.h"
#include "qemu/abi-pagemap.h"
#include "qemu/scan.h"

#define PAGE 4096u
#define HUGE (2u << 20)
#define MAX_PAGES 65536

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

struct finding {
    struct bz_zero_sink sink;
    uint64_t base;
    uint64_t last_end;
    unsigned spans;
    bool zero[MAX_PAGES];
};

static struct finding by_scan, by_pagemap;
static struct bz_self self;
static struct bz_files files;
static struct bz_write_protect protect;
static const struct bz_memory known = { &self, &files, &protect };

static void take(struct bz_zero_sink *sink, struct bz_span span)
{
    struct finding *finding = (struct finding *)sink;

    CHECK(span.start < span.end && span.start % PAGE == 0 && span.end % PAGE == 0);
    CHECK(span.start >= finding->last_end);
    finding->last_end = span.end;
    finding->spans++;
    for (uint64_t at = span.start; at < span.end; at += PAGE)
        finding->zero[(at - finding->base) / PAGE] = true;
}

static struct bz_mapping mapping_of(const void *memory)
{
    struct bz_mappings list = { 0 };
    struct bz_span first = { (uintptr_t)memory, (uintptr_t)memory + PAGE };
    char why[160];

    CHECK(bz_mappings_read(self.maps, first, &list, why, sizeof why) && list.count == 1);
    struct bz_mapping mapping = list.count == 1 ? list.items[0] : (struct bz_mapping){ .kind = BZ_MEMORY_INACCESSIBLE };
    bz_mappings_clear(&list);
    return mapping;
}

static enum bz_scan_result scan(const struct bz_scan_backend *backend, struct finding *finding, uint8_t *memory,
                                size_t size)
{
    char why[160] = "";
    uint64_t start = (uintptr_t)memory;
    struct bz_mapping mapping = mapping_of(memory);

    CHECK(size / PAGE <= MAX_PAGES);
    bz_files_learn(&files, &mapping);
    memset(finding, 0, sizeof *finding);
    finding->sink.take = take;
    finding->base = start;
    enum bz_scan_result result =
        backend->scan(&known, &mapping, (struct bz_span){ start, start + size }, &finding->sink, why, sizeof why);
    if (result != BZ_SCAN_DONE)
        printf("# %s: %s\n", backend->name, why);
    return result;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

static void start(void)
{
    char why[160] = "";

    CHECK(bz_self_open(&self, why, sizeof why));
    CHECK_TEXT(why, "");
}

static uint8_t *memory_of(size_t size, int advice)
{
    /* Aligned to huge pages, so that the kernel may use them. */
    uint8_t *raw = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *memory = (uint8_t *)(((uintptr_t)raw + HUGE - 1) & -(uintptr_t)HUGE);
    CHECK(raw != MAP_FAILED && madvise(memory, size, advice) == 0);
    return memory;
}

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

/* The choice of backend for memory, of which the first MiB is scanned. */
static enum bz_scan_result choose(uint8_t *memory, const char **backend, char *why, size_t size)
{
    uint64_t base = (uintptr_t)memory;
    struct bz_mapping mapping = mapping_of(memory);

    memset(&by_scan, 0, sizeof by_scan);
    by_scan.sink.take = take;
    by_scan.base = base;
    *backend = "";
    return bz_scan(&known, &mapping, (struct bz_span){ base, base + (1 << 20) }, &by_scan.sink, backend, why, size);
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

static uint8_t *file_memory(int fd, int flags, off_t offset)
{
    uint8_t *memory = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, flags, fd, offset);

    CHECK(memory != MAP_FAILED);
    return memory;
}

static void expect_unavailable(uint8_t *memory, const char *reason)
{
    const char *backend;
    char why[160];

    CHECK_EQUAL(choose(memory, &backend, why, sizeof why), BZ_SCAN_UNAVAILABLE);
    CHECK_TEXT(why, reason);
    CHECK_EQUAL(by_scan.spans, 0);
}

static void memory_that_cannot_be_judged(void)
{
    start();
    expect_unavailable(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                       "guest memory is not readable and writable in QEMU");
    int fd = memfd_create("guest", 0);
    CHECK(ftruncate(fd, 4 << 20) == 0);
    uint8_t *shared = file_memory(fd, MAP_SHARED, 0), *private = file_memory(fd, MAP_PRIVATE, 0);
    close(fd);
    expect_unavailable(shared, "guest memory is shared and QEMU has no descriptor of it");
    expect_unavailable(private, "guest memory is a private mapping of a file and QEMU has no descriptor of it");
}

static void holes(void)
{
    const size_t size = 4 << 20;
    int fd = memfd_create("guest", 0), again;

    start();
    CHECK(ftruncate(fd, 64 << 20) == 0);
    /* Not at the start of the file, and a file that ends before the next mapping does. */
    uint8_t *memory = file_memory(fd, MAP_SHARED, 8 << 20);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK(by_scan.zero[0] && by_scan.zero[size / PAGE - 1]);

    /* Whoever writes, it is seen: this mapping, the file, another process. */
    memory[PAGE] = 1;
    CHECK(pwrite(fd, "x", 1, (8 << 20) + 10 * PAGE) == 1);
    pid_t child = fork();
    if (child == 0) {
        memory[20 * PAGE] = 1;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, (8 << 20) + 40 * PAGE, PAGE) == 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 4);
    CHECK(!by_scan.zero[1] && !by_scan.zero[10] && !by_scan.zero[20] && by_scan.zero[40]);

    /* Ours is a duplicate: QEMU may close its own, and the number may come to mean another file. */
    again = memfd_create("other", 0);
    CHECK(dup2(again, fd) == fd && ftruncate(fd, 64 << 20) == 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 4);
    CHECK_EQUAL(files.count, 1);
}

static void beyond_the_end_of_the_file(void)
{
    int fd = memfd_create("guest", 0);

    start();
    CHECK(ftruncate(fd, (1 << 20) + 100) == 0);
    uint8_t *memory = file_memory(fd, MAP_SHARED, 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, 4 << 20), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK(by_scan.zero[(1 << 20) / PAGE - 1] && !by_scan.zero[(1 << 20) / PAGE]);
}

static void private_mapping_of_a_file(void)
{
    const size_t size = 4 << 20;
    int fd = memfd_create("guest", 0);

    start();
    CHECK(ftruncate(fd, 64 << 20) == 0 && pwrite(fd, "old", 3, (8 << 20) + 5 * PAGE) == 3);
    uint8_t *memory = file_memory(fd, MAP_PRIVATE, 8 << 20);
    memory[7 * PAGE] = 1;
    CHECK_EQUAL(scan(&bz_scan_private_file, &by_scan, memory, size), BZ_SCAN_DONE);
    for (size_t page = 0; page < size / PAGE; page++)
        CHECK_EQUAL(by_scan.zero[page], page != 5 && page != 7);
    /* A page given back shows the file again, which has old content. */
    memory[5 * PAGE] = 0;
    CHECK(madvise(memory, 16 * PAGE, MADV_DONTNEED) == 0);
    CHECK_EQUAL(scan(&bz_scan_private_file, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK(!by_scan.zero[5] && by_scan.zero[8] && memory[5 * PAGE] == 'o');
}

static void not_a_memfd(void)
{
    char name[] = "/var/tmp/bootzero-test-XXXXXX";
    int fd = mkstemp(name);
    struct statfs about;

    start();
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 8 << 20) == 0 && fstatfs(fd, &about) == 0);
    if (about.f_type == TMPFS_MAGIC)
        SKIP("/var/tmp is on tmpfs");
    uint8_t *shared = file_memory(fd, MAP_SHARED, 0);
    struct bz_mapping mapping = mapping_of(shared);
    bz_files_learn(&files, &mapping);
    expect_unavailable(shared, files.count ? "guest memory is a shared file that is neither a memfd nor on tmpfs"
                                           : "guest memory is shared and QEMU has no descriptor of it");
}

/* Without a reservation the mapping needs none to be there. */
static void shared_huge_pages(void)
{
    int fd = memfd_create("guest", MFD_HUGETLB);

    start();
    if (fd < 0 || ftruncate(fd, 4 << 20) != 0)
        SKIP("this kernel has no huge pages");
    uint8_t *shared = file_memory(fd, MAP_SHARED | MAP_NORESERVE, 0);
    struct bz_mapping mapping = mapping_of(shared);
    bz_files_learn(&files, &mapping);
    expect_unavailable(shared, "guest memory is shared huge pages, which others may write unseen");
}

static bool mount_on_mnt(const char *type)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/mnt", type, 0, NULL) == 0;
}

static int file_on_mnt(void)
{
    int fd = open("/mnt/guest", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && ftruncate(fd, 8 << 20) == 0);
    return fd;
}

/* Whether its holes mean what those of the others do, nobody has looked at. */
static void another_file_system(void)
{
    start();
    if (!mount_on_mnt("ramfs"))
        SKIP("cannot mount a file system of another kind");
    int fd = file_on_mnt();
    uint8_t *private = file_memory(fd, MAP_PRIVATE, 0);
    struct bz_mapping mapping = mapping_of(private);
    bz_files_learn(&files, &mapping);
    expect_unavailable(private,
                       "guest memory is a private mapping of a file that is neither a memfd nor on tmpfs or ext4");
    expect_unavailable(file_memory(fd, MAP_SHARED, 0),
                       "guest memory is a shared file that is neither a memfd nor on tmpfs");
}

/* Of the descriptors that might be the memory's, only one is. */
static void descriptors_of_other_files(void)
{
    struct stat first, second;

    start();
    if (!mount_on_mnt("tmpfs"))
        SKIP("cannot mount a tmpfs");
    int other = file_on_mnt();
    CHECK(mount_on_mnt("tmpfs"));
    int fd = file_on_mnt();
    CHECK(other < fd && fstat(other, &first) == 0 && fstat(fd, &second) == 0);
    if (first.st_ino != second.st_ino)
        SKIP("two tmpfs do not number their files alike (Linux 5.9)");
    CHECK(pwrite(fd, "x", 1, 3 * PAGE) == 1);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, file_memory(fd, MAP_SHARED, 0), 4 << 20), BZ_SCAN_DONE);
    CHECK(by_scan.zero[2] && !by_scan.zero[3]);
}

/* Which tells nothing of the content. */
static void descriptor_of_a_path(void)
{
    int fd = memfd_create("guest", 0);
    char name[40];

    start();
    CHECK(ftruncate(fd, 4 << 20) == 0);
    uint8_t *memory = file_memory(fd, MAP_SHARED, 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int path = open(name, O_PATH | O_CLOEXEC), later = fcntl(fd, F_DUPFD_CLOEXEC, path + 1);
    CHECK(path >= 0 && later > path && close(fd) == 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, 4 << 20), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
}

/* --- memory populated in advance --- */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct bz_span span_of(const void *memory, size_t size)
{
    return (struct bz_span){ (uintptr_t)memory, (uintptr_t)memory + size };
}

static bool populate(uint8_t *memory, size_t size)
{
    struct bz_span span = span_of(memory, size);
    bool fresh = bz_write_protect_begin(&protect, &self, &files, span);

    CHECK(madvise(memory, size, MADV_POPULATE_WRITE) == 0);
    if (fresh)
        bz_write_protect_end(&protect, &self, &files, span, true);
    CHECK_EQUAL(protect.populating, 0);
    CHECK_EQUAL(protect.fresh.count, 0);
    if (strstr(protect.why, "userfaultfd") || strstr(protect.why, "PAGEMAP_SCAN"))
        SKIP(protect.why);
    return bz_spans_overlap(&protect.spans, span);
}

static void write_protected(int advice)
{
    const size_t size = 8 << 20;

    start();
    uint8_t *memory = memory_of(size, advice);
    CHECK(populate(memory, PAGE)); /* as QEMU tries whether it can */
    CHECK(populate(memory, size));
    CHECK_TEXT(protect.why, "");
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK(by_scan.zero[0] && by_scan.zero[size / PAGE - 1]);

    static uint8_t data[PAGE] = { 7 };
    struct iovec from = { data, 16 }, to = { memory + 9 * PAGE, 16 };
    memory[3 * PAGE] = 1;
    CHECK(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 16);
    /* Given back: nowhere, read since, written since, and an entry that is no page. */
    memory[20 * PAGE] = memory[21 * PAGE] = memory[22 * PAGE] = 1;
    CHECK(madvise(memory + 20 * PAGE, 3 * PAGE, MADV_DONTNEED) == 0);
    CHECK_EQUAL(((volatile uint8_t *)memory)[21 * PAGE], 0);
    memory[22 * PAGE] = 1;
    bool has_guard = madvise(memory + 23 * PAGE, PAGE, MADV_GUARD_INSTALL) == 0;
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, size), BZ_SCAN_DONE);
    for (size_t page = 0; page < size / PAGE; page++) {
        CHECK_EQUAL(by_scan.zero[page], page != 3 && page != 9 && page != 22 && !(page == 23 && has_guard));
        if (by_scan.zero[page])
            CHECK(is_zero(memory + page * PAGE));
    }

    bz_write_protect_drop(&protect, "for a reason");
    CHECK_EQUAL(protect.spans.count, 0);
    CHECK_TEXT(protect.why, "guest memory populated in advance is not tracked: for a reason");
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, size), BZ_SCAN_UNAVAILABLE);
    /* What was protected is present still: the rule for memory populated on demand finds nothing in it. */
    CHECK_EQUAL(scan(&bz_scan_anonymous, &by_scan, memory + 32 * PAGE, size - 32 * PAGE), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 0);
}

static void populated(void)
{
    write_protected(MADV_NOHUGEPAGE);
}

static void populated_huge(void)
{
    write_protected(MADV_HUGEPAGE);
}

/* Whatever was there before might be written by a pin, unseen. */
static void populated_over_content(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    memory[5 * PAGE] = 0;
    CHECK(!populate(memory, 1 << 20));
    CHECK_TEXT(protect.why, "guest memory populated in advance is not tracked: it was in use before it was populated");
    /* What is apart from it is not concerned. */
    CHECK(populate(memory_of(1 << 20, MADV_NOHUGEPAGE), 1 << 20));
}

static void populated_again_after_a_write(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    CHECK(populate(memory, 1 << 20));
    memory[5 * PAGE] = 1;
    populate(memory, 1 << 20);
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, 1 << 20), BZ_SCAN_DONE);
    CHECK(!by_scan.zero[5]);
}

static void mapped_anew(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    CHECK(populate(memory, 1 << 20));
    CHECK(mmap(memory, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory);
    memory[0] = 1;
    expect_unavailable(memory, "guest memory was mapped anew after its write-protection");
}

static void not_to_be_protected(void)
{
    int fd = memfd_create("guest", 0);

    start();
    CHECK(ftruncate(fd, 4 << 20) == 0);
    CHECK(!populate(file_memory(fd, MAP_SHARED, 0), 4 << 20));
    CHECK(!populate(file_memory(fd, MAP_PRIVATE, 0), 4 << 20));
    CHECK_TEXT(protect.why, "");
}

/* Known to be of huge pages, of which there need be none here: it is the file that is looked at, before and after. */
static void populated_file_with_content(void)
{
    start();
    for (int filled = 1; filled >= 0; filled--) {
        int fd = memfd_create("guest", 0);
        CHECK(ftruncate(fd, 4 << 20) == 0 && pwrite(fd, "x", filled, 5 * PAGE) == filled);
        uint8_t *memory = file_memory(fd, MAP_PRIVATE, 0);
        struct bz_mapping mapping = mapping_of(memory);
        bz_files_learn(&files, &mapping);
        files.items[files.count - 1].file_system = BZ_FILE_SYSTEM_HUGETLB;
        CHECK_TEXT(protect.why, "");
        CHECK(!populate(memory, 4 << 20));
    }
    /* The second one was empty: a tmpfs fills holes that are only read. */
    CHECK_TEXT(protect.why, "guest memory populated in advance is not tracked: it changed while it was populated");
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
           CASE(swapped), CASE(guard_pages), CASE(older_kernels), CASE(other_errors),
           CASE(memory_that_cannot_be_judged), CASE(holes), CASE(beyond_the_end_of_the_file),
           CASE(private_mapping_of_a_file), CASE(not_a_memfd), CASE(shared_huge_pages),
           CASE(another_file_system), CASE(descriptors_of_other_files), CASE(descriptor_of_a_path), CASE(populated),
           CASE(populated_huge), CASE(populated_over_content), CASE(populated_again_after_a_write), CASE(mapped_anew),
           CASE(not_to_be_protected), CASE(populated_file_with_content), CASE(pagemap_errors))
