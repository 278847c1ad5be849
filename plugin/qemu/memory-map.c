/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/memory-map.h"

#include <stddef.h>

#include "qemu/answer.h"

static void add(struct bz_memory_map *map, uint64_t start, uint64_t end, const char *reason)
{
    struct bz_memory_part *last = map->count ? &map->parts[map->count - 1] : NULL;

    if (start >= end)
        return;
    if (last && last->start + last->size == start && last->reason == reason)
        last->size += end - start;
    else if (map->count < BZ_MEMORY_PARTS)
        map->parts[map->count++] = (struct bz_memory_part){ start, end - start, reason };
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void bz_memory_map_make(struct bz_memory_map *map, const struct bz_slots *slots, const struct bz_spans *boot,
                        uint64_t below_gpa, const char *persistent)
{
    map->count = 0;
    for (size_t i = 0; i < slots->count; i++) {
        const struct bz_slot *slot = &slots->items[i];
        uint64_t end = slot->gpa + slot->size;
        if (!bz_slot_is_ram(slot))
            continue;
        if (!bz_spans_overlap(boot, bz_slot_host(slot))) {
            add(map, slot->gpa, end, "it was not there when the guest started");
            continue;
        }
        uint64_t from = clamp(BZ_LOWEST_REPORTED, slot->gpa, end);
        uint64_t to = clamp(below_gpa, from, end);
        add(map, slot->gpa, from, "firmware uses the first MiB");
        add(map, from, to, NULL);
        add(map, to, end, persistent);
    }
}
