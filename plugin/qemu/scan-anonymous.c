/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private anonymous memory that is populated on demand, by the PAGEMAP_SCAN ioctl.
 *
 * The host's page tables are the tracker. A page that is neither present nor swapped out was never written by anyone,
 * or was discarded since: whoever reads it next gets zeroes. A page that was only read is present as the kernel's one
 * shared page of zeroes (PFNZERO), and the first write replaces it. Page table markers (userfaultfd write-protection,
 * guard pages, poison) count as swapped and so are never called zero.
 */
#include "qemu/abi-pagemap.h"
#include "qemu/pagemap.h"
#include "qemu/scan.h"

static enum bz_scan_result scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size)
{
    /* not SWAPPED, and (not PRESENT or PFNZERO) */
    static const struct bz_pagemap_query never_written = {
        .inverted = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
        .all = BZ_PAGE_IS_SWAPPED,
        .any = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_PFNZERO,
    };

    return bz_pagemap_scan(memory->self, &never_written, span, sink, why, size);
}

const struct bz_scan_backend bz_scan_anonymous = {
    .name = "pagemap-scan",
    .kind = BZ_MEMORY_PRIVATE_ANONYMOUS,
    .scan = scan,
};
