/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text in the user's editor. */
#pragma once
#include <glib.h>

/*
 * Writes text to a new file that nobody else may read. Gives its path. Free with g_free(); the file is the caller's to
 * remove. Errors: BZ_ERROR_FAILED.
 */
char *bz_editor_file(const char *text, GError **error);

/*
 * Runs the editor that $VISUAL or $EDITOR names, else vi, on the file, and waits for it. Both may have options and
 * quotes, as for a shell. Errors: BZ_ERROR_FAILED when it cannot be run or ends with another status than 0.
 */
gboolean bz_editor_run(const char *path, GError **error);

/* Asks on the terminal until the answer begins with one of letters. 0: there is no terminal, or no answer. */
char bz_editor_ask(const char *question, const char *letters);
