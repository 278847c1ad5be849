/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private anonymous memory, by the PAGEMAP_SCAN ioctl.
 *
 * The host's page tables are the tracker. A page that is neither present nor swapped out was never written by anyone,
 * or was discarded since: whoever reads it next gets zeroes. A page that was only read is present as the kernel's one
 * shared page of zeroes (PFNZERO), and the first write replaces it. Page table markers (userfaultfd write-protection,
 * guard pages, poison) count as swapped and so are never called zero.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qemu/abi-pagemap.h"
#include "qemu/scan.h"

/* With more, walk_end can lie before regions that were already given out (seen on Linux 6.18). */
#define REGIONS 512

static enum bz_scan_result scan(const struct bz_self *self, struct bz_span span, struct bz_zero_sink *sink, char *why,
                                size_t size)
{
    struct bz_page_region regions[REGIONS];
    struct bz_pm_scan_arg arg = {
        .size = sizeof arg,
        .start = span.start,
        .end = span.end,
        .vec = (uintptr_t)regions,
        .vec_len = REGIONS,
        /* not SWAPPED, and (not PRESENT or PFNZERO): the inverted categories are the ones that must be absent */
        .category_inverted = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
        .category_mask = BZ_PAGE_IS_SWAPPED,
        .category_anyof_mask = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_PFNZERO,
        /* no difference between the two is wanted: neighbours of either kind make one region */
        .return_mask = 0,
    };

    while (arg.start < arg.end) {
        /* The system call itself: ioctl() is what this library interposes. */
        long n = syscall(SYS_ioctl, self->pagemap, BZ_PAGEMAP_SCAN, &arg);
        if (n < 0) {
            bool unknown = errno == ENOTTY || errno == EINVAL;
            snprintf(why, size, "PAGEMAP_SCAN: %s", strerror(errno));
            return unknown && arg.start == span.start ? BZ_SCAN_UNAVAILABLE : BZ_SCAN_FAILED;
        }
        for (long i = 0; i < n; i++)
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

const struct bz_scan_backend bz_scan_anonymous = {
    .name = "pagemap-scan",
    .kind = BZ_MEMORY_PRIVATE_ANONYMOUS,
    .scan = scan,
};
