/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/pagemap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qemu/abi-pagemap.h"

/* With more, walk_end can lie before regions that were already given out (seen on Linux 6.18). */
#define REGIONS 512

enum bz_scan_result bz_pagemap_scan(const struct bz_self *self, const struct bz_pagemap_query *query,
                                    struct bz_span span, struct bz_zero_sink *sink, char *why, size_t size)
{
    struct bz_page_region regions[REGIONS];
    struct bz_pm_scan_arg arg = {
        .size = sizeof arg,
        .flags = query->flags,
        .start = span.start,
        .end = span.end,
        .vec = (uintptr_t)regions,
        .vec_len = REGIONS,
        .category_inverted = query->inverted,
        .category_mask = query->all,
        .category_anyof_mask = query->any,
        /* No other difference between categories is wanted: neighbours of any of them make one region. */
        .return_mask = query->except,
    };
    bool given = false;

    while (arg.start < arg.end) {
        /* The system call itself: ioctl() is what this library interposes. */
        long n = syscall(SYS_ioctl, self->pagemap, BZ_PAGEMAP_SCAN, &arg);
        if (n < 0) {
            bool cannot = errno == ENOTTY || errno == EINVAL ||
                          (errno == EPERM && (query->flags & BZ_PM_SCAN_CHECK_WPASYNC));
            snprintf(why, size, "PAGEMAP_SCAN: %s", strerror(errno));
            return cannot && !given ? BZ_SCAN_UNAVAILABLE : BZ_SCAN_FAILED;
        }
        given = given || n > 0;
        for (long i = 0; i < n; i++)
            if (query->except == 0 || regions[i].categories != query->except)
                sink->take(sink, (struct bz_span){ regions[i].start, regions[i].end });
        if (n < REGIONS)
            return BZ_SCAN_DONE;
        uint64_t next = regions[n - 1].end;
        if (arg.walk_end > next)
            next = arg.walk_end;
        if (next <= arg.start) {
            snprintf(why, size, "PAGEMAP_SCAN does not advance");
            return BZ_SCAN_FAILED;
        }
        arg.start = next;
    }
    return BZ_SCAN_DONE;
}
