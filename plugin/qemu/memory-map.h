/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's memory by address, and which of it is never reported: what a picture of it needs. */
#pragma once

#include <stdint.h>

#include "qemu/slots.h"
#include "qemu/span.h"

struct bz_memory_part {
    uint64_t start; /* guest-physical */
    uint64_t size;
    const char *reason; /* why it is never reported; NULL when it is, while zero. Lives as long as the process. */
};

/* Slots are as many as KVM allows, and few in fact: what is more is left out. */
#define BZ_MEMORY_PARTS 256

struct bz_memory_map {
    struct bz_memory_part parts[BZ_MEMORY_PARTS];
    unsigned count;
};

/* By address. below_gpa is as in struct bz_question, persistent the reason for it. */
void bz_memory_map_make(struct bz_memory_map *map, const struct bz_slots *slots, const struct bz_spans *boot,
                        uint64_t below_gpa, const char *persistent);
