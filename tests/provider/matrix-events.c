/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens in a guest's life: each event between the first and the second half of the writes, or after both. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "matrix.h"
#include "vmm.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static bool nothing(const struct memory *memory)
{
    return true;
}

/* A balloon, free page reporting, virtio-mem: QEMU gives memory back to the host. */
static bool discard(const struct memory *memory)
{
    const size_t start = MATRIX_HUGE;

    if (memory->shared && memory->fd >= 0 &&
        fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(memory->offset + start),
                  MATRIX_HUGE) != 0)
        return false;
    /* Of a private file, and memory of several slots may be one, only this process's copy goes. */
    if (memory->shared || (memory->fd < 0 && memory->slots == 0))
        matrix_fill(start, MATRIX_HUGE, false);
    return madvise(memory->host + start, MATRIX_HUGE, memory->shared ? MADV_REMOVE : MADV_DONTNEED) == 0;
}

static bool asked_before(const struct memory *memory)
{
    static struct bz_hv_boot_zeroed_memory answer;

    return vmm_ask(&answer) == 0;
}

/* The firmware of a guest that was reset cuts the slots anew. */
static bool slot_recreated(const struct memory *memory)
{
    vmm_recreate_slots(0);
    return true;
}

static bool reset(const struct memory *memory)
{
    vmm_reset();
    return true;
}

/* Memory that comes while the guest runs is not boot memory: to report it would be an answer that is wrong. */
static bool dimm_plugged(const struct memory *memory)
{
    void *dimm = mmap(NULL, MATRIX_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (dimm == MAP_FAILED)
        return false;
    vmm_plug(dimm, MATRIX_HUGE);
    vmm_plug(NULL, 0);
    vmm_plug(dimm, MATRIX_HUGE);
    return true;
}

/* virtio-mem with preallocation: unplugged, and plugged again. */
static bool replugged(const struct memory *memory)
{
    bool good = discard(memory);

    matrix_fill(MATRIX_HUGE, MATRIX_HUGE, true);
    return good && madvise(memory->host + MATRIX_HUGE, MATRIX_HUGE, MADV_POPULATE_WRITE) == 0;
}

/* Given back whenever the host likes. */
static bool freed_lazily(const struct memory *memory)
{
    return madvise(memory->host + MATRIX_HUGE, MATRIX_HUGE, MADV_FREE) == 0 &&
           madvise(memory->host + MATRIX_HUGE, MATRIX_HUGE / 2, MADV_PAGEOUT) == 0;
}

/* As QEMU does, through ioctl(). The descriptor, or -1. */
static int register_userfaults(const struct memory *memory, uint64_t mode, uint64_t features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };
    struct uffdio_register range = { .range = { (uintptr_t)memory->host, MATRIX_SIZE }, .mode = mode };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &range) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool unregister_userfaults(const struct memory *memory, int fd)
{
    struct uffdio_range range = { (uintptr_t)memory->host, MATRIX_SIZE };

    return ioctl(fd, UFFDIO_UNREGISTER, &range) == 0;
}

/* The source of a snapshot protects all memory, saves it, and lets go. */
static bool background_snapshot(const struct memory *memory)
{
    int fd = register_userfaults(memory, UFFDIO_REGISTER_MODE_WP, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
    struct uffdio_writeprotect protection = { { (uintptr_t)memory->host, MATRIX_SIZE }, UFFDIO_WRITEPROTECT_MODE_WP };

    return fd >= 0 && ioctl(fd, UFFDIO_WRITEPROTECT, &protection) == 0 && unregister_userfaults(memory, fd);
}

/* The destination of a migration: pages come when they are touched. Those that are there already stay. */
static bool postcopy(const struct memory *memory)
{
    static uint8_t content[MATRIX_HUGE] __attribute__((aligned(MATRIX_HUGE))) = { 0xcc };
    int fd = register_userfaults(memory, UFFDIO_REGISTER_MODE_MISSING, 0);
    size_t unit = memory->huge ? MATRIX_HUGE : MATRIX_PAGE;

    for (uint64_t at = 0; fd >= 0 && at < MATRIX_WRITTEN; at += memory->huge ? unit : 11 * unit) {
        struct uffdio_copy copy = { (uintptr_t)memory->host + at, (uintptr_t)content, unit };
        if (ioctl(fd, UFFDIO_COPY, &copy) != 0 && errno != EEXIST)
            return false;
    }
    return fd >= 0 && unregister_userfaults(memory, fd);
}

/* A child that lives on shares all pages until one side writes. It ends with its parent. */
static bool forked(const struct memory *memory)
{
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        while (getppid() == parent)
            usleep(10000);
        _exit(0);
    }
    return child > 0;
}

static bool paged_out(const struct memory *memory)
{
    return madvise(memory->host, MATRIX_SIZE, MADV_PAGEOUT) == 0;
}

static bool collapsed(const struct memory *memory)
{
    matrix_fill(0, MATRIX_WRITTEN, true);
    return madvise(memory->host, MATRIX_WRITTEN, MADV_COLLAPSE) == 0;
}

static bool locked(const struct memory *memory)
{
    matrix_fill(0, MATRIX_WRITTEN, true);
    return mlock(memory->host, MATRIX_WRITTEN) == 0;
}

long matrix_number_in(const char *path)
{
    FILE *file = fopen(path, "re");
    long number = -1;

    if (file) {
        if (fscanf(file, "%ld", &number) != 1)
            number = -1;
        fclose(file);
    }
    return number;
}

/* Only where the machine's owner has samepage merging on: waits until it went over all memory twice. */
static bool merged(const struct memory *memory)
{
    const char *scans = "/sys/kernel/mm/ksm/full_scans";

    if (matrix_number_in("/sys/kernel/mm/ksm/run") != 1 || madvise(memory->host, MATRIX_SIZE, MADV_MERGEABLE) != 0)
        return false;
    for (long start = matrix_number_in(scans), tries = 0; matrix_number_in(scans) < start + 3; tries++) {
        if (tries > 1000)
            return false;
        usleep(10000);
    }
    return true;
}

const struct event matrix_events[] = {
    { "nothing", .last = true, .happen = nothing },
    { "discard", .last = true, .happen = discard },
    { "discard-then-write", .discards = true, .happen = discard },
    { "asked-before", .ends_tracking = true, .happen = asked_before },
    { "slot-recreated", .happen = slot_recreated },
    { "forked", .happen = forked },
    { "paged-out", .last = true, .happen = paged_out },
    { "collapsed", .last = true, .happen = collapsed },
    { "collapsed-then-write", .rare = true, .happen = collapsed },
    { "locked", .rare = true, .happen = locked },
    { "merged", .last = true, .happen = merged },
    { "reset", .rare = true, .happen = reset },
    { "dimm-plugged", .rare = true, .happen = dimm_plugged },
    { "replugged", .rare = true, .happen = replugged },
    { "freed-lazily", .rare = true, .last = true, .happen = freed_lazily },
    { "background-snapshot", .rare = true, .ends_all = true, .happen = background_snapshot },
    { "postcopy", .rare = true, .ends_all = true, .happen = postcopy },
};
const size_t matrix_n_events = sizeof matrix_events / sizeof matrix_events[0];
