/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest's endpoint says, as JSON by schema/bootzero.json. */
#pragma once

#include "core/buffer.h"
#include "qemu/events.h"
#include "qemu/identity.h"
#include "qemu/memory-map.h"

/* A whole event. */
void bz_message_event(struct bz_buffer *out, const struct bz_event *event, const struct bz_identity *identity);
void bz_message_lost(struct bz_buffer *out, uint64_t count, const struct bz_identity *identity);

/* What commands return: [BootzeroTracking] and BootzeroZeroedRanges. */
void bz_message_tracking(struct bz_buffer *out, const struct bz_tracking *tracking, const struct bz_report *report,
                         const struct bz_identity *identity);
void bz_message_zeroed_ranges(struct bz_buffer *out, const struct bz_zeroed *zeroed, const struct bz_memory_map *map,
                              const struct bz_identity *identity);
