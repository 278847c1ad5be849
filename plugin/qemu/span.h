/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Half-open spans of host addresses, and sets of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bz_span {
    uint64_t start;
    uint64_t end; /* first address after it; start >= end is the empty span */
};

static inline bool bz_span_is_empty(struct bz_span span)
{
    return span.start >= span.end;
}

static inline struct bz_span bz_span_intersect(struct bz_span a, struct bz_span b)
{
    return (struct bz_span){ a.start > b.start ? a.start : b.start, a.end < b.end ? a.end : b.end };
}

/* A set of addresses as sorted spans that neither overlap nor touch. {0} is the empty set. */
struct bz_spans {
    struct bz_span *items;
    size_t count;
    size_t capacity;
};

/* Adds span to the set. False when there is no memory; the set is then as before. */
bool bz_spans_add(struct bz_spans *set, struct bz_span span);

/* Takes span out of the set. False when there is no memory; the set is then as before. */
bool bz_spans_remove(struct bz_spans *set, struct bz_span span);

/* The first part of span, from its start, that is either wholly in the set or wholly outside; *inside tells which. */
struct bz_span bz_spans_first_part(const struct bz_spans *set, struct bz_span span, bool *inside);

/* True when some address is in both. */
bool bz_spans_overlap(const struct bz_spans *set, struct bz_span span);

/* From the lowest to the highest address of the set; empty for the empty set. */
struct bz_span bz_spans_hull(const struct bz_spans *set);

void bz_spans_clear(struct bz_spans *set);
