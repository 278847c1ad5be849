/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private memory that was populated in advance: pages that are still write-protected (write-protect.h), wherever they
 * are now, are as the kernel gave them. A page that was given back since is nowhere, and the kernel may count it as
 * written or not: whoever reads it next gets zeroes, as in memory that is populated on demand.
 */
#include <stdio.h>

#include "qemu/abi-pagemap.h"
#include "qemu/pagemap.h"
#include "qemu/scan.h"

static enum bz_scan_result scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size)
{
    /* not WRITTEN; or neither PRESENT nor SWAPPED; or PFNZERO. Markers of the write-protection count as swapped. */
    static const struct bz_pagemap_query as_given = {
        .inverted = BZ_PAGE_IS_WRITTEN | BZ_PAGE_IS_PRESENT,
        .any = BZ_PAGE_IS_WRITTEN | BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_PFNZERO,
        .except = BZ_PAGE_IS_WRITTEN | BZ_PAGE_IS_SWAPPED,
        .flags = BZ_PM_SCAN_CHECK_WPASYNC,
    };
    const struct bz_file *file = bz_files_find(memory->files, mapping);

    /* Pages that are given back show the file, which others may have filled: protected, they would seem untouched. */
    if (mapping->kind != BZ_MEMORY_PRIVATE_ANONYMOUS && !(file && bz_file_is_empty(file))) {
        snprintf(why, size, "guest memory is huge pages of a file that has content");
        return BZ_SCAN_UNAVAILABLE;
    }
    enum bz_scan_result result = bz_pagemap_scan(memory->self, &as_given, span, sink, why, size);

    if (result == BZ_SCAN_UNAVAILABLE)
        snprintf(why, size, "guest memory was mapped anew after its write-protection");
    return result;
}

const struct bz_scan_backend bz_scan_write_protect = {
    .name = "write-protect",
    .scan = scan,
};
