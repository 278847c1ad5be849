/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/translate.h"

#include <string.h>

#include "core/args.h"
#include "core/domain-read.h"
#include "core/edit.h"
#include "core/element-parse.h"
#include "core/error.h"
#include "core/layout.h"
#include "core/outline.h"
#include "core/validate.h"

typedef struct {
    BzEdits *edits;
    BzOutline *outline;
    BzTranslateFlags flags;
    BzWritten written;
} Translation;

gboolean bz_translate_concerns(const char *xml)
{
    return strstr(xml, BZ_ELEMENT_BOOT_ZEROED_MEMORY) || strstr(xml, BZ_ELEMENT_EXT_QUERY_CAPS);
}

static gboolean is_element(const BzOutline *outline, int node)
{
    return bz_outline_is(outline, node, NULL, NULL) && bz_element_is_name(bz_outline_node(outline, node)->name);
}

/*
 * Whether <hyperv> goes with the elements. An empty one left behind would switch the feature "hyperv" on for libvirt,
 * and its ABI check would then refuse XML that comes back without it. A mode other than custom says more than the
 * elements did, so it stays.
 */
static gboolean is_only_ours(const Translation *work, int hyperv)
{
    const BzOutline *outline = work->outline;
    const BzNode *node = bz_outline_node(outline, hyperv);
    const char *mode = bz_outline_attribute(outline, hyperv, "mode");
    gsize at = node->open_end;
    gboolean has_ours = FALSE;
    int child = BZ_NODE_NONE;

    if (node->n_attributes > (mode ? 1 : 0) || (mode && strcmp(mode, "custom") != 0))
        return FALSE;
    while ((child = bz_outline_any_child(outline, hyperv, child)) != BZ_NODE_NONE) {
        if (!is_element(outline, child))
            return FALSE;
        if (work->flags & BZ_TRANSLATE_EXACT &&
            !bz_is_blank(bz_outline_source(outline), at, bz_outline_node(outline, child)->start))
            return FALSE; /* a comment, which a daemon would drop anyway */
        at = bz_outline_node(outline, child)->end;
        has_ours = TRUE;
    }
    return has_ours &&
           (!(work->flags & BZ_TRANSLATE_EXACT) || bz_is_blank(bz_outline_source(outline), at, node->close_start));
}

static void remove_from_hyperv(Translation *work, int hyperv)
{
    const BzNode *node = bz_outline_node(work->outline, hyperv);
    int child = BZ_NODE_NONE;

    if (is_only_ours(work, hyperv)) {
        if (node->n_attributes == 0)
            work->written |= BZ_WRITTEN_PLAIN_HYPERV;
        bz_edits_remove_with_indent(work->edits, node->start, node->end);
        return;
    }
    while ((child = bz_outline_any_child(work->outline, hyperv, child)) != BZ_NODE_NONE)
        if (is_element(work->outline, child))
            bz_edits_remove_with_indent(work->edits, bz_outline_node(work->outline, child)->start,
                                        bz_outline_node(work->outline, child)->end);
}

static void remove_elements(Translation *work, int domain)
{
    int features = BZ_NODE_NONE;

    while ((features = bz_outline_child(work->outline, domain, features, NULL, "features")) != BZ_NODE_NONE) {
        int hyperv = BZ_NODE_NONE;

        while ((hyperv = bz_outline_child(work->outline, features, hyperv, NULL, "hyperv")) != BZ_NODE_NONE)
            remove_from_hyperv(work, hyperv);
    }
}

/* Where libvirt writes <metadata>: after these. */
static int before_metadata(const BzOutline *outline, int domain)
{
    static const char *const first[] = {"name", "uuid", "genid", "title", "description"};
    int last = BZ_NODE_NONE;

    for (guint i = 0; i < G_N_ELEMENTS(first); i++)
        last = MAX(last, bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, first[i]));
    return last;
}

static void put_marker(Translation *work, int domain, int marker, const BzFeatures *features)
{
    const BzOutline *outline = work->outline;
    int metadata = bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, "metadata");
    g_autofree char *indent = NULL, *text = NULL;

    if (marker != BZ_NODE_NONE) {
        indent = bz_layout_indent(outline, marker);
        text = bz_marker_format(features, work->written, indent);
        bz_edits_replace(work->edits, bz_outline_node(outline, marker)->start, bz_outline_node(outline, marker)->end,
                         text);
    } else if (metadata != BZ_NODE_NONE) {
        int last = bz_outline_last_child(outline, metadata);
        const BzNode *node = bz_outline_node(outline, metadata);

        if (work->flags & BZ_TRANSLATE_EXACT && last == BZ_NODE_NONE &&
            bz_is_blank(bz_outline_source(outline), node->open_end, node->close_start))
            work->written |= BZ_WRITTEN_METADATA;
        indent = bz_layout_child_indent(outline, metadata);
        text = bz_marker_format(features, work->written, indent);
        bz_layout_insert_child(work->edits, outline, metadata, last, text);
    } else {
        g_autofree char *outer = bz_layout_child_indent(outline, domain);
        g_autofree char *element = NULL;

        indent = g_strconcat(outer, *outer ? "  " : "", NULL);
        element = bz_marker_format(features, work->written, indent);
        text = g_strdup_printf("<metadata>%s%s%s</metadata>", indent, element, outer);
        bz_layout_insert_child(work->edits, outline, domain, before_metadata(outline, domain), text);
    }
}

/* A marker that already says so is left as it is, so that translating twice changes nothing. */
static gboolean marker_is_right(const BzDomain *facts)
{
    return facts->has_marker && !facts->has_elements;
}

static gboolean choose_provider(const BzDomain *facts, BzTranslateFlags flags, BzChooser choose, gpointer data,
                                BzChoice **choice, char **notice, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!bz_features_wants_ext_query_caps(&facts->features))
        return TRUE;
    *choice = choose(facts, data, &local);
    if (*choice)
        return TRUE;
    if (flags & BZ_TRANSLATE_ALLOW_NONE && g_error_matches(local, BZ_ERROR, BZ_ERROR_UNSUPPORTED)) {
        if (notice)
            *notice = g_strdup(local->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean translate_domain(Translation *work, int domain, const BzConfiguration *configuration, BzChooser choose,
                                 gpointer data, char **notice, GError **error)
{
    g_autoptr(BzDomain) facts = NULL;
    g_autoptr(BzChoice) choice = NULL;
    BzDomainNodes nodes;
    gboolean commandline_was_empty = FALSE;

    facts = bz_domain_read(work->outline, domain, configuration, &nodes, error);
    if (!facts)
        return FALSE;
    if (!facts->has_elements && !facts->has_marker)
        return TRUE;
    if (!bz_validate(facts, NULL, error) ||
        !choose_provider(facts, work->flags, choose, data, &choice, notice, error))
        return FALSE;

    work->written = 0;
    remove_elements(work, domain);
    bz_args_edit(work->edits, work->outline, domain, configuration, &facts->features, choice, FALSE,
                 &commandline_was_empty);
    if (commandline_was_empty)
        work->written |= BZ_WRITTEN_COMMANDLINE;
    if (!(work->flags & BZ_TRANSLATE_EXACT))
        work->written = 0;
    if (!marker_is_right(facts))
        put_marker(work, domain, nodes.marker, &facts->features);
    return TRUE;
}

gboolean bz_translate(const char *xml, const BzConfiguration *configuration, BzTranslateFlags flags, BzChooser choose,
                      gpointer data, char **out, char **notice, GError **error)
{
    g_autoptr(BzOutline) outline = NULL;
    g_autoptr(BzEdits) edits = NULL;
    g_autofree char *first_notice = NULL;
    int domain = BZ_NODE_NONE;

    *out = NULL;
    if (notice)
        *notice = NULL;
    if (!bz_translate_concerns(xml))
        return TRUE;
    outline = bz_outline_new(xml, error);
    if (!outline)
        return FALSE;
    edits = bz_edits_new(xml);
    while ((domain = bz_domain_next(outline, domain)) != BZ_NODE_NONE) {
        Translation work = {.edits = edits, .outline = outline, .flags = flags};
        g_autofree char *next_notice = NULL;

        if (!translate_domain(&work, domain, configuration, choose, data, &next_notice, error))
            return FALSE;
        if (!first_notice)
            first_notice = g_steal_pointer(&next_notice);
    }
    if (notice)
        *notice = g_steal_pointer(&first_notice);
    if (!bz_edits_is_empty(edits))
        *out = bz_edits_apply(edits);
    return TRUE;
}
