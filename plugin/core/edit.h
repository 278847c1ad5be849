/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes to a text, collected first and then made in one go, so that offsets stay those of the original.
 */
#pragma once
#include <glib.h>

typedef struct BzEdits BzEdits;

BzEdits *bz_edits_new(const char *text);
void bz_edits_free(BzEdits *edits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzEdits, bz_edits_free)

/*
 * Replaces the bytes from start up to end (not included; equal: an insertion) by a copy of replacement.
 * Spans must not overlap; insertions at one place come out in the order they were made.
 */
void bz_edits_replace(BzEdits *edits, gsize start, gsize end, const char *replacement);
void bz_edits_insert(BzEdits *edits, gsize at, const char *text);

/* Removes the bytes together with the white space before them: the line, if they had one of their own. */
void bz_edits_remove_with_indent(BzEdits *edits, gsize start, gsize end);

gboolean bz_edits_is_empty(const BzEdits *edits);

/* The text with every change made. Free with g_free(). */
char *bz_edits_apply(const BzEdits *edits);

/* White space, as XML has it. */
gboolean bz_is_blank(const char *text, gsize start, gsize end);
