/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture of guest memory: of sizes that no test machine has, and of what a guest may claim. */
#include <glib.h>
#include <string.h>

#include "cli/grid.h"

#define GIB (1ull << 30)
#define TIB (1ull << 40)

static BzGrid *grid_of(const char *memory, const char *ranges)
{
    g_autofree char *text = g_strdup_printf("{\"memory\": %s, \"ranges\": %s}", memory, ranges);
    g_autoptr(JsonNode) node = json_from_string(text, NULL);

    g_assert_nonnull(node);
    return bz_grid_new(json_node_get_object(node));
}

/* One character a cell, without the holes at the end; rows by newlines. */
static char *look_of(const BzGrid *grid)
{
    GString *text = g_string_new(NULL);

    for (guint r = 0; r < grid->rows->len; r++) {
        g_autofree char *line = g_strnfill(BZ_GRID_COLUMNS, ' ');
        for (guint c = 0; c < BZ_GRID_COLUMNS; c++)
            line[c] = " uzmt#"[bz_cell_look(&g_array_index(grid->rows, BzRow, r).cells[c])];
        g_string_append_printf(text, "%s%s", r ? "\n" : "", g_strchomp(line));
    }
    return g_string_free(text, FALSE);
}

static void small(void)
{
    g_autoptr(BzGrid) grid = grid_of("[{\"start\": 0, \"size\": 8192, \"reason\": \"low\"}, {\"start\": 8192, \"size\": 16384}]",
                                     "[{\"start\": 8192, \"size\": 4096}, {\"start\": 20480, \"size\": 1000000}]");
    g_autofree char *look = look_of(grid);

    g_assert_cmpuint(grid->cell_size, ==, 4096);
    g_assert_cmpstr(look, ==, "uuz##z");
    g_assert_cmpuint(grid->zero, ==, 8192);
    g_assert_cmpuint(grid->unreported, ==, 8192);
    g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(grid->reasons, "low"), ==, 8192);
}

static void large(void)
{
    /* 1 TiB with the hole below 4 GiB that every such guest has */
    g_autofree char *memory = g_strdup_printf(
        "[{\"start\": 0, \"size\": %llu}, {\"start\": %llu, \"size\": %llu}]", 3 * GIB, 4 * GIB, TIB - 3 * GIB);
    g_autofree char *ranges = g_strdup_printf("[{\"start\": %llu, \"size\": %llu}, {\"start\": %llu, \"size\": %llu}]", GIB,
                                              GIB / 4, 8 * GIB, TIB - 8 * GIB);
    g_autoptr(BzGrid) grid = grid_of(memory, ranges);
    g_autofree char *look = look_of(grid);

    g_assert_cmpuint(grid->cell_size, ==, GIB);
    g_assert_true(g_str_has_prefix(look, "#t# ####zzzz"));
    g_assert_cmpuint(grid->rows->len, ==, 17);
    g_assert_cmpuint(grid->memory, ==, TIB);
}

static void far_apart(void)
{
    g_autofree char *memory = g_strdup_printf("[{\"start\": %llu, \"size\": 4096}, {\"start\": 0, \"size\": 4096}]",
                                              (1ull << 52) - 4096);
    g_autoptr(BzGrid) grid = grid_of(memory, "[]");

    g_assert_cmpuint(grid->rows->len, ==, 2);
    g_assert_cmpuint(g_array_index(grid->rows, BzRow, 0).address, ==, 0);
}

static void wrong(void)
{
    static const char *const memories[] = {
        "[]", "1", "[1]", "[{}]", "[{\"start\": -1, \"size\": 4096}]", "[{\"start\": 0, \"size\": \"x\"}]",
        "[{\"start\": 0, \"size\": 0}]", "[{\"start\": 4503599627370496, \"size\": 1}]",
        "[{\"start\": 4096, \"size\": 9223372036854775807}]",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(memories); i++)
        g_assert_null(grid_of(memories[i], "[]"));
    g_assert_null(grid_of("[{\"start\": 0, \"size\": 4096}]", "null"));
    /* all there could be: bounded work all the same */
    g_autoptr(BzGrid) grid = grid_of("[{\"start\": 0, \"size\": 4503599627370496}]",
                                     "[{\"start\": 0, \"size\": 4503599627370496}]");
    g_assert_cmpuint(grid->rows->len, ==, 16);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/grid/small", small);
    g_test_add_func("/grid/large", large);
    g_test_add_func("/grid/far-apart", far_apart);
    g_test_add_func("/grid/wrong", wrong);
    return g_test_run();
}
