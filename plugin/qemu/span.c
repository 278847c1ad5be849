/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/span.h"

#include <stdlib.h>
#include <string.h>

bool bz_spans_add(struct bz_spans *set, struct bz_span span)
{
    if (bz_span_is_empty(span))
        return true;
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity * 2 : 8;
        struct bz_span *items = realloc(set->items, capacity * sizeof *items);
        if (items == NULL)
            return false;
        set->items = items;
        set->capacity = capacity;
    }

    /* [first, last) are the spans that overlap or touch the new one: it swallows them. */
    size_t first = 0;
    while (first < set->count && set->items[first].end < span.start)
        first++;
    size_t last = first;
    while (last < set->count && set->items[last].start <= span.end) {
        if (set->items[last].start < span.start)
            span.start = set->items[last].start;
        if (set->items[last].end > span.end)
            span.end = set->items[last].end;
        last++;
    }
    memmove(&set->items[first + 1], &set->items[last], (set->count - last) * sizeof span);
    set->items[first] = span;
    set->count = set->count - (last - first) + 1;
    return true;
}

bool bz_spans_remove(struct bz_spans *set, struct bz_span span)
{
    struct bz_spans rest = { 0 };
    bool good = true;

    for (size_t i = 0; i < set->count; i++) {
        struct bz_span item = set->items[i];
        bool apart = bz_span_is_empty(bz_span_intersect(item, span));
        struct bz_span before = { item.start, apart ? item.end : span.start };
        struct bz_span after = { span.end, apart ? span.end : item.end };
        good = good && bz_spans_add(&rest, before) && bz_spans_add(&rest, after);
    }
    if (!good) {
        bz_spans_clear(&rest);
        return false;
    }
    bz_spans_clear(set);
    *set = rest;
    return true;
}

struct bz_span bz_spans_first_part(const struct bz_spans *set, struct bz_span span, bool *inside)
{
    *inside = false;
    for (size_t i = 0; i < set->count; i++) {
        struct bz_span item = set->items[i];
        if (item.end <= span.start)
            continue;
        *inside = item.start <= span.start;
        uint64_t border = *inside ? item.end : item.start;
        return bz_span_intersect(span, (struct bz_span){ span.start, border });
    }
    return span;
}

bool bz_spans_overlap(const struct bz_spans *set, struct bz_span span)
{
    for (size_t i = 0; i < set->count; i++)
        if (!bz_span_is_empty(bz_span_intersect(set->items[i], span)))
            return true;
    return false;
}

struct bz_span bz_spans_hull(const struct bz_spans *set)
{
    if (set->count == 0)
        return (struct bz_span){ 0, 0 };
    return (struct bz_span){ set->items[0].start, set->items[set->count - 1].end };
}

void bz_spans_clear(struct bz_spans *set)
{
    free(set->items);
    *set = (struct bz_spans){ 0 };
}
