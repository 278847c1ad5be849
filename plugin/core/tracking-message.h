/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What endpoints say of a guest, as JSON by schema/bootzero.json: of the guest's own and of the host's alike. Light:
 * libc alone, since plugin/qemu links it.
 */
#pragma once

#include "core/buffer.h"
#include "core/tracking.h"

/* BootzeroDomain */
struct bz_identity {
    char name[256]; /* "" when there is none; a longer one is cut off */
    char uuid[40];  /* in lower case; "" when there is none */
};

/* BootzeroReport: an answer that had ranges. */
struct bz_report {
    uint64_t call; /* 0: there was none */
    uint64_t ranges;
    uint64_t zeroed_bytes;
    uint64_t ram_bytes;
    uint64_t scan_ns;
    bool truncated;
    char backends[80]; /* separated by comma or space */
    char reason[160];  /* "" when no memory was left out */
};

/* Whole events. at is in microseconds since 1970. */
void bz_message_change(struct bz_buffer *out, const struct bz_tracking *tracking, const struct bz_identity *identity,
                       uint64_t at);
void bz_message_report(struct bz_buffer *out, const struct bz_report *report, const struct bz_identity *identity,
                       uint64_t at);
void bz_message_lost(struct bz_buffer *out, uint64_t count, const struct bz_identity *identity, uint64_t at);

/* One BootzeroTracking. */
void bz_message_tracking(struct bz_buffer *out, const struct bz_tracking *tracking, const struct bz_report *report,
                         const struct bz_identity *identity);

/* Parts: "reason": "...", with the comma behind it, or nothing; and "domain": {...}. */
void bz_message_put_reason(struct bz_buffer *out, const char *reason);
void bz_message_put_domain(struct bz_buffer *out, const struct bz_identity *identity);
