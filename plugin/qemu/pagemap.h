/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PAGEMAP_SCAN ioctl (Linux 6.7), called until it has told everything. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "qemu/scan.h"

/*
 * Which pages: their categories (BZ_PAGE_IS_*), with those of inverted turned around, have all of all and one of any; and
 * as they are they do not have all of except, if that has any.
 */
struct bz_pagemap_query {
    uint64_t inverted, all, any, except;
    uint64_t flags; /* BZ_PM_SCAN_* */
};

/* Results as a backend's. BZ_SCAN_UNAVAILABLE also where CHECK_WPASYNC finds memory without it at the first page. */
enum bz_scan_result bz_pagemap_scan(const struct bz_self *self, const struct bz_pagemap_query *query,
                                    struct bz_span span, struct bz_zero_sink *sink, char *why, size_t size);
