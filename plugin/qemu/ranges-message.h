/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What __bootzero_query-zeroed-ranges returns: BootzeroZeroedRanges of schema/bootzero.json. */
#pragma once

#include "core/tracking-message.h"
#include "qemu/answer.h"
#include "qemu/memory-map.h"

void bz_message_zeroed_ranges(struct bz_buffer *out, const struct bz_zeroed *zeroed, const struct bz_memory_map *map,
                              const struct bz_identity *identity);
