/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory slots of the guest as KVM has them now: which guest-physical range is backed by which host range. Only the
 * address space the guest normally runs in (0) is kept; 1 is that of system management mode.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qemu/span.h"

struct bz_slot {
    uint32_t id;
    uint32_t flags; /* KVM_MEM_* */
    uint64_t gpa;
    uint64_t size;
    uint64_t host;
};

/*
 * Sorted by gpa. KVM refuses slots that overlap in guest-physical space; in host space they may (aliases). {0} is
 * empty.
 */
struct bz_slots {
    struct bz_slot *items;
    size_t count;
    size_t capacity;
};

/*
 * Repeats on the table what KVM has just accepted: size 0 deletes the id, a known id is replaced, any other is added.
 * Slots of other address spaces are ignored. False when there is no memory: the table is then no longer true.
 */
bool bz_slots_set(struct bz_slots *slots, struct bz_slot slot);

/* True when the table keeps slots with this id: those of address space 0. */
bool bz_slots_keep(uint32_t id);

/* The slot that holds gpa, or NULL. */
const struct bz_slot *bz_slots_find(const struct bz_slots *slots, uint64_t gpa);

/* Ordinary memory the guest can write: no ROM, no memory that only the guest can see. */
bool bz_slot_is_ram(const struct bz_slot *slot);

bool bz_slot_logs_writes(const struct bz_slot *slot);

struct bz_span bz_slot_host(const struct bz_slot *slot);

void bz_slots_clear(struct bz_slots *slots);
