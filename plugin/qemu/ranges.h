/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects ranges of guest pages, joins neighbours, and keeps the 255 largest: more does not fit into the answer. */
#pragma once

#include <stdint.h>

#include "qemu/abi-hyperv.h"

struct bz_range {
    uint64_t page;
    uint64_t count;
};

/* {0} is ready for use. */
struct bz_ranges {
    struct bz_range kept[BZ_HV_MAX_RANGES]; /* a heap, the smallest first; after finish: the largest first */
    unsigned n_kept;
    unsigned long n_left_out;
    struct bz_range open; /* the newest, which the next may still continue */
};

/* Ranges that touch are joined when they come one after the other, so add them in ascending order. */
void bz_ranges_add(struct bz_ranges *ranges, uint64_t page, uint64_t count);

/* After the last add: sorts what was kept, the largest first, equal ones by address. */
void bz_ranges_finish(struct bz_ranges *ranges);

/* Pages in the ranges kept. */
uint64_t bz_ranges_total(const struct bz_ranges *ranges);
