/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/scan.h"

#include <stdio.h>

/* In order of preference. */
static const struct bz_scan_backend *const backends[] = {
    &bz_scan_anonymous,
    &bz_scan_pagemap,
};

static const char *why_not(enum bz_memory_kind kind)
{
    switch (kind) {
    case BZ_MEMORY_SHARED:
        return "guest memory is shared or a file, which others may write unseen";
    case BZ_MEMORY_PRIVATE_FILE:
        return "guest memory is a private mapping of a file or of huge pages, which may hold old content";
    case BZ_MEMORY_INACCESSIBLE:
        return "guest memory is not readable and writable in QEMU";
    case BZ_MEMORY_PRIVATE_ANONYMOUS:
        break;
    }
    return "this kernel cannot tell which pages were never written";
}

enum bz_scan_result bz_scan(const struct bz_self *self, enum bz_memory_kind kind, struct bz_span span,
                            struct bz_zero_sink *sink, const char **backend, char *why, size_t size)
{
    snprintf(why, size, "%s", why_not(kind));
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (backends[i]->kind != kind)
            continue;
        enum bz_scan_result result = backends[i]->scan(self, span, sink, why, size);
        if (result != BZ_SCAN_UNAVAILABLE) {
            *backend = backends[i]->name;
            return result;
        }
    }
    return BZ_SCAN_UNAVAILABLE;
}
