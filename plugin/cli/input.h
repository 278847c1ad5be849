/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XML from a file or from standard input. */
#pragma once
#include <glib.h>

/*
 * The whole text of a file, of standard input for NULL or "-". Free with g_free().
 * Errors: BZ_ERROR_FAILED when it cannot be read or is endless; BZ_ERROR_MALFORMED when it is not a text.
 */
char *bz_input_read(const char *path, GError **error);
