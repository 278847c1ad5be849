/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/ranges.h"

#include <stdlib.h>

static void sift_up(struct bz_range *heap, unsigned i)
{
    while (i > 0) {
        unsigned parent = (i - 1) / 2;
        if (heap[parent].count <= heap[i].count)
            return;
        struct bz_range swap = heap[parent];
        heap[parent] = heap[i];
        heap[i] = swap;
        i = parent;
    }
}

static void sift_down(struct bz_range *heap, unsigned n)
{
    for (unsigned i = 0;;) {
        unsigned least = i;
        for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
            if (heap[child].count < heap[least].count)
                least = child;
        if (least == i)
            return;
        struct bz_range swap = heap[least];
        heap[least] = heap[i];
        heap[i] = swap;
        i = least;
    }
}

/* Puts a range that is complete among the largest, or drops the smallest of them all. */
static void keep(struct bz_ranges *ranges, struct bz_range range)
{
    if (range.count == 0)
        return;
    if (ranges->n_kept < BZ_HV_MAX_RANGES) {
        ranges->kept[ranges->n_kept] = range;
        sift_up(ranges->kept, ranges->n_kept++);
        return;
    }
    ranges->n_left_out++;
    if (range.count > ranges->kept[0].count) {
        ranges->kept[0] = range;
        sift_down(ranges->kept, ranges->n_kept);
    }
}

void bz_ranges_add(struct bz_ranges *ranges, uint64_t page, uint64_t count)
{
    if (count == 0)
        return;
    if (ranges->open.count > 0 && ranges->open.page + ranges->open.count == page) {
        ranges->open.count += count;
        return;
    }
    keep(ranges, ranges->open);
    ranges->open = (struct bz_range){ page, count };
}

static int largest_first(const void *left, const void *right)
{
    const struct bz_range *a = left, *b = right;

    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return a->page < b->page ? -1 : a->page > b->page;
}

void bz_ranges_finish(struct bz_ranges *ranges)
{
    keep(ranges, ranges->open);
    ranges->open = (struct bz_range){ 0, 0 };
    qsort(ranges->kept, ranges->n_kept, sizeof ranges->kept[0], largest_first);
}

uint64_t bz_ranges_total(const struct bz_ranges *ranges)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < ranges->n_kept; i++)
        total += ranges->kept[i].count;
    return total;
}
