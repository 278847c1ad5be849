/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/write-protect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qemu/abi-pagemap.h"
#include "qemu/mapping.h"
#include "qemu/pagemap.h"

/* Source: Linux 6.7, include/uapi/linux/userfaultfd.h. */
#define FEATURE_WP_UNPOPULATED (1u << 13)
#define FEATURE_WP_ASYNC (1u << 15)
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* A write to one page may populate all of a transparent huge page. */
#define LARGE_PAGE (2ull << 20)

static void give_up(struct bz_write_protect *protect, const char *what, int error)
{
    if (protect->why[0] == '\0')
        snprintf(protect->why, sizeof protect->why, "guest memory populated in advance is not tracked: %s%s%s", what,
                 error ? ": " : "", error ? strerror(error) : "");
}

/* --- before it is populated --- */

struct count {
    struct bz_zero_sink sink;
    uint64_t bytes;
};

static void count_span(struct bz_zero_sink *sink, struct bz_span span)
{
    ((struct count *)sink)->bytes += span.end - span.start;
}

/* The bytes of span that query finds. False when this kernel cannot tell. */
static bool measure(struct bz_write_protect *protect, const struct bz_self *self, const struct bz_pagemap_query *query,
                    struct bz_span span, uint64_t *bytes)
{
    struct count count = { .sink.take = count_span };
    char why[100];

    if (bz_pagemap_scan(self, query, span, &count.sink, why, sizeof why) != BZ_SCAN_DONE) {
        give_up(protect, why, 0);
        return false;
    }
    *bytes = count.bytes;
    return true;
}

/*
 * Nothing is there yet. Or it is what others are populating at this moment; or, where QEMU tried its first page alone
 * before, it is as it was protected then.
 */
static bool has_no_content(struct bz_write_protect *protect, const struct bz_self *self, struct bz_span span)
{
    static const struct bz_pagemap_query there = { .any = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED };
    static const struct bz_pagemap_query still_protected = {
        .inverted = BZ_PAGE_IS_WRITTEN,
        .all = BZ_PAGE_IS_WRITTEN,
        .any = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
        .flags = BZ_PM_SCAN_CHECK_WPASYNC,
    };

    while (!bz_span_is_empty(span)) {
        bool is_fresh, is_protected;
        struct bz_span part = bz_spans_first_part(&protect->fresh, span, &is_fresh);
        uint64_t bytes;
        part = bz_spans_first_part(&protect->spans, part, &is_protected);
        span.start = part.end;
        if (is_fresh)
            continue;
        if (!measure(protect, self, is_protected ? &still_protected : &there, part, &bytes))
            return false;
        if (bytes != (is_protected ? part.end - part.start : 0)) {
            give_up(protect, "it was in use before it was populated", 0);
            return false;
        }
    }
    return true;
}

/* Memory whose first content is zeroes: anonymous, or huge pages of a file that has none. */
static bool starts_as_zeroes(struct bz_files *files, const struct bz_mapping *mapping)
{
    if (mapping->kind == BZ_MEMORY_PRIVATE_ANONYMOUS)
        return true;
    if (mapping->kind != BZ_MEMORY_PRIVATE_FILE)
        return false;
    bz_files_learn(files, mapping);
    const struct bz_file *file = bz_files_find(files, mapping);
    return file && file->file_system == BZ_FILE_SYSTEM_HUGETLB && bz_file_is_empty(file);
}

/*
 * True when all of span can be protected; it is then widened to large pages, within its mapping. Shared memory and other
 * files are no failure: their backends tell what they can.
 */
static bool can_be_protected(struct bz_write_protect *protect, const struct bz_self *self, struct bz_files *files,
                             struct bz_span *span)
{
    struct bz_mappings mappings = { 0 };
    struct bz_span wide = { span->start & -LARGE_PAGE, (span->end + LARGE_PAGE - 1) & -LARGE_PAGE };
    uint64_t fitting = 0;
    char why[100];
    bool good = bz_mappings_read(self->maps, *span, &mappings, why, sizeof why);

    if (!good)
        give_up(protect, why, 0);
    for (size_t i = 0; i < mappings.count; i++) {
        struct bz_span part = bz_span_intersect(mappings.items[i].span, *span);
        if (!bz_span_is_empty(part) && starts_as_zeroes(files, &mappings.items[i]))
            fitting += part.end - part.start;
    }
    if (mappings.count > 0)
        wide = bz_span_intersect(
            wide, (struct bz_span){ mappings.items[0].span.start, mappings.items[mappings.count - 1].span.end });
    bz_mappings_clear(&mappings);
    if (!good || fitting != span->end - span->start)
        return false;
    *span = wide;
    return true;
}

bool bz_write_protect_begin(struct bz_write_protect *protect, const struct bz_self *self, struct bz_files *files,
                            struct bz_span span)
{
    if (!can_be_protected(protect, self, files, &span) || !has_no_content(protect, self, span) ||
        !bz_spans_add(&protect->fresh, span))
        return false;
    protect->populating++;
    return true;
}

/* --- when it is populated --- */

/* The system calls themselves: ioctl() is what this library interposes. */
static int open_userfaultfd(void)
{
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED | UFFD_FEATURE_PAGEFAULT_FLAG_WP |
                    UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
    };
    /* Writes from inside the kernel and by KVM are noted all the same. */
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

    if (fd >= 0 && syscall(SYS_ioctl, fd, UFFDIO_API, &api) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool protect_span(int fd, struct bz_span span)
{
    struct uffdio_range range = { span.start, span.end - span.start };
    struct uffdio_register whole = { .range = range, .mode = UFFDIO_REGISTER_MODE_WP };
    struct uffdio_writeprotect protection = { .range = range, .mode = UFFDIO_WRITEPROTECT_MODE_WP };

    return syscall(SYS_ioctl, fd, UFFDIO_REGISTER, &whole) == 0 &&
           syscall(SYS_ioctl, fd, UFFDIO_WRITEPROTECT, &protection) == 0;
}

static void unprotect_span(int fd, struct bz_span span)
{
    struct uffdio_range range = { span.start, span.end - span.start };

    /* What cannot be unregistered is when the descriptor is closed. */
    syscall(SYS_ioctl, fd, UFFDIO_UNREGISTER, &range);
}

static void arm(struct bz_write_protect *protect, struct bz_span span)
{
    if (protect->spans.count == 0) {
        protect->fd = open_userfaultfd();
        if (protect->fd < 0) {
            give_up(protect, "userfaultfd (write-protection, asynchronous)", errno);
            return;
        }
    }
    bool good = protect_span(protect->fd, span);
    int error = errno;
    if (good && !bz_spans_add(&protect->spans, span)) {
        good = false;
        error = ENOMEM;
    }
    if (good)
        return;
    /* What overlaps may be protected in part now. */
    unprotect_span(protect->fd, span);
    if (!bz_spans_remove(&protect->spans, span))
        bz_spans_clear(&protect->spans);
    if (protect->spans.count == 0)
        close(protect->fd);
    give_up(protect, "write-protection", error);
}

void bz_write_protect_end(struct bz_write_protect *protect, const struct bz_self *self, struct bz_files *files,
                          struct bz_span span, bool populated)
{
    /* The file is looked at again: it might have been filled while its pages were copied. */
    if (populated && can_be_protected(protect, self, files, &span))
        arm(protect, span);
    else if (populated)
        give_up(protect, "it changed while it was populated", 0);
    if (--protect->populating == 0)
        bz_spans_clear(&protect->fresh);
}

void bz_write_protect_drop(struct bz_write_protect *protect, const char *why)
{
    if (protect->spans.count == 0)
        return;
    for (size_t i = 0; i < protect->spans.count; i++)
        unprotect_span(protect->fd, protect->spans.items[i]);
    close(protect->fd);
    bz_spans_clear(&protect->spans);
    protect->why[0] = '\0';
    give_up(protect, why, 0);
}
