/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether others could have written a file: the question before root runs a program or believes a cache.
 */
#pragma once
#include <glib.h>

/*
 * path is absolute and resolved (no symbolic links, no "..": as realpath() gives it). It is trusted when it and every
 * folder above it belong to root, or to the user we run as, and nobody else may write to them. A sticky folder such as
 * /tmp passes: in it only the owner can replace an entry.
 * FALSE with BZ_ERROR_UNSUPPORTED and a clause that names the first offender and the remedy.
 */
gboolean bz_path_is_trusted(const char *path, GError **error);
