/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What kind of memory is behind a host address: the lines of /proc/self/maps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "qemu/span.h"

enum bz_memory_kind {
    BZ_MEMORY_PRIVATE_ANONYMOUS, /* readable and writable, seen by this process alone, populated on demand */
    BZ_MEMORY_SHARED,            /* of a file, a memfd, shared huge pages: others may write it */
    BZ_MEMORY_PRIVATE_FILE,      /* private mapping of a file, or private huge pages */
    BZ_MEMORY_INACCESSIBLE,      /* not readable and writable, or one of the kernel's own, such as [vvar] */
};

struct bz_mapping {
    struct bz_span span;
    enum bz_memory_kind kind;
    /* Of the two kinds that have a file: which one, and where in it the span begins. */
    dev_t device;
    ino_t inode;
    uint64_t offset;
};

struct bz_mappings {
    struct bz_mapping *items; /* ascending */
    size_t count;
    size_t capacity;
};

/* One line without its newline. False when it is not in the format proc(5) gives. */
bool bz_mapping_parse(const char *line, struct bz_mapping *mapping);

/*
 * Reads the mappings that overlap within into list, overwriting what was there. fd is of /proc/self/maps, at any offset.
 * False with the reason on any error; list is then empty.
 */
bool bz_mappings_read(int fd, struct bz_span within, struct bz_mappings *list, char *why, size_t size);

void bz_mappings_clear(struct bz_mappings *list);
