/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/layout.h"

#include <string.h>

static gsize blank_before(const char *text, gsize at)
{
    gsize start = at;

    while (start > 0 && g_ascii_isspace(text[start - 1]))
        start--;
    return start;
}

/* The white space before the node, from the last newline in it; "" when there is none at all. */
static char *own_indent(const BzOutline *outline, int node)
{
    const char *text = bz_outline_source(outline);
    gsize end = bz_outline_node(outline, node)->start;
    gsize start = blank_before(text, end);

    for (gsize i = end; i > start; i--) {
        if (text[i - 1] == '\n') {
            start = i - 1;
            if (start > 0 && text[start - 1] == '\r')
                start--;
            break;
        }
    }
    return g_strndup(text + start, end - start);
}

char *bz_layout_indent(const BzOutline *outline, int node)
{
    g_autofree char *own = own_indent(outline, node);

    if (own[0] == '\n' || own[0] == '\r')
        return g_steal_pointer(&own);
    return g_strdup_printf("\n%*s", 2 * bz_outline_node(outline, node)->depth, "");
}

char *bz_layout_child_indent(const BzOutline *outline, int node)
{
    int last = bz_outline_last_child(outline, node);
    g_autofree char *indent = NULL;

    if (last != BZ_NODE_NONE)
        return own_indent(outline, last);
    indent = bz_layout_indent(outline, node);
    return g_strconcat(indent, "  ", NULL);
}

static char *qualified_name(const BzOutline *outline, int node)
{
    const char *name = bz_outline_source(outline) + bz_outline_node(outline, node)->start + 1;

    return g_strndup(name, strcspn(name, " \t\r\n/>"));
}

void bz_layout_insert_child(BzEdits *edits, const BzOutline *outline, int parent, int after, const char *element)
{
    const char *text = bz_outline_source(outline);
    const BzNode *node = bz_outline_node(outline, parent);
    g_autofree char *indent = bz_layout_child_indent(outline, parent);
    g_autofree char *line = g_strconcat(indent, element, NULL);
    g_autofree char *outer = NULL, *closed = NULL;

    if (after != BZ_NODE_NONE) {
        bz_edits_insert(edits, bz_outline_node(outline, after)->end, line);
        return;
    }
    if (!bz_is_blank(text, node->open_end, node->close_start)) {
        /* in front of its elements, or behind the comment it has instead of any */
        gboolean has_child = bz_outline_last_child(outline, parent) != BZ_NODE_NONE;

        bz_edits_insert(edits, has_child ? node->open_end : blank_before(text, node->close_start), line);
        return;
    }
    outer = bz_layout_indent(outline, parent);
    if (node->open_end == node->end) { /* <a/> */
        g_autofree char *name = qualified_name(outline, parent);

        closed = g_strdup_printf(">%s%s</%s>", line, outer, name);
        bz_edits_replace(edits, blank_before(text, node->end - 2), node->end, closed);
    } else {
        closed = g_strconcat(line, outer, NULL);
        bz_edits_replace(edits, node->open_end, node->close_start, closed);
    }
}
