/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero map [--svg FILE] DOMAIN: a picture of which memory of a guest is still zero. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/grid.h"
#include "cli/monitor.h"
#include "core/error.h"
#include "core/members.h"
#include "core/text.h"

static const struct {
    const char *block;
    const char *colour; /* of a terminal */
    const char *fill;   /* in SVG */
    const char *meaning;
} looks[BZ_N_LOOKS] = {
    [BZ_LOOK_HOLE] = {" ", "", "none", NULL},
    [BZ_LOOK_UNREPORTED] = {"·", "\033[90m", "#b0b0b0", "never reported"},
    [BZ_LOOK_ZERO] = {"░", "\033[32m", "#7fc97f", "zero"},
    [BZ_LOOK_MOSTLY_ZERO] = {"▒", "\033[32m", "#c5d86d", "mostly zero"},
    [BZ_LOOK_MOSTLY_TOUCHED] = {"▓", "\033[33m", "#fdae61", "mostly touched"},
    [BZ_LOOK_TOUCHED] = {"█", "\033[31m", "#d7604c", "touched"},
};

/* Lines of text below the picture, whatever it is made of. */
static GPtrArray *describe(const BzGrid *grid, JsonObject *zeroed)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *zero = bz_monitor_size(grid->zero), *memory = bz_monitor_size(grid->memory);
    g_autofree char *cell = bz_monitor_size(grid->cell_size);
    g_autoptr(GList) reasons = g_list_sort(g_hash_table_get_keys(grid->reasons), (GCompareFunc)strcmp);
    const char *left_out = bz_member_text(zeroed, "reason");
    gboolean truncated = FALSE;

    g_ptr_array_add(lines, g_strdup_printf("%s of %s would be reported now; a cell is %s", zero, memory, cell));
    bz_member_boolean(zeroed, "truncated", &truncated);
    if (truncated)
        g_ptr_array_add(lines, g_strdup("There are more zero ranges than an answer holds: the smallest look touched"));
    if (left_out) {
        g_autofree char *shown = bz_text_escape(left_out, 160);
        g_ptr_array_add(lines, g_strdup_printf("Left out: %s", shown));
    }
    for (GList *reason = reasons; reason; reason = reason->next) {
        g_autofree char *size = bz_monitor_size(*(guint64 *)g_hash_table_lookup(grid->reasons, reason->data));
        g_ptr_array_add(lines, g_strdup_printf("Never reported: %s: %s", size, (char *)reason->data));
    }
    return lines;
}

/* --- in a terminal --- */

static void print_cell(BzLook look, BzLook before, gboolean colour)
{
    if (colour && look != before)
        printf("%s", look == BZ_LOOK_HOLE ? "\033[0m" : looks[look].colour);
    printf("%s", looks[look].block);
}

static void print_picture(const BzGrid *grid, const GPtrArray *lines)
{
    gboolean colour = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");

    for (guint r = 0; r < grid->rows->len; r++) {
        const BzRow *row = &g_array_index(grid->rows, BzRow, r);
        BzLook before = BZ_LOOK_HOLE;
        printf("%#15" G_GINT64_MODIFIER "x  ", row->address);
        for (guint c = 0; c < BZ_GRID_COLUMNS; c++) {
            BzLook look = bz_cell_look(&row->cells[c]);
            print_cell(look, before, colour);
            before = look;
        }
        printf("%s\n", colour ? "\033[0m" : "");
    }
    printf("\n");
    for (BzLook look = BZ_LOOK_UNREPORTED; look < BZ_N_LOOKS; look++) {
        print_cell(look, BZ_LOOK_HOLE, colour);
        printf("%s %s   ", colour ? "\033[0m" : "", looks[look].meaning);
    }
    printf("\n");
    for (guint i = 0; i < lines->len; i++)
        printf("%s\n", (char *)lines->pdata[i]);
}

/* --- as SVG --- */

#define CELL 10 /* pixels */
#define LEFT 130
#define LINE 18

static void put_text(GString *svg, int x, int y, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    g_string_append_printf(svg, "<text x='%d' y='%d'>%s</text>\n", x, y, escaped);
}

static void put_row(GString *svg, const BzRow *row, int y)
{
    g_autofree char *address = g_strdup_printf("%#" G_GINT64_MODIFIER "x", row->address);

    put_text(svg, 4, y + CELL - 1, address);
    for (guint c = 0; c < BZ_GRID_COLUMNS;) {
        BzLook look = bz_cell_look(&row->cells[c]);
        guint from = c;
        while (c < BZ_GRID_COLUMNS && bz_cell_look(&row->cells[c]) == look)
            c++;
        if (look != BZ_LOOK_HOLE)
            g_string_append_printf(svg, "<rect x='%u' y='%d' width='%u' height='%d' fill='%s'/>\n", LEFT + from * CELL,
                                   y, (c - from) * CELL - 1, CELL - 1, looks[look].fill);
    }
}

static char *draw(const BzGrid *grid, const GPtrArray *lines, const char *title)
{
    int rows_end = 30 + (int)grid->rows->len * CELL;
    int height = rows_end + LINE * (int)(lines->len + 2) + 10;
    int width = LEFT + BZ_GRID_COLUMNS * CELL + 10;
    GString *svg = g_string_new("<?xml version='1.0' encoding='UTF-8'?>\n");
    int x = LEFT;

    g_string_append_printf(svg, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' "
                                "font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n", width, height);
    put_text(svg, LEFT, 18, title);
    for (guint r = 0; r < grid->rows->len; r++)
        put_row(svg, &g_array_index(grid->rows, BzRow, r), 30 + (int)r * CELL);
    for (BzLook look = BZ_LOOK_UNREPORTED; look < BZ_N_LOOKS; look++, x += 125) {
        g_string_append_printf(svg, "<rect x='%d' y='%d' width='%d' height='%d' fill='%s'/>\n", x, rows_end + LINE - 9,
                               CELL, CELL, looks[look].fill);
        put_text(svg, x + CELL + 5, rows_end + LINE, looks[look].meaning);
    }
    for (guint i = 0; i < lines->len; i++)
        put_text(svg, LEFT, rows_end + LINE * (int)(i + 2), lines->pdata[i]);
    g_string_append(svg, "</svg>\n");
    return g_string_free(svg, FALSE);
}

static gboolean write_svg(const char *path, const char *svg, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (strcmp(path, "-") == 0) {
        fputs(svg, stdout);
        return TRUE;
    }
    if (g_file_set_contents(path, svg, -1, &cause))
        return TRUE;
    g_set_error_literal(error, BZ_ERROR, BZ_ERROR_FAILED, cause->message);
    return FALSE;
}

int bz_command_map(const BzCli *cli, int argc, char **argv)
{
    g_autofree char *svg_path = NULL;
    const GOptionEntry entries[] = {
        {"svg", 0, 0, G_OPTION_ARG_FILENAME, &svg_path, "Draw it into FILE ('-' for standard output)", "FILE"},
        {0},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) zeroed = NULL;
    g_autoptr(BzGrid) grid = NULL;
    g_autoptr(GPtrArray) lines = NULL;

    if (!bz_cli_parse(&argc, &argv, "DOMAIN", "Shows which memory of a running guest is still zero.", entries, 1))
        return BZ_EXIT_USAGE;
    if (argc < 2)
        return bz_cli_misuse("a domain is needed");
    zeroed = bz_monitor_query("__bootzero_query-zeroed-ranges", argv[1], &error);
    if (!zeroed)
        return bz_cli_refuse(error);
    if (JSON_NODE_HOLDS_OBJECT(zeroed))
        grid = bz_grid_new(json_node_get_object(zeroed));
    if (!grid) {
        g_set_error(&error, BZ_ERROR, BZ_ERROR_FAILED, "the guest '%s' does not tell of its memory", argv[1]);
        return bz_cli_refuse(error);
    }
    lines = describe(grid, json_node_get_object(zeroed));
    if (svg_path) {
        g_autofree char *title = g_strdup_printf("Memory of %s", argv[1]);
        g_autofree char *svg = draw(grid, lines, title);
        return write_svg(svg_path, svg, &error) ? BZ_EXIT_OK : bz_cli_refuse(error);
    }
    print_picture(grid, lines);
    return BZ_EXIT_OK;
}
