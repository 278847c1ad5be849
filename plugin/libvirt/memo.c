/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/memo.h"

#include <string.h>

/* At most 2 MiB in all. */
#define TEXTS_MAX 256
#define TEXT_SIZE_MAX 4096

static GMutex lock;
static GHashTable *texts; /* stored -> restored; guarded by lock, as the next */
static guint generation;  /* of the settings the texts were restored with */

char *bz_memo_get(const BzSettings *settings, const char *stored)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    if (texts == NULL || generation != settings->generation)
        return NULL;
    return g_strdup(g_hash_table_lookup(texts, stored));
}

void bz_memo_put(const BzSettings *settings, const char *stored, const char *restored)
{
    g_autoptr(GMutexLocker) locker = NULL;

    if (strlen(stored) >= TEXT_SIZE_MAX || strlen(restored) >= TEXT_SIZE_MAX)
        return;
    locker = g_mutex_locker_new(&lock);
    if (texts == NULL)
        texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (generation != settings->generation || g_hash_table_size(texts) >= TEXTS_MAX) {
        g_hash_table_remove_all(texts);
        generation = settings->generation;
    }
    g_hash_table_replace(texts, g_strdup(stored), g_strdup(restored));
}
