/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

static gboolean entry_is_trusted(const char *path, GError **error)
{
    g_autofree char *shown = bz_text_escape(path, 200);
    struct stat st;

    if (lstat(path, &st) < 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "'%s': %s", shown, g_strerror(errno));
        return FALSE;
    }
    if (S_ISLNK(st.st_mode)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "'%s' became a symbolic link", shown);
        return FALSE;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "'%s' belongs to user %u: it must belong to root", shown,
                    (unsigned)st.st_uid);
        return FALSE;
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX))) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "others can write to '%s' (mode %04o): chmod go-w it", shown,
                    (unsigned)st.st_mode & 07777);
        return FALSE;
    }
    return TRUE;
}

gboolean bz_path_is_trusted(const char *path, GError **error)
{
    g_autofree char *part = g_strdup(path);

    g_return_val_if_fail(g_path_is_absolute(path), FALSE);
    for (;;) {
        if (!entry_is_trusted(part, error))
            return FALSE;
        if (strcmp(part, "/") == 0)
            return TRUE;
        char *parent = g_path_get_dirname(part);
        g_free(part);
        part = parent;
    }
}
