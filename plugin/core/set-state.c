/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/set-state.h"

#include "core/domain-read.h"
#include "core/edit.h"
#include "core/error.h"
#include "core/place.h"

/* The element in <features><hyperv>, of which bz_domain_read() has made sure that there is one. */
static int find_element(const BzOutline *outline)
{
    for (int i = 0; i < bz_outline_count(outline); i++)
        if (bz_outline_node(outline, i)->depth == 3 && bz_outline_is(outline, i, NULL, BZ_ELEMENT_BOOT_ZEROED_MEMORY) &&
            bz_outline_is(outline, bz_outline_node(outline, i)->parent, NULL, "hyperv"))
            return i;
    return BZ_NODE_NONE;
}

static char *replace_state(const BzOutline *outline, BzState state)
{
    g_autoptr(BzEdits) edits = bz_edits_new(bz_outline_source(outline));
    gsize start, end;

    if (!bz_outline_attribute_span(outline, find_element(outline), "state", &start, &end))
        return NULL;
    bz_edits_replace(edits, start, end, bz_state_to_string(state));
    return bz_edits_apply(edits);
}

static char *add_element(const BzOutline *outline, BzState state)
{
    g_autoptr(BzEdits) edits = bz_edits_new(bz_outline_source(outline));
    const BzFeatures wanted = {.boot_zeroed_memory = state};

    bz_place_elements(edits, outline, BZ_NODE_ROOT, &wanted, 0);
    return bz_edits_apply(edits);
}

gboolean bz_set_state(const char *xml, const BzConfiguration *configuration, BzState state, char **out, GError **error)
{
    g_autoptr(BzOutline) outline = bz_outline_new(xml, error);
    g_autoptr(BzDomain) facts = NULL;
    BzDomainNodes nodes;
    BzState now;

    *out = NULL;
    if (!outline)
        return FALSE;
    if (!bz_outline_is(outline, BZ_NODE_ROOT, NULL, "domain")) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "unexpected root element <%s>, expecting <domain>",
                    bz_outline_node(outline, BZ_NODE_ROOT)->name);
        return FALSE;
    }
    facts = bz_domain_read(outline, BZ_NODE_ROOT, configuration, &nodes, error);
    if (!facts)
        return FALSE;
    now = facts->has_elements ? facts->features.boot_zeroed_memory : BZ_STATE_ABSENT;
    if (now == BZ_STATE_ABSENT && state == BZ_STATE_ON)
        *out = add_element(outline, state);
    else if (now != BZ_STATE_ABSENT && now != state)
        *out = replace_state(outline, state);
    return TRUE;
}
