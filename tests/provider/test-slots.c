/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/slots.h"

#include "check.h"
#include "qemu/abi-kvm.h"

#define MIB (1ull << 20)

static struct bz_slots slots;
static struct bz_spans spans;

static void set(uint32_t id, uint64_t gpa, uint64_t size, uint64_t host)
{
    CHECK(bz_slots_set(&slots, (struct bz_slot){ .id = id, .gpa = gpa, .size = size, .host = host }));
}

static void added_replaced_deleted(void)
{
    set(0, 0, 640 * 1024, 0x10000000);
    set(3, 4096 * MIB, MIB, 0x30000000);
    set(1, MIB, 2 * MIB, 0x20000000);
    CHECK_EQUAL(slots.count, 3);
    CHECK_EQUAL(slots.items[0].id, 0);
    CHECK_EQUAL(slots.items[1].id, 1);
    CHECK_EQUAL(slots.items[2].id, 3);

    set(3, 0x100000 * 64, MIB, 0x30000000); /* moved below the other's place in the order */
    CHECK_EQUAL(slots.count, 3);
    CHECK(bz_slots_find(&slots, 4096 * MIB) == NULL);
    CHECK_EQUAL(bz_slots_find(&slots, 64 * MIB)->id, 3);

    set(1, MIB, 0, 0x20000000);
    CHECK_EQUAL(slots.count, 2);
    set(7, MIB, 0, 0); /* one that is not there */
    CHECK_EQUAL(slots.count, 2);
    bz_slots_clear(&slots);
    CHECK_EQUAL(slots.count, 0);
}

static void found_to_the_last_byte(void)
{
    set(0, MIB, MIB, 0x10000000);
    set(1, 2 * MIB, MIB, 0x90000000);
    CHECK(bz_slots_find(&slots, MIB - 1) == NULL);
    CHECK_EQUAL(bz_slots_find(&slots, MIB)->id, 0);
    CHECK_EQUAL(bz_slots_find(&slots, 2 * MIB - 1)->id, 0);
    CHECK_EQUAL(bz_slots_find(&slots, 2 * MIB)->id, 1);
    CHECK(bz_slots_find(&slots, 3 * MIB) == NULL);
    CHECK(bz_slots_find(&slots, UINT64_MAX) == NULL);
    bz_slots_clear(&slots);
}

static void smram_is_another_address_space(void)
{
    set(5, MIB, MIB, 0x10000000);
    set(0x10005, MIB, MIB, 0x20000000);
    CHECK_EQUAL(slots.count, 1);
    CHECK_EQUAL(bz_slots_find(&slots, MIB)->host, 0x10000000);
    set(0x10005, MIB, 0, 0);
    CHECK_EQUAL(slots.count, 1);
    CHECK(bz_slots_keep(0xffff));
    CHECK(!bz_slots_keep(0x10000));
    bz_slots_clear(&slots);
}

static void kinds(void)
{
    struct bz_slot slot = { .flags = 0 };
    CHECK(bz_slot_is_ram(&slot) && !bz_slot_logs_writes(&slot));
    slot.flags = KVM_MEM_LOG_DIRTY_PAGES;
    CHECK(bz_slot_is_ram(&slot) && bz_slot_logs_writes(&slot));
    slot.flags = KVM_MEM_READONLY;
    CHECK(!bz_slot_is_ram(&slot));
    slot.flags = KVM_MEM_GUEST_MEMFD;
    CHECK(!bz_slot_is_ram(&slot));
}

static void many(void)
{
    for (unsigned i = 0; i < 1000; i++)
        set(i, (999 - i) * 2 * MIB, MIB, 0x100000000 + i * MIB);
    CHECK_EQUAL(slots.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_EQUAL(slots.items[i].id, 999 - i);
        CHECK_EQUAL(bz_slots_find(&slots, i * 2 * MIB + 17)->id, 999 - i);
    }
    bz_slots_clear(&slots);
}

static void spans_merge(void)
{
    CHECK(bz_span_is_empty(bz_spans_hull(&spans)));
    CHECK(bz_spans_add(&spans, (struct bz_span){ 100, 200 }));
    CHECK(bz_spans_add(&spans, (struct bz_span){ 300, 400 }));
    CHECK(bz_spans_add(&spans, (struct bz_span){ 500, 600 }));
    CHECK(bz_spans_add(&spans, (struct bz_span){ 50, 50 })); /* empty */
    CHECK_EQUAL(spans.count, 3);
    CHECK(bz_spans_add(&spans, (struct bz_span){ 200, 300 })); /* touches both sides */
    CHECK_EQUAL(spans.count, 2);
    CHECK_EQUAL(spans.items[0].start, 100);
    CHECK_EQUAL(spans.items[0].end, 400);
    CHECK(!bz_spans_overlap(&spans, (struct bz_span){ 400, 500 }));
    CHECK(bz_spans_overlap(&spans, (struct bz_span){ 399, 401 }));
    CHECK(bz_spans_overlap(&spans, (struct bz_span){ 0, 1000 }));
    CHECK(!bz_spans_overlap(&spans, (struct bz_span){ 150, 150 }));
    CHECK(bz_spans_add(&spans, (struct bz_span){ 0, 10 }));
    CHECK_EQUAL(spans.items[0].end, 10);
    CHECK_EQUAL(bz_spans_hull(&spans).start, 0);
    CHECK_EQUAL(bz_spans_hull(&spans).end, 600);
    CHECK(bz_spans_add(&spans, (struct bz_span){ 5, 5000 })); /* swallows all */
    CHECK_EQUAL(spans.count, 1);
    CHECK_EQUAL(spans.items[0].start, 0);
    CHECK_EQUAL(spans.items[0].end, 5000);
    bz_spans_clear(&spans);
}

/* From start to 512, part for part. */
static void check_parts(const bool *in, uint64_t start)
{
    while (start < 512) {
        bool inside;
        struct bz_span part = bz_spans_first_part(&spans, (struct bz_span){ start, 512 }, &inside);
        CHECK(part.start == start && part.end > start && part.end <= 512);
        for (uint64_t i = part.start; i < part.end && i < 512; i++)
            CHECK_EQUAL(inside, in[i]);
        CHECK(part.end == 512 || in[part.end] != inside);
        start = part.end > start ? part.end : 512;
    }
}

/* Against a bitmap. */
static void spans_at_random(void)
{
    static bool in[512];

    srand(1);
    for (unsigned round = 0; round < 200; round++) {
        uint64_t start = (uint64_t)rand() % 500, end = start + (uint64_t)rand() % 12;
        bool adding = round % 3 != 2;
        CHECK((adding ? bz_spans_add : bz_spans_remove)(&spans, (struct bz_span){ start, end }));
        for (uint64_t i = start; i < end; i++)
            in[i] = adding;
        for (uint64_t i = 0; i < 512; i++)
            CHECK_EQUAL(bz_spans_overlap(&spans, (struct bz_span){ i, i + 1 }), in[i]);
        for (size_t i = 1; i < spans.count; i++)
            CHECK(spans.items[i - 1].end < spans.items[i].start);
        check_parts(in, start);
    }
    bz_spans_clear(&spans);
}

CHECK_MAIN(CASE(added_replaced_deleted), CASE(found_to_the_last_byte), CASE(smram_is_another_address_space),
           CASE(kinds), CASE(many), CASE(spans_merge), CASE(spans_at_random))
