/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/args.h"
#include "core/domain-read.h"
#include "core/edit.h"
#include "core/element-parse.h"
#include "core/error.h"
#include "core/layout.h"
#include "core/outline.h"
#include "core/translate.h"

gboolean bz_restore_concerns(const char *xml)
{
    return strstr(xml, BZ_NS_MARKER) != NULL;
}

/* The marker, and <metadata> with it when nothing else is in there and the user did not write it. */
static void remove_marker(BzEdits *edits, const BzOutline *outline, const BzDomainNodes *nodes)
{
    const char *text = bz_outline_source(outline);
    const BzNode *marker = bz_outline_node(outline, nodes->marker);
    const BzNode *metadata = bz_outline_node(outline, marker->parent);

    if (!bz_is_blank(text, metadata->open_end, marker->start) ||
        !bz_is_blank(text, marker->end, metadata->close_start))
        bz_edits_remove_with_indent(edits, marker->start, marker->end);
    else if (nodes->written & BZ_WRITTEN_METADATA)
        bz_edits_replace(edits, metadata->open_end - 1, metadata->end, "/>");
    else
        bz_edits_remove_with_indent(edits, metadata->start, metadata->end);
}

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
static void insert_hyperv(BzEdits *edits, const BzOutline *outline, int features, const BzDomain *facts,
                          BzWritten written)
{
    static const char *const before[] = {"acpi", "apic", "pae", "hap", "viridian", "privnet"};
    g_autofree char *indent = bz_layout_child_indent(outline, features);
    g_autofree char *hyperv = format_hyperv(&facts->features, written, indent);

    bz_layout_insert_child(edits, outline, features, last_of(outline, features, before, G_N_ELEMENTS(before)), hyperv);
}

/* <features> comes after <os> and <idmap>, without which no domain is complete. */
static void insert_features(BzEdits *edits, const BzOutline *outline, int domain, const BzDomain *facts,
                            BzWritten written)
{
    static const char *const before[] = {"name", "uuid", "memory", "currentMemory", "vcpu", "bootloader", "os", "idmap"};
    g_autofree char *outer = bz_layout_child_indent(outline, domain);
    g_autofree char *indent = g_strconcat(outer, *outer ? "  " : "", NULL);
    g_autofree char *hyperv = format_hyperv(&facts->features, written, indent);
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

static void insert_elements(BzEdits *edits, const BzOutline *outline, int domain, const BzDomain *facts,
                            BzWritten written)
{
    g_autoptr(GArray) bare = g_array_new(FALSE, FALSE, sizeof(int));
    int features = bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, "features");
    int hyperv = find_hyperv(outline, domain, bare);

    if (hyperv != BZ_NODE_NONE) {
        g_autofree char *indent = bz_layout_child_indent(outline, hyperv);
        g_autofree char *elements = bz_element_format(&facts->features, indent);

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
        insert_hyperv(edits, outline, features, facts, written);
    else
        insert_features(edits, outline, domain, facts, written);
}

gboolean bz_restore(const char *xml, const BzConfiguration *configuration, char **out, GError **error)
{
    g_autoptr(BzOutline) outline = NULL;
    g_autoptr(BzDomain) facts = NULL;
    g_autoptr(BzEdits) edits = NULL;
    BzDomainNodes nodes;

    *out = NULL;
    if (!bz_restore_concerns(xml))
        return TRUE;
    outline = bz_outline_new(xml, error);
    if (!outline)
        return FALSE;
    if (!bz_outline_is(outline, BZ_NODE_ROOT, NULL, "domain"))
        return TRUE;
    facts = bz_domain_read(outline, BZ_NODE_ROOT, configuration, &nodes, error);
    if (!facts)
        return FALSE;
    if (!facts->has_marker)
        return TRUE;

    edits = bz_edits_new(xml);
    remove_marker(edits, outline, &nodes);
    bz_args_edit(edits, outline, BZ_NODE_ROOT, configuration, &facts->features, NULL,
                 nodes.written & BZ_WRITTEN_COMMANDLINE, NULL);
    if (!facts->has_elements)
        insert_elements(edits, outline, BZ_NODE_ROOT, facts, nodes.written);
    *out = bz_edits_apply(edits);
    return TRUE;
}
