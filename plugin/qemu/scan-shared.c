/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared memory of a memfd or a file on tmpfs, as guests with vhost-user devices or virtiofs have it.
 *
 * The file's own index is the tracker: a page that nobody stored is a hole, whichever process, mapping or system call
 * might have stored it, and a page that was swapped out is data. The page tables would not do: a page that another
 * process wrote is absent there. lseek() moves the offset that this descriptor shares with QEMU's and with processes it
 * was passed to; memory is mapped, so nobody uses that offset.
 */
#include <stdio.h>

#include "qemu/holes.h"
#include "qemu/scan.h"

static enum bz_scan_result scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size)
{
    const struct bz_file *file = bz_files_find(memory->files, mapping);

    if (file == NULL) {
        snprintf(why, size, "guest memory is shared and QEMU has no descriptor of it");
        return BZ_SCAN_UNAVAILABLE;
    }
    if (file->file_system == BZ_FILE_SYSTEM_HUGETLB) {
        snprintf(why, size, "guest memory is shared huge pages, which others may write unseen");
        return BZ_SCAN_UNAVAILABLE;
    }
    if (file->file_system != BZ_FILE_SYSTEM_TMPFS) {
        snprintf(why, size, "guest memory is a shared file that is neither a memfd nor on tmpfs");
        return BZ_SCAN_UNAVAILABLE;
    }
    return bz_holes_scan(file, mapping, span, sink, why, size);
}

const struct bz_scan_backend bz_scan_shared = {
    .name = "seek-hole",
    .kind = BZ_MEMORY_SHARED,
    .scan = scan,
};
