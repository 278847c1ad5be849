/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files behind guest memory, as descriptors. QEMU's own are found while it builds the machine and duplicated: a
 * path might name another file by now, and later QEMU may be in a chroot without /proc.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qemu/mapping.h"
#include "qemu/span.h"

enum bz_file_system {
    BZ_FILE_SYSTEM_TMPFS, /* memfd too */
    BZ_FILE_SYSTEM_HUGETLB,
    BZ_FILE_SYSTEM_EXT4,
    BZ_FILE_SYSTEM_OTHER,
};

struct bz_file {
    dev_t device;
    ino_t inode;
    int fd; /* ours, of the open file that QEMU has */
    enum bz_file_system file_system;
};

/* {0} is empty. */
struct bz_files {
    struct bz_file *items;
    size_t count;
    size_t capacity;
};

/*
 * Finds the descriptor QEMU has for the file of mapping and keeps a duplicate, once for each file. Where there is none,
 * or nothing to be had, the file stays unknown: its memory will be left out.
 */
void bz_files_learn(struct bz_files *files, const struct bz_mapping *mapping);

/* The file of mapping, or NULL when it is not known. */
const struct bz_file *bz_files_find(const struct bz_files *files, const struct bz_mapping *mapping);

/* True when nothing at all was ever stored in the file, or it was all discarded. */
bool bz_file_is_empty(const struct bz_file *file);

void bz_files_clear(struct bz_files *files);
