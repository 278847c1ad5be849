/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/settings.h"

#include <string.h>
#include <sys/stat.h>

/* By these the file is known again. All zero stands for a file that is not there. */
typedef struct {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed;
} FileState;

static GMutex lock;
static BzSettings *current; /* guarded by lock, as the next */
static FileState current_state;

static FileState file_state(const char *path)
{
    FileState state;
    struct stat info;

    memset(&state, 0, sizeof(state)); /* padding too: states are compared as bytes */
    if (stat(path, &info) == 0) {
        state.device = info.st_dev;
        state.inode = info.st_ino;
        state.size = info.st_size;
        state.modified = info.st_mtim;
        state.changed = info.st_ctim;
    }
    return state;
}

static void clear_settings(gpointer data)
{
    bz_configuration_free(((BzSettings *)data)->configuration);
}

void bz_settings_unref(BzSettings *settings)
{
    g_atomic_rc_box_release_full(settings, clear_settings);
}

BzSettings *bz_settings_get(GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    /* Before the file is read: if it changes in between, the next call sees that and reads it again. */
    FileState state = file_state(BZ_CONFIG_FILE);

    if (current == NULL || memcmp(&state, &current_state, sizeof(state)) != 0) {
        static guint generation; /* guarded by lock, too */
        BzConfiguration *configuration = bz_configuration_load(NULL, error);

        if (configuration == NULL)
            return NULL;
        g_clear_pointer(&current, bz_settings_unref);
        current = g_atomic_rc_box_new0(BzSettings);
        current->configuration = configuration;
        current->generation = ++generation;
        current_state = state;
    }
    return g_atomic_rc_box_acquire(current);
}
