/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scan backends: given a span of host memory of one kind, which pages of it are certainly zero now?
 *
 * A new kind of memory is a new file with one struct bz_scan_backend, and a line in the table of scan.c. A backend must
 * be sound: whoever may write the memory (guest, QEMU, the kernel on behalf of a device, another process), a page that
 * was written and not discarded since must not be called zero. When in doubt it says why not, which costs the guest
 * only time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "qemu/files.h"
#include "qemu/mapping.h"
#include "qemu/self.h"
#include "qemu/span.h"
#include "qemu/write-protect.h"

/* Takes one span of zero memory. Spans come in ascending order and do not overlap. */
struct bz_zero_sink {
    void (*take)(struct bz_zero_sink *sink, struct bz_span zero);
};

enum bz_scan_result {
    BZ_SCAN_DONE,
    BZ_SCAN_UNAVAILABLE, /* it cannot be told here; nothing was given to the sink, another backend may be tried */
    BZ_SCAN_FAILED,      /* what the sink got must be thrown away */
};

/* What the backends know of this process's memory. */
struct bz_memory {
    const struct bz_self *self;
    const struct bz_files *files;           /* those behind guest memory */
    const struct bz_write_protect *protect; /* memory that was populated in advance */
};

struct bz_scan_backend {
    const char *name; /* as the log shows it */
    enum bz_memory_kind kind;
    /*
     * span is of whole host pages, all of them of mapping, which is of the backend's kind. Both failures put one line
     * into why.
     */
    enum bz_scan_result (*scan)(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                                struct bz_zero_sink *sink, char *why, size_t size);
};

extern const struct bz_scan_backend bz_scan_anonymous;     /* PAGEMAP_SCAN, Linux 6.7 */
extern const struct bz_scan_backend bz_scan_pagemap;       /* entries of /proc/self/pagemap, Linux 4.2 */
extern const struct bz_scan_backend bz_scan_shared;        /* SEEK_HOLE, Linux 3.8 */
extern const struct bz_scan_backend bz_scan_private_file;  /* holes, and PAGEMAP_SCAN: Linux 6.7 */
extern const struct bz_scan_backend bz_scan_write_protect; /* of any private kind: asynchronous, Linux 6.7 */

/*
 * Scans span, which lies in mapping and is either wholly write-protected by memory->protect or not at all, by the first
 * backend in order of preference that can judge it here, and tells its name. BZ_SCAN_UNAVAILABLE with the reason when
 * there is none.
 */
enum bz_scan_result bz_scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                            struct bz_zero_sink *sink, const char **backend, char *why, size_t size);
