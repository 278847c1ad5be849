/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/slots.h"

#include <stdlib.h>
#include <string.h>

#include "qemu/abi-kvm.h"

/* KVM keeps the address space in the upper half of the slot's number. */
bool bz_slots_keep(uint32_t id)
{
    return id >> 16 == 0;
}

static void remove_id(struct bz_slots *slots, uint32_t id)
{
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->items[i].id == id) {
            memmove(&slots->items[i], &slots->items[i + 1], (slots->count - i - 1) * sizeof *slots->items);
            slots->count--;
            return;
        }
    }
}

bool bz_slots_set(struct bz_slots *slots, struct bz_slot slot)
{
    if (!bz_slots_keep(slot.id))
        return true;
    remove_id(slots, slot.id);
    if (slot.size == 0)
        return true;
    if (slots->count == slots->capacity) {
        size_t capacity = slots->capacity ? slots->capacity * 2 : 32;
        struct bz_slot *items = realloc(slots->items, capacity * sizeof *items);
        if (items == NULL)
            return false;
        slots->items = items;
        slots->capacity = capacity;
    }

    size_t at = slots->count;
    while (at > 0 && slots->items[at - 1].gpa > slot.gpa)
        at--;
    memmove(&slots->items[at + 1], &slots->items[at], (slots->count - at) * sizeof slot);
    slots->items[at] = slot;
    slots->count++;
    return true;
}

const struct bz_slot *bz_slots_find(const struct bz_slots *slots, uint64_t gpa)
{
    for (size_t i = 0; i < slots->count; i++)
        if (gpa >= slots->items[i].gpa && gpa - slots->items[i].gpa < slots->items[i].size)
            return &slots->items[i];
    return NULL;
}

bool bz_slot_is_ram(const struct bz_slot *slot)
{
    return (slot->flags & (KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD)) == 0;
}

bool bz_slot_logs_writes(const struct bz_slot *slot)
{
    return (slot->flags & KVM_MEM_LOG_DIRTY_PAGES) != 0;
}

struct bz_span bz_slot_host(const struct bz_slot *slot)
{
    return (struct bz_span){ slot->host, slot->host + slot->size };
}

void bz_slots_clear(struct bz_slots *slots)
{
    free(slots->items);
    *slots = (struct bz_slots){ 0 };
}
