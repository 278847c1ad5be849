/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which guest-physical ranges are zero at this moment: memory slots, boot memory, mappings and scans put together. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "qemu/ranges.h"
#include "qemu/scan.h"
#include "qemu/slots.h"
#include "qemu/span.h"

/* Below are the tables of firmware and the memory of the processor's start, never worth reporting. */
#define BZ_LOWEST_REPORTED (1ull << 20)

/* All of it must stand still until the answer is there. */
struct bz_question {
    struct bz_memory memory;
    const struct bz_slots *slots;
    const struct bz_spans *boot;   /* host memory the guest was started with: nothing else is reported */
    const struct bz_spans *unsure; /* host memory where absent does not mean zero */
    uint64_t below_gpa;            /* nothing at or above it is reported */
    struct bz_span output;         /* host addresses the answer will be written to */
};

struct bz_zeroed {
    struct bz_ranges ranges;
    uint64_t boot_bytes; /* boot memory in reportable slots: zero, written, or left out */
    uint64_t scan_ns;
    char backend[80];  /* those used, separated by commas; "" when there was nothing to scan */
    char reason[160];  /* why memory was left out (the first reason), "" when none was */
};

/* Never fails: what cannot be judged is left out with the reason. After an error no range at all is left. */
void bz_answer(const struct bz_question *question, struct bz_zeroed *zeroed);
