/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/args.h"
#include "core/domain-read.h"
#include "core/edit.h"
#include "core/outline.h"
#include "core/place.h"
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

static gboolean restore_domain(BzEdits *edits, const BzOutline *outline, int domain, const BzConfiguration *configuration,
                               GError **error)
{
    g_autoptr(BzDomain) facts = NULL;
    BzDomainNodes nodes;

    facts = bz_domain_read(outline, domain, configuration, &nodes, error);
    if (!facts)
        return FALSE;
    if (!facts->has_marker)
        return TRUE;
    remove_marker(edits, outline, &nodes);
    bz_args_edit(edits, outline, domain, configuration, &facts->features, NULL, nodes.written & BZ_WRITTEN_COMMANDLINE,
                 NULL);
    if (!facts->has_elements)
        bz_place_elements(edits, outline, domain, &facts->features, nodes.written);
    return TRUE;
}

gboolean bz_restore(const char *xml, const BzConfiguration *configuration, char **out, GError **error)
{
    g_autoptr(BzOutline) outline = NULL;
    g_autoptr(BzEdits) edits = NULL;
    int domain = BZ_NODE_NONE;

    *out = NULL;
    if (!bz_restore_concerns(xml))
        return TRUE;
    outline = bz_outline_new(xml, error);
    if (!outline)
        return FALSE;
    edits = bz_edits_new(xml);
    while ((domain = bz_domain_next(outline, domain)) != BZ_NODE_NONE)
        if (!restore_domain(edits, outline, domain, configuration, error))
            return FALSE;
    if (!bz_edits_is_empty(edits))
        *out = bz_edits_apply(edits);
    return TRUE;
}
