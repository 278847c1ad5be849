/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/edit.h"

#include <string.h>

typedef struct {
    gsize start;
    gsize end;
    guint order;
    char *replacement;
} Edit;

struct BzEdits {
    const char *text;
    GArray *list;
};

static void clear_edit(gpointer data)
{
    Edit *edit = data;

    g_free(edit->replacement);
}

BzEdits *bz_edits_new(const char *text)
{
    BzEdits *edits = g_new0(BzEdits, 1);

    edits->text = text;
    edits->list = g_array_new(FALSE, FALSE, sizeof(Edit));
    g_array_set_clear_func(edits->list, clear_edit);
    return edits;
}

void bz_edits_free(BzEdits *edits)
{
    if (!edits)
        return;
    g_array_unref(edits->list);
    g_free(edits);
}

void bz_edits_replace(BzEdits *edits, gsize start, gsize end, const char *replacement)
{
    Edit edit = {.start = start, .end = end, .order = edits->list->len, .replacement = g_strdup(replacement)};

    g_array_append_val(edits->list, edit);
}

void bz_edits_insert(BzEdits *edits, gsize at, const char *text)
{
    bz_edits_replace(edits, at, at, text);
}

void bz_edits_remove_with_indent(BzEdits *edits, gsize start, gsize end)
{
    while (start > 0 && g_ascii_isspace(edits->text[start - 1]))
        start--;
    bz_edits_replace(edits, start, end, "");
}

gboolean bz_edits_is_empty(const BzEdits *edits)
{
    return edits->list->len == 0;
}

static int compare(gconstpointer a, gconstpointer b)
{
    const Edit *first = a, *second = b;

    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    if (first->end != second->end) /* an insertion comes before what replaces the bytes behind it */
        return first->end < second->end ? -1 : 1;
    return first->order < second->order ? -1 : 1;
}

char *bz_edits_apply(const BzEdits *edits)
{
    GString *result = g_string_sized_new(strlen(edits->text) + 1024);
    gsize at = 0;

    g_array_sort(edits->list, compare);
    for (guint i = 0; i < edits->list->len; i++) {
        const Edit *edit = &g_array_index(edits->list, Edit, i);

        g_assert(edit->start >= at && edit->end >= edit->start);
        g_string_append_len(result, edits->text + at, edit->start - at);
        g_string_append(result, edit->replacement);
        at = edit->end;
    }
    g_string_append(result, edits->text + at);
    return g_string_free(result, FALSE);
}

gboolean bz_is_blank(const char *text, gsize start, gsize end)
{
    while (start < end && g_ascii_isspace(text[start]))
        start++;
    return start >= end;
}
