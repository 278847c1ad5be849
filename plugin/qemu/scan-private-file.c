/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A private mapping of a file, or of huge pages, that is populated on demand.
 *
 * What this process wrote is in its page tables; where they have nothing, the file shows through. So a page is zero when
 * it is neither present nor swapped out, and a hole of the file.
 */
#include <stdio.h>

#include "qemu/abi-pagemap.h"
#include "qemu/holes.h"
#include "qemu/pagemap.h"
#include "qemu/scan.h"

/* Takes the holes of the file, and gives on what of them this process did not write. */
struct search {
    struct bz_zero_sink sink;
    const struct bz_self *self;
    struct bz_zero_sink *found;
    enum bz_scan_result result;
    bool given;
    char *why;
    size_t size;
};

static void take_hole(struct bz_zero_sink *sink, struct bz_span hole)
{
    static const struct bz_pagemap_query never_written = {
        .inverted = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
        .all = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
    };
    struct search *search = (struct search *)sink;

    if (search->result != BZ_SCAN_DONE)
        return;
    search->result = bz_pagemap_scan(search->self, &never_written, hole, search->found, search->why, search->size);
    if (search->result == BZ_SCAN_UNAVAILABLE && search->given)
        search->result = BZ_SCAN_FAILED;
    search->given = true;
}

static enum bz_scan_result scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size)
{
    const struct bz_file *file = bz_files_find(memory->files, mapping);
    struct search search = { { take_hole }, memory->self, sink, BZ_SCAN_DONE, false, why, size };

    if (file == NULL) {
        snprintf(why, size, "guest memory is a private mapping of a file and QEMU has no descriptor of it");
        return BZ_SCAN_UNAVAILABLE;
    }
    if (file->file_system == BZ_FILE_SYSTEM_OTHER) {
        snprintf(why, size, "guest memory is a private mapping of a file that is neither a memfd nor on tmpfs or ext4");
        return BZ_SCAN_UNAVAILABLE;
    }
    enum bz_scan_result holes = bz_holes_scan(file, mapping, span, &search.sink, why, size);
    return holes == BZ_SCAN_DONE ? search.result : holes;
}

const struct bz_scan_backend bz_scan_private_file = {
    .name = "seek-hole+pagemap-scan",
    .kind = BZ_MEMORY_PRIVATE_FILE,
    .scan = scan,
};
