/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/pagemap as the kernel defines it: the PAGEMAP_SCAN ioctl (Linux 6.7) and the 64-bit entries (Linux 4.2).
 * Source: Linux, include/uapi/linux/fs.h and Documentation/admin-guide/mm/pagemap.rst. Names of our own, so that newer
 * system headers do not collide.
 */
#pragma once

#include <linux/ioctl.h>
#include <stdint.h>

/* Categories of a page. WRITTEN: not write-protected by a userfaultfd. */
#define BZ_PAGE_IS_WRITTEN (1ull << 1)
#define BZ_PAGE_IS_PRESENT (1ull << 3)
#define BZ_PAGE_IS_SWAPPED (1ull << 4)
#define BZ_PAGE_IS_PFNZERO (1ull << 5)

/* Flag: fail with EPERM where memory is not registered for asynchronous write-protection. */
#define BZ_PM_SCAN_CHECK_WPASYNC (1ull << 1)

struct bz_page_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

struct bz_pm_scan_arg {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t vec;
    uint64_t vec_len;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};

#define BZ_PAGEMAP_SCAN _IOWR('f', 16, struct bz_pm_scan_arg)

/* Bits of an entry of the file itself. */
#define BZ_PAGEMAP_SWAPPED (1ull << 62)
#define BZ_PAGEMAP_PRESENT (1ull << 63)
