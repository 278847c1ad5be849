/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runtime folder: tells of every file that comes into it. GFileMonitor would do, but neither says when the kernel's
 * queue has overflowed nor finds a folder again that was removed and made anew, and guests would be missed for ever.
 */
#pragma once
#include <glib.h>

typedef struct BzFolder BzFolder;

typedef struct {
    /* A file came; also, of all that are there, whenever some may have been missed. name is without the folder. */
    void (*found)(const char *name, gpointer opaque);
    /* The folder was removed, and has been made anew: sockets of before cannot be reached any more. */
    void (*renewed)(gpointer opaque);
} BzFolderType;

/* Makes the folder when it is not there, and looks at what is in it before it returns. Then uses the main loop. */
BzFolder *bz_folder_new(const char *path, const BzFolderType *type, gpointer opaque, GError **error);
void bz_folder_free(BzFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzFolder, bz_folder_free)
