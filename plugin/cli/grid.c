/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/grid.h"

#include "core/members.h"
#include "core/text.h"

#define CELLS 1024
#define SMALLEST_CELL 4096
#define HIGHEST_ADDRESS (1ull << 52) /* no processor has more */
#define PARTS_LIMIT 4096

typedef struct {
    guint64 start, end;
} Span;

static gboolean get_span(JsonObject *object, Span *span)
{
    guint64 start, size;

    if (!object || !bz_member_number(object, "start", &start) || !bz_member_number(object, "size", &size) ||
        start > HIGHEST_ADDRESS || size > HIGHEST_ADDRESS - start)
        return FALSE;
    *span = (Span){start, start + size};
    return TRUE;
}

static GArray *get_spans(JsonObject *zeroed, const char *member)
{
    JsonArray *array = bz_member_array(zeroed, member);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(Span));
    Span span;

    if (!array || json_array_get_length(array) > PARTS_LIMIT)
        return NULL;
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (!get_span(bz_element_object(array, i), &span))
            return NULL;
        g_array_append_val(spans, span);
    }
    return g_steal_pointer(&spans);
}

static BzRow *row_at(BzGrid *grid, guint64 address)
{
    BzRow new_row = {.address = address};
    guint at = grid->rows->len;

    while (at > 0 && g_array_index(grid->rows, BzRow, at - 1).address > address)
        at--;
    if (at > 0 && g_array_index(grid->rows, BzRow, at - 1).address == address)
        return &g_array_index(grid->rows, BzRow, at - 1);
    g_array_insert_val(grid->rows, at, new_row);
    return &g_array_index(grid->rows, BzRow, at);
}

/* Adds the span's bytes to a number of each cell it touches. */
static void fill(BzGrid *grid, Span span, gsize number)
{
    guint64 row_size = grid->cell_size * BZ_GRID_COLUMNS;

    for (guint64 at = span.start; at < span.end;) {
        guint64 next = MIN((at / grid->cell_size + 1) * grid->cell_size, span.end);
        BzRow *row = row_at(grid, at / row_size * row_size);
        BzCell *cell = &row->cells[(at - row->address) / grid->cell_size];
        G_STRUCT_MEMBER(guint64, cell, number) += next - at;
        at = next;
    }
}

static void add_reason(BzGrid *grid, const char *reason, guint64 bytes)
{
    g_autofree char *shown = bz_text_escape(reason, 120);
    guint64 *sum = g_hash_table_lookup(grid->reasons, shown);

    if (!sum) {
        sum = g_new0(guint64, 1);
        g_hash_table_insert(grid->reasons, g_steal_pointer(&shown), sum);
    }
    *sum += bytes;
}

static void fill_part(BzGrid *grid, JsonObject *object, Span part, const GArray *ranges)
{
    const char *reason = bz_member_text(object, "reason");

    fill(grid, part, G_STRUCT_OFFSET(BzCell, memory));
    grid->memory += part.end - part.start;
    if (reason) {
        fill(grid, part, G_STRUCT_OFFSET(BzCell, unreported));
        grid->unreported += part.end - part.start;
        add_reason(grid, reason, part.end - part.start);
        return;
    }
    for (guint i = 0; i < ranges->len; i++) {
        const Span *range = &g_array_index(ranges, Span, i);
        Span both = {MAX(range->start, part.start), MIN(range->end, part.end)};
        if (both.start >= both.end)
            continue;
        fill(grid, both, G_STRUCT_OFFSET(BzCell, zero));
        grid->zero += both.end - both.start;
    }
}

BzGrid *bz_grid_new(JsonObject *zeroed)
{
    g_autoptr(GArray) parts = get_spans(zeroed, "memory"), ranges = get_spans(zeroed, "ranges");
    g_autoptr(BzGrid) grid = g_new0(BzGrid, 1);
    guint64 total = 0;

    grid->rows = g_array_new(FALSE, TRUE, sizeof(BzRow));
    grid->reasons = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!parts || !ranges)
        return NULL;
    for (guint i = 0; i < parts->len; i++)
        total += g_array_index(parts, Span, i).end - g_array_index(parts, Span, i).start;
    if (total == 0)
        return NULL;
    grid->cell_size = SMALLEST_CELL;
    while (total / grid->cell_size > CELLS)
        grid->cell_size *= 2;
    for (guint i = 0; i < parts->len; i++)
        fill_part(grid, bz_element_object(bz_member_array(zeroed, "memory"), i), g_array_index(parts, Span, i), ranges);
    return g_steal_pointer(&grid);
}

void bz_grid_free(BzGrid *grid)
{
    if (!grid)
        return;
    g_array_unref(grid->rows);
    g_hash_table_unref(grid->reasons);
    g_free(grid);
}

BzLook bz_cell_look(const BzCell *cell)
{
    guint64 reported = cell->memory - MIN(cell->unreported, cell->memory);

    if (cell->memory == 0)
        return BZ_LOOK_HOLE;
    if (reported <= cell->memory / 2)
        return BZ_LOOK_UNREPORTED;
    if (cell->zero >= reported)
        return BZ_LOOK_ZERO;
    if (cell->zero == 0)
        return BZ_LOOK_TOUCHED;
    return cell->zero >= reported / 2 ? BZ_LOOK_MOSTLY_ZERO : BZ_LOOK_MOSTLY_TOUCHED;
}
