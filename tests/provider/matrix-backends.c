/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "matrix.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

bool matrix_pin_early;

/* What of a file is in memory is mapped together with the page that is read. */
#define MAPPED_AROUND (16 * MATRIX_PAGE)

/* Aligned to huge pages. */
static bool map(struct memory *memory, int flags, int fd, uint64_t offset)
{
    uint8_t *space = mmap(NULL, MATRIX_SIZE + MATRIX_HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *aligned = (uint8_t *)(((uintptr_t)space + MATRIX_HUGE - 1) & -(uintptr_t)MATRIX_HUGE);

    if (space == MAP_FAILED)
        return false;
    memory->host = mmap(aligned, MATRIX_SIZE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, (off_t)offset);
    memory->fd = fd;
    memory->offset = offset;
    memory->shared = (flags & MAP_SHARED) != 0;
    return memory->host != MAP_FAILED;
}

static bool anonymous(struct memory *memory, int advice)
{
    return map(memory, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) && madvise(memory->host, MATRIX_SIZE, advice) == 0;
}

/* As QEMU does: one page to try, then all. */
static bool populate(const struct memory *memory, size_t page_size)
{
    if (matrix_pin_early && !matrix_pin(memory))
        return false;
    return madvise(memory->host, page_size, MADV_POPULATE_WRITE) == 0 &&
           madvise(memory->host, MATRIX_SIZE, MADV_POPULATE_WRITE) == 0;
}

static bool small(struct memory *memory)
{
    return anonymous(memory, MADV_NOHUGEPAGE);
}

static bool transparent(struct memory *memory)
{
    memory->large = true;
    return anonymous(memory, MADV_HUGEPAGE);
}

static bool small_populated(struct memory *memory)
{
    return small(memory) && populate(memory, MATRIX_PAGE);
}

static bool transparent_populated(struct memory *memory)
{
    return transparent(memory) && populate(memory, MATRIX_PAGE);
}

static bool of_memfd(struct memory *memory, int flags, unsigned memfd_flags)
{
    int fd = memfd_create("guest", MFD_CLOEXEC | memfd_flags);

    return fd >= 0 && ftruncate(fd, 2 * MATRIX_SIZE) == 0 && map(memory, flags, fd, MATRIX_SIZE);
}

static bool memfd_shared(struct memory *memory)
{
    return of_memfd(memory, MAP_SHARED, 0);
}

static bool memfd_shared_populated(struct memory *memory)
{
    return memfd_shared(memory) && populate(memory, MATRIX_PAGE);
}

static bool memfd_private(struct memory *memory)
{
    return of_memfd(memory, MAP_PRIVATE, 0);
}

/* As QEMU makes it, which seals the size. */
static bool memfd_sealed(struct memory *memory)
{
    return of_memfd(memory, MAP_SHARED, MFD_ALLOW_SEALING) &&
           fcntl(memory->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* Allocated and never written. */
static bool fallocated(struct memory *memory)
{
    return fallocate(memory->fd, 0, (off_t)memory->offset, MATRIX_SIZE) == 0;
}

static bool memfd_fallocated(struct memory *memory)
{
    return memfd_shared(memory) && fallocated(memory);
}

/* A file that has content in some pages already. */
static bool of_file(struct memory *memory, const char *folder, unsigned long magic, int flags)
{
    char path[64] = "";
    struct statfs about;

    strcat(strcpy(path, folder), "/bootzero-matrix-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    unlink(path);
    if (fstatfs(fd, &about) != 0 || (unsigned long)about.f_type != magic || ftruncate(fd, 2 * MATRIX_SIZE) != 0)
        return false;
    for (unsigned page = 17; page < MATRIX_WRITTEN / MATRIX_PAGE; page += 203)
        if (pwrite(fd, "old", 3, MATRIX_SIZE + (off_t)page * MATRIX_PAGE + 77) != 3)
            return false;
    return map(memory, flags, fd, MATRIX_SIZE);
}

static bool tmpfs_shared(struct memory *memory)
{
    return of_file(memory, "/dev/shm", TMPFS_MAGIC, MAP_SHARED);
}

static bool tmpfs_private(struct memory *memory)
{
    return of_file(memory, "/dev/shm", TMPFS_MAGIC, MAP_PRIVATE);
}

static bool ext4_shared(struct memory *memory)
{
    return of_file(memory, "/var/tmp", EXT4_SUPER_MAGIC, MAP_SHARED);
}

static bool ext4_private(struct memory *memory)
{
    return of_file(memory, "/var/tmp", EXT4_SUPER_MAGIC, MAP_PRIVATE);
}

/* What is read in around a page counts as data there. */
static bool ext4_private_fallocated(struct memory *memory)
{
    return ext4_private(memory) && fallocated(memory);
}

/* Was full of content, of which most was discarded before the guest came: in the middle of a page at one end. */
static bool punched(struct memory *memory)
{
    static uint8_t content[MATRIX_WRITTEN];
    const off_t start = MATRIX_PAGE * 5 + 100;

    memset(content, 0x77, sizeof content);
    return pwrite(memory->fd, content, sizeof content, (off_t)memory->offset) == (ssize_t)sizeof content &&
           fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)memory->offset + start,
                     (off_t)sizeof content - start) == 0;
}

static bool ext4_private_punched(struct memory *memory)
{
    return ext4_private(memory) && punched(memory);
}

static bool tmpfs_shared_punched(struct memory *memory)
{
    return tmpfs_shared(memory) && punched(memory);
}

/* A guest whose NUMA nodes have different kinds of memory, as neighbours in this process and for the guest. */
static bool of_all_kinds(struct memory *memory)
{
    const size_t part = 1 << 20;
    int fd = memfd_create("guest", MFD_CLOEXEC);
    bool good = small(memory) && fd >= 0 && ftruncate(fd, MATRIX_SIZE) == 0;

    for (size_t at = part; good && at < MATRIX_SIZE; at += 2 * part)
        good = mmap(memory->host + at, part, PROT_READ | PROT_WRITE,
                    (at / part % 4 == 1 ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, fd, (off_t)at) != MAP_FAILED;
    memory->slots = MATRIX_SIZE / part;
    return good;
}

static bool without_descriptor(struct memory *memory)
{
    return map(memory, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static bool huge_private(struct memory *memory)
{
    return of_memfd(memory, MAP_PRIVATE, MFD_HUGETLB);
}

static bool huge_private_populated(struct memory *memory)
{
    return huge_private(memory) && populate(memory, MATRIX_HUGE);
}

static bool huge_shared_populated(struct memory *memory)
{
    return of_memfd(memory, MAP_SHARED, MFD_HUGETLB) && populate(memory, MATRIX_HUGE);
}

/* Huge pages with content in the file. */
static bool huge_private_used(struct memory *memory)
{
    if (!of_memfd(memory, MAP_PRIVATE, MFD_HUGETLB))
        return false;
    uint8_t *again = mmap(NULL, MATRIX_HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, (off_t)memory->offset);
    if (again == MAP_FAILED)
        return false;
    again[12345] = 1;
    munmap(again, MATRIX_HUGE);
    return populate(memory, MATRIX_HUGE);
}

const struct backend matrix_backends[] = {
    { "anonymous", MATRIX_PAGE, PRECISE, 0, false, small },
    { "anonymous-thp", MATRIX_HUGE, PRECISE, 0, false, transparent },
    { "anonymous-prealloc", MATRIX_PAGE, PRECISE, 0, true, small_populated },
    { "anonymous-thp-prealloc", MATRIX_PAGE, PRECISE, 0, true, transparent_populated },
    { "memfd-shared", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, memfd_shared },
    { "memfd-shared-prealloc", MATRIX_PAGE, PRECISE, MATRIX_PAGE, true, memfd_shared_populated },
    { "memfd-sealed", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, memfd_sealed, true },
    { "memfd-fallocated", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, memfd_fallocated, true },
    { "memfd-private", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, memfd_private },
    { "tmpfs-shared", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, tmpfs_shared },
    { "tmpfs-shared-punched", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, tmpfs_shared_punched, true },
    { "tmpfs-private", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, tmpfs_private },
    { "ext4-shared", MATRIX_PAGE, NOTHING, MAPPED_AROUND, false, ext4_shared, true },
    { "ext4-private", MATRIX_PAGE, PRECISE, MAPPED_AROUND, false, ext4_private },
    { "ext4-private-fallocated", MATRIX_PAGE, SOME, MAPPED_AROUND, false, ext4_private_fallocated, true },
    { "ext4-private-punched", MATRIX_PAGE, PRECISE, MAPPED_AROUND, false, ext4_private_punched, true },
    { "of-all-kinds", MATRIX_PAGE, PRECISE, MATRIX_PAGE, false, of_all_kinds },
    { "shared-without-fd", MATRIX_PAGE, NOTHING, MATRIX_PAGE, false, without_descriptor, true },
    { "hugetlb-private", MATRIX_HUGE, PRECISE, MATRIX_HUGE, false, huge_private },
    { "hugetlb-private-prealloc", MATRIX_HUGE, PRECISE, 0, true, huge_private_populated },
    { "hugetlb-private-used", MATRIX_HUGE, NOTHING, 0, true, huge_private_used, true },
    { "hugetlb-shared-prealloc", MATRIX_HUGE, NOTHING, MATRIX_HUGE, true, huge_shared_populated, true },
};
const size_t matrix_n_backends = sizeof matrix_backends / sizeof matrix_backends[0];
