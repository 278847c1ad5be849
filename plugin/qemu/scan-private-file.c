/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A private mapping of a file, or of huge pages, that is populated on demand.
 *
 * What this process wrote is in its page tables; where they have nothing, the file shows through. So a page is zero when
 * it is neither present nor swapped out, and a hole of the file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qemu/abi-pagemap.h"
#include "qemu/pagemap.h"
#include "qemu/scan.h"

static enum bz_scan_result scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size)
{
    static const struct bz_pagemap_query never_written = {
        .inverted = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
        .all = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
    };
    const struct bz_file *file = bz_files_find(memory->files, mapping);
    const uint64_t to_offset = mapping->offset - mapping->span.start;
    struct bz_span rest = { span.start + to_offset, span.end + to_offset };
    struct bz_span hole;
    bool given = false;

    if (file == NULL) {
        snprintf(why, size, "guest memory is a private mapping of a file and QEMU has no descriptor of it");
        return BZ_SCAN_UNAVAILABLE;
    }
    if (file->file_system == BZ_FILE_SYSTEM_OTHER) {
        snprintf(why, size, "guest memory is a private mapping of a file that is neither a memfd nor on tmpfs or ext4");
        return BZ_SCAN_UNAVAILABLE;
    }
    for (;;) {
        if (!bz_file_next_hole(file, rest, &hole)) {
            snprintf(why, size, "cannot find the holes of the file of guest memory: %s", strerror(errno));
            return BZ_SCAN_FAILED;
        }
        if (bz_span_is_empty(hole))
            return BZ_SCAN_DONE;
        struct bz_span host = { hole.start - to_offset, hole.end - to_offset };
        enum bz_scan_result result = bz_pagemap_scan(memory->self, &never_written, host, sink, why, size);
        if (result != BZ_SCAN_DONE)
            return given ? BZ_SCAN_FAILED : result;
        given = true;
        rest.start = hole.end;
    }
}

const struct bz_scan_backend bz_scan_private_file = {
    .name = "seek-hole+pagemap-scan",
    .kind = BZ_MEMORY_PRIVATE_FILE,
    .scan = scan,
};
