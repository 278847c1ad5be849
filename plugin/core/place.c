/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/place.h"

#include <string.h>

#include "core/element-parse.h"
#include "core/layout.h"

/* The last child of parent that has one of these names. */
static int last_of(const BzOutline *outline, int parent, const char *const *names, guint n)
{
    int last = BZ_NODE_NONE;

    for (guint i = 0; i < n; i++)
        for (int child = BZ_NODE_NONE;
             (child = bz_outline_child(outline, parent, child, NULL, names[i])) != BZ_NODE_NONE;)
            last = MAX(last, child);
    return last;
}

static char *format_hyperv(const BzFeatures *features, BzWritten written, const char *indent)
{
    g_autofree char *inner = g_strconcat(indent, *indent ? "  " : "", NULL);
    g_autofree char *elements = bz_element_format(features, inner);

    return g_strdup_printf("<hyperv%s>%s%s</hyperv>", written & BZ_WRITTEN_PLAIN_HYPERV ? "" : " mode='custom'",
                           elements, indent);
}

/* libvirt writes the features in the order of its enum, and <hyperv> comes after these. */
static void insert_hyperv(BzEdits *edits, const BzOutline *outline, int features, const BzFeatures *wanted,
                          BzWritten written)
{
    static const char *const before[] = {"acpi", "apic", "pae", "hap", "viridian", "privnet"};
    g_autofree char *indent = bz_layout_child_indent(outline, features);
    g_autofree char *hyperv = format_hyperv(wanted, written, indent);

    bz_layout_insert_child(edits, outline, features, last_of(outline, features, before, G_N_ELEMENTS(before)), hyperv);
}

/* <features> comes after <os> and <idmap>, without which no domain is complete. */
static void insert_features(BzEdits *edits, const BzOutline *outline, int domain, const BzFeatures *wanted,
                            BzWritten written)
{
    static const char *const before[] = {"name", "uuid",       "memory", "currentMemory",
                                         "vcpu", "bootloader", "os",     "idmap"};
    g_autofree char *outer = bz_layout_child_indent(outline, domain);
    g_autofree char *indent = g_strconcat(outer, *outer ? "  " : "", NULL);
    g_autofree char *hyperv = format_hyperv(wanted, written, indent);
    g_autofree char *features = g_strdup_printf("<features>%s%s%s</features>", indent, hyperv, outer);

    bz_layout_insert_child(edits, outline, domain, last_of(outline, domain, before, G_N_ELEMENTS(before)), features);
}

/* An empty <hyperv> of its own would not survive the next translation with the elements in it. */
static gboolean is_bare(const BzOutline *outline, int hyperv)
{
    const BzNode *node = bz_outline_node(outline, hyperv);
    const char *mode = bz_outline_attribute(outline, hyperv, "mode");

    return bz_is_blank(bz_outline_source(outline), node->open_end, node->close_start) &&
           node->n_attributes == (mode ? 1 : 0) && (!mode || strcmp(mode, "custom") == 0);
}

/* The <hyperv> the elements go into, and the bare ones beside it. */
static int find_hyperv(const BzOutline *outline, int domain, GArray *bare)
{
    int found = BZ_NODE_NONE;

    for (int features = BZ_NODE_NONE;
         (features = bz_outline_child(outline, domain, features, NULL, "features")) != BZ_NODE_NONE;) {
        for (int hyperv = BZ_NODE_NONE;
             (hyperv = bz_outline_child(outline, features, hyperv, NULL, "hyperv")) != BZ_NODE_NONE;) {
            if (is_bare(outline, hyperv))
                g_array_append_val(bare, hyperv);
            else if (found == BZ_NODE_NONE)
                found = hyperv;
        }
    }
    return found;
}

void bz_place_elements(BzEdits *edits, const BzOutline *outline, int domain, const BzFeatures *wanted,
                       BzWritten written)
{
    g_autoptr(GArray) bare = g_array_new(FALSE, FALSE, sizeof(int));
    int features = bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, "features");
    int hyperv = find_hyperv(outline, domain, bare);

    if (hyperv != BZ_NODE_NONE) {
        g_autofree char *indent = bz_layout_child_indent(outline, hyperv);
        g_autofree char *elements = bz_element_format(wanted, indent);

        /* the first indent is inserted with the child */
        bz_layout_insert_child(edits, outline, hyperv, bz_outline_last_child(outline, hyperv),
                               elements + strlen(indent));
        return;
    }
    for (guint i = 0; i < bare->len; i++) {
        const BzNode *node = bz_outline_node(outline, g_array_index(bare, int, i));

        bz_edits_remove_with_indent(edits, node->start, node->end);
    }
    if (features != BZ_NODE_NONE)
        insert_hyperv(edits, outline, features, wanted, written);
    else
        insert_features(edits, outline, domain, wanted, written);
}
