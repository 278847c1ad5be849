/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero status [--json] [DOMAIN]: what virtbootzerod knows of the guests. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/monitor.h"
#include "core/error.h"
#include "core/members.h"
#include "core/text.h"

#define COLUMNS 7

/* Text for one line of a terminal, whatever it is. */
static char *shown(const char *text, const char *otherwise)
{
    return text ? bz_text_escape(text, 120) : g_strdup(otherwise);
}

static char *format_report(JsonObject *report, const char *member)
{
    guint64 number;

    return report && bz_member_number(report, member, &number) ? bz_monitor_size(number) : g_strdup("-");
}

static char *format_scan(JsonObject *report)
{
    guint64 ns;

    if (!report || !bz_member_number(report, "scan-ns", &ns))
        return g_strdup("-");
    return g_strdup_printf("%.1f ms", (double)ns / 1e6);
}

static char **format_row(JsonObject *guest)
{
    JsonObject *domain = bz_member_object(guest, "domain"), *report = bz_member_object(guest, "report");
    char **row = g_new0(char *, COLUMNS + 1);
    guint64 generation = 0;

    bz_member_number(guest, "generation", &generation);
    row[0] = shown(domain ? bz_member_text(domain, "name") : NULL, "?");
    row[1] = shown(bz_member_text(guest, "state"), "?");
    row[2] = generation ? g_strdup_printf("%" G_GUINT64_FORMAT, generation) : g_strdup("-");
    row[3] = shown(bz_member_text(guest, "provider"), "?");
    row[4] = format_report(report, "zeroed-bytes");
    row[5] = format_scan(report);
    row[6] = shown(bz_member_text(guest, "reason"), "");
    return row;
}

static void print_row(char **row, const glong *widths)
{
    for (guint c = 0; c < COLUMNS; c++) {
        printf("%s", row[c]);
        if (c < COLUMNS - 1)
            printf("%*s", (int)(widths[c] - g_utf8_strlen(row[c], -1) + 2), "");
    }
    printf("\n");
}

static void print_table(JsonArray *guests)
{
    char *head[] = {(char *)"NAME", (char *)"STATE", (char *)"GENERATION", (char *)"PROVIDER",
                    (char *)"ZEROED", (char *)"SCAN", (char *)"REASON", NULL};
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    glong widths[COLUMNS];

    for (guint c = 0; c < COLUMNS; c++)
        widths[c] = g_utf8_strlen(head[c], -1);
    for (guint i = 0; i < json_array_get_length(guests); i++) {
        JsonObject *guest = bz_element_object(guests, i);
        if (!guest)
            continue;
        char **row = format_row(guest);
        for (guint c = 0; c < COLUMNS; c++)
            widths[c] = MAX(widths[c], g_utf8_strlen(row[c], -1));
        g_ptr_array_add(rows, row);
    }
    print_row(head, widths);
    for (guint i = 0; i < rows->len; i++)
        print_row(rows->pdata[i], widths);
}

int bz_command_status(const BzCli *cli, int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "For programs", NULL},
        {0},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) guests = NULL;

    if (!bz_cli_parse(&argc, &argv, "[DOMAIN]",
                      "Which guests have asked for their boot-zeroed memory, and what they got.", entries, 1))
        return BZ_EXIT_USAGE;
    guests = bz_monitor_query("__bootzero_query-tracking", argc > 1 ? argv[1] : NULL, &error);
    if (!guests)
        return bz_cli_refuse(error);
    if (json) {
        g_autofree char *text = json_to_string(guests, TRUE);
        printf("%s\n", text);
    } else if (JSON_NODE_HOLDS_ARRAY(guests)) {
        print_table(json_node_get_array(guests));
    }
    return BZ_EXIT_OK;
}
