/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/ranges-message.h"

#include <inttypes.h>

void bz_message_zeroed_ranges(struct bz_buffer *out, const struct bz_zeroed *zeroed, const struct bz_memory_map *map,
                              const struct bz_identity *identity)
{
    bz_buffer_printf(out, "{\"ranges\": [");
    for (unsigned i = 0; i < zeroed->ranges.n_kept; i++)
        bz_buffer_printf(out, "%s{\"start\": %" PRIu64 ", \"size\": %" PRIu64 "}", i ? ", " : "",
                         zeroed->ranges.kept[i].page << BZ_HV_PAGE_SHIFT,
                         zeroed->ranges.kept[i].count << BZ_HV_PAGE_SHIFT);
    bz_buffer_printf(out, "], \"memory\": [");
    for (unsigned i = 0; i < map->count; i++) {
        bz_buffer_printf(out, "%s{", i ? ", " : "");
        bz_message_put_reason(out, map->parts[i].reason);
        bz_buffer_printf(out, "\"start\": %" PRIu64 ", \"size\": %" PRIu64 "}", map->parts[i].start, map->parts[i].size);
    }
    bz_buffer_printf(out, "], \"zeroed-bytes\": %" PRIu64 ", \"ram-bytes\": %" PRIu64 ", \"scan-ns\": %" PRIu64
                          ", \"truncated\": %s, ",
                     bz_ranges_total(&zeroed->ranges) << BZ_HV_PAGE_SHIFT, zeroed->boot_bytes, zeroed->scan_ns,
                     zeroed->ranges.n_left_out > 0 ? "true" : "false");
    bz_message_put_reason(out, zeroed->reason);
    bz_message_put_domain(out, identity);
    bz_buffer_printf(out, "}");
}
