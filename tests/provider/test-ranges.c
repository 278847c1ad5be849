/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/ranges.h"

#include "check.h"

static struct bz_ranges ranges;

static void expect(unsigned i, uint64_t page, uint64_t count)
{
    CHECK(i < ranges.n_kept);
    CHECK_EQUAL(ranges.kept[i].page, page);
    CHECK_EQUAL(ranges.kept[i].count, count);
}

static void none(void)
{
    bz_ranges_finish(&ranges);
    CHECK_EQUAL(ranges.n_kept, 0);
    CHECK_EQUAL(bz_ranges_total(&ranges), 0);
}

static void neighbours_join(void)
{
    bz_ranges_add(&ranges, 10, 5);
    bz_ranges_add(&ranges, 15, 5);
    bz_ranges_add(&ranges, 20, 0); /* empty ones change nothing */
    bz_ranges_add(&ranges, 20, 1);
    bz_ranges_add(&ranges, 22, 100);
    bz_ranges_finish(&ranges);
    CHECK_EQUAL(ranges.n_kept, 2);
    expect(0, 22, 100);
    expect(1, 10, 11);
    CHECK_EQUAL(bz_ranges_total(&ranges), 111);
}

static void largest_first_then_by_address(void)
{
    bz_ranges_add(&ranges, 100, 2);
    bz_ranges_add(&ranges, 200, 9);
    bz_ranges_add(&ranges, 300, 2);
    bz_ranges_add(&ranges, 400, 30);
    bz_ranges_finish(&ranges);
    CHECK_EQUAL(ranges.n_kept, 4);
    expect(0, 400, 30);
    expect(1, 200, 9);
    expect(2, 100, 2);
    expect(3, 300, 2);
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Against a plain sort: of any number of ranges the 255 largest remain. */
static void the_255_largest(void)
{
    for (unsigned n = 250; n <= 260; n++) {
        static uint64_t sizes[5000];
        unsigned amount = n == 260 ? 5000 : n;

        ranges = (struct bz_ranges){ 0 };
        srand(n);
        for (unsigned i = 0; i < amount; i++) {
            sizes[i] = 1 + (uint64_t)rand() % 1000;
            bz_ranges_add(&ranges, i * 2000ull, sizes[i]);
        }
        bz_ranges_finish(&ranges);
        qsort(sizes, amount, sizeof sizes[0], descending);

        unsigned expected = amount < 255 ? amount : 255;
        CHECK_EQUAL(ranges.n_kept, expected);
        CHECK_EQUAL(ranges.n_left_out, amount - expected);
        for (unsigned i = 0; i < expected; i++)
            CHECK_EQUAL(ranges.kept[i].count, sizes[i]);
    }
}

CHECK_MAIN(CASE(none), CASE(neighbours_join), CASE(largest_first_then_by_address), CASE(the_255_largest))
