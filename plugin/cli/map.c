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

/* Where a row begins: a whole number of the largest unit of which a row is one or more. Free with g_free(). */
static char *label(const BzGrid *grid, const BzRow *row)
{
    static const struct {
        guint64 size;
        const char *name;
    } units[] = {{1ull << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};
    gsize unit = 0;

    while (units[unit].size > grid->cell_size * BZ_GRID_COLUMNS)
        unit++;
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s", row->address / units[unit].size, units[unit].name);
}

static gboolean follows_a_gap(const BzGrid *grid, guint r)
{
    return r > 0 && g_array_index(grid->rows, BzRow, r).address !=
                        g_array_index(grid->rows, BzRow, r - 1).address + grid->cell_size * BZ_GRID_COLUMNS;
}

/* Lines of text below the picture, whatever it is made of. */
static GPtrArray *describe(const BzGrid *grid, JsonObject *zeroed)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *zero = bz_monitor_size(grid->zero), *memory = bz_monitor_size(grid->memory);
    guint percent = (guint)(100 * ((double)grid->zero / (double)grid->memory));
    g_autofree char *cell = bz_monitor_size(grid->cell_size);
    g_autoptr(GList) reasons = g_list_sort(g_hash_table_get_keys(grid->reasons), (GCompareFunc)strcmp);
    const char *left_out = bz_member_text(zeroed, "reason");
    gboolean truncated = FALSE;

    g_ptr_array_add(lines, g_strdup_printf("%s of %s (%u %%) would be reported now; a cell is %s", zero, memory, percent,
                                           cell));
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

/* --- in a terminal: no line is longer than 80 columns --- */

#define LABEL_WIDTH 10

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
        g_autofree char *start = label(grid, row);
        if (follows_a_gap(grid, r))
            printf("%*s\n", LABEL_WIDTH, "...");
        printf("%*s  ", LABEL_WIDTH, start);
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

#define CELL 12 /* pixels */
#define LEFT 90
#define TOP 36
#define LINE 18

static void put_text(GString *svg, int x, int y, const char *anchor, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    g_string_append_printf(svg, "<text x='%d' y='%d' text-anchor='%s'>%s</text>\n", x, y, anchor, escaped);
}

static void put_row(GString *svg, const BzGrid *grid, const BzRow *row, int y)
{
    g_autofree char *start = label(grid, row);

    put_text(svg, LEFT - 8, y + CELL - 2, "end", start);
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

/* Gives where they end. */
static int put_rows(GString *svg, const BzGrid *grid)
{
    int y = TOP;

    for (guint r = 0; r < grid->rows->len; r++, y += CELL) {
        if (follows_a_gap(grid, r))
            y += CELL; /* as much as shows that something is left out */
        put_row(svg, grid, &g_array_index(grid->rows, BzRow, r), y);
    }
    return y;
}

static char *draw(const BzGrid *grid, const GPtrArray *lines, const char *title)
{
    g_autoptr(GString) picture = g_string_new(NULL);
    int y = put_rows(picture, grid) + LINE, x = LEFT;

    put_text(picture, LEFT, TOP - 16, "start", title);
    for (BzLook look = BZ_LOOK_UNREPORTED; look < BZ_N_LOOKS; look++, x += 140) {
        g_string_append_printf(picture, "<rect x='%d' y='%d' width='%d' height='%d' fill='%s'/>\n", x, y - CELL + 2, CELL,
                               CELL, looks[look].fill);
        put_text(picture, x + CELL + 5, y, "start", looks[look].meaning);
    }
    for (guint i = 0; i < lines->len; i++)
        put_text(picture, LEFT, y += LINE, "start", lines->pdata[i]);
    return g_strdup_printf("<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='%d' "
                           "height='%d' font-family='sans-serif' font-size='12'>\n"
                           "<rect width='100%%' height='100%%' fill='white'/>\n%s</svg>\n",
                           LEFT + BZ_GRID_COLUMNS * CELL + 10, y + LINE, picture->str);
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
