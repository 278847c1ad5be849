/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private anonymous memory on kernels before 6.7, by reading the entries of /proc/self/pagemap.
 *
 * The rule is that of scan-anonymous.c without PFNZERO, which the entries do not show to the unprivileged: pages that
 * were only read are not found. Neither present nor swapped is sound for every writer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "qemu/abi-pagemap.h"
#include "qemu/scan.h"

#define ENTRIES 4096

static enum bz_scan_result scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size)
{
    uint64_t entries[ENTRIES];
    const uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    struct bz_span zero = { 0, 0 };

    for (uint64_t page = span.start / page_size, end = span.end / page_size; page < end;) {
        size_t wanted = end - page < ENTRIES ? end - page : ENTRIES;
        ssize_t got = pread(memory->self->pagemap, entries, wanted * sizeof entries[0], (off_t)(page * sizeof entries[0]));
        if (got < (ssize_t)sizeof entries[0]) {
            if (got < 0 && errno == EINTR)
                continue;
            snprintf(why, size, "cannot read /proc/self/pagemap: %s", got < 0 ? strerror(errno) : "it is too short");
            return BZ_SCAN_FAILED;
        }
        for (size_t i = 0; i < (size_t)got / sizeof entries[0]; i++, page++) {
            if (entries[i] & (BZ_PAGEMAP_PRESENT | BZ_PAGEMAP_SWAPPED))
                continue;
            if (zero.end != page * page_size) {
                if (!bz_span_is_empty(zero))
                    sink->take(sink, zero);
                zero.start = page * page_size;
            }
            zero.end = (page + 1) * page_size;
        }
    }
    if (!bz_span_is_empty(zero))
        sink->take(sink, zero);
    return BZ_SCAN_DONE;
}

const struct bz_scan_backend bz_scan_pagemap = {
    .name = "pagemap",
    .kind = BZ_MEMORY_PRIVATE_ANONYMOUS,
    .scan = scan,
};
