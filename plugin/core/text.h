/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign text made fit for a message: one line, valid UTF-8, bounded. */
#pragma once
#include <glib.h>

/*
 * Control characters, newlines among them, as \xNN; at most limit characters and then "...". Free with g_free().
 */
char *bz_text_escape(const char *text, gsize limit);

/* The same of the first line of data (length bytes, which need not end in a NUL). */
char *bz_text_first_line(const char *data, gsize length, gsize limit);
