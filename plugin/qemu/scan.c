/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/scan.h"

#include <stdio.h>

/* Of memory populated on demand, in order of preference. */
static const struct bz_scan_backend *const backends[] = {
    &bz_scan_anonymous,
    &bz_scan_pagemap,
    &bz_scan_shared,
    &bz_scan_private_file,
};

enum bz_scan_result bz_scan(const struct bz_memory *memory, const struct bz_mapping *mapping, struct bz_span span,
                            struct bz_zero_sink *sink, const char **backend, char *why, size_t size)
{
    if (bz_spans_overlap(&memory->protect->spans, span)) {
        *backend = bz_scan_write_protect.name;
        return bz_scan_write_protect.scan(memory, mapping, span, sink, why, size);
    }
    snprintf(why, size, "guest memory is not readable and writable in QEMU");
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (backends[i]->kind != mapping->kind)
            continue;
        enum bz_scan_result result = backends[i]->scan(memory, mapping, span, sink, why, size);
        if (result != BZ_SCAN_UNAVAILABLE) {
            *backend = backends[i]->name;
            return result;
        }
    }
    return BZ_SCAN_UNAVAILABLE;
}
