/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/holes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As lseek() tells it, in blocks of the file system. Empty when there is none up to span.end. */
static bool next_raw_hole(int fd, struct bz_span span, struct bz_span *hole)
{
    *hole = (struct bz_span){ span.end, span.end };
    off_t start = lseek(fd, (off_t)span.start, SEEK_HOLE);
    if (start < 0)
        return false;
    if ((uint64_t)start >= span.end)
        return true;
    off_t end = lseek(fd, start, SEEK_DATA);
    if (end < 0 && errno != ENXIO)
        return false;
    /* ENXIO: no data up to the end. */
    hole->start = (uint64_t)start;
    if (end >= 0 && (uint64_t)end < span.end)
        hole->end = (uint64_t)end;
    return true;
}

/*
 * The first hole of the file in span, which are offsets in it: whole pages. An empty span when there is none. False with
 * errno when the file cannot tell.
 */
static bool next_hole(const struct bz_file *file, struct bz_span span, struct bz_span *hole)
{
    const uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    struct stat about;

    *hole = (struct bz_span){ 0, 0 };
    if (fstat(file->fd, &about) != 0)
        return false;
    if ((uint64_t)about.st_size < span.end)
        span.end = (uint64_t)about.st_size & -page_size;
    /* Huge pages know no holes in part: lseek() calls all of such a file data. */
    if (file->file_system == BZ_FILE_SYSTEM_HUGETLB) {
        if (about.st_blocks == 0 && !bz_span_is_empty(span))
            *hole = span;
        return true;
    }
    while (!bz_span_is_empty(span)) {
        struct bz_span raw;
        if (!next_raw_hole(file->fd, span, &raw))
            return false;
        *hole = (struct bz_span){ (raw.start + page_size - 1) & -page_size, raw.end & -page_size };
        if (!bz_span_is_empty(*hole))
            return true;
        span.start = raw.end;
    }
    *hole = (struct bz_span){ 0, 0 };
    return true;
}

enum bz_scan_result bz_holes_scan(const struct bz_file *file, const struct bz_mapping *mapping, struct bz_span span,
                                  struct bz_zero_sink *sink, char *why, size_t size)
{
    /* Both fit: the mapping is of a file that has these offsets. */
    const uint64_t to_offset = mapping->offset - mapping->span.start;
    struct bz_span rest = { span.start + to_offset, span.end + to_offset };
    struct bz_span hole;

    for (;;) {
        if (!next_hole(file, rest, &hole)) {
            snprintf(why, size, "cannot find the holes of the file of guest memory: %s", strerror(errno));
            return BZ_SCAN_FAILED;
        }
        if (bz_span_is_empty(hole))
            return BZ_SCAN_DONE;
        sink->take(sink, (struct bz_span){ hole.start - to_offset, hole.end - to_offset });
        rest.start = hole.end;
    }
}
