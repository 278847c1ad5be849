/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/folder.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define CHECK_SECONDS 5

struct BzFolder {
    char *path;
    const BzFolderType *type;
    gpointer opaque;
    int inotify;  /* descriptor; -1 while there is no folder */
    guint source; /* reads it */
    guint timer;
    dev_t device; /* of the folder that is watched */
    ino_t inode;
};

/* As tmpfiles.d/bootzero.conf has it: QEMU's user, who is in group kvm, makes sockets there. */
static gboolean make_folder(const char *path, GError **error)
{
    const struct group *kvm = geteuid() == 0 ? getgrnam("kvm") : NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    if (g_mkdir_with_parents(path, 0755) == 0 && (!kvm || chown(path, 0, kvm->gr_gid) == 0) &&
        g_chmod(path, kvm ? 01771 : 0755) == 0)
        return TRUE;
    g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot make %s: %s", path, g_strerror(errno));
    return FALSE;
}

static gboolean list(BzFolder *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder->path, 0, error);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        folder->type->found(name, folder->opaque);
    return dir != NULL;
}

static gboolean on_events(gint fd, GIOCondition condition, gpointer data)
{
    BzFolder *folder = data;
    union {
        struct inotify_event alignment;
        char bytes[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    } buffer;
    const struct inotify_event *event;
    ssize_t n = read(fd, &buffer, sizeof buffer);

    for (const char *at = buffer.bytes; at < buffer.bytes + n; at += sizeof *event + event->len) {
        event = (const struct inotify_event *)at;
        if (event->mask & IN_Q_OVERFLOW)
            list(folder, NULL);
        else if (event->len > 0)
            folder->type->found(event->name, folder->opaque);
    }
    return G_SOURCE_CONTINUE;
}

static void stop_watching(BzFolder *folder)
{
    g_clear_handle_id(&folder->source, g_source_remove);
    if (folder->inotify >= 0)
        close(folder->inotify);
    folder->inotify = -1;
}

static gboolean start_watching(BzFolder *folder, GError **error)
{
    GStatBuf status;

    if (!make_folder(folder->path, error))
        return FALSE;
    folder->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (folder->inotify < 0 || g_stat(folder->path, &status) < 0 ||
        inotify_add_watch(folder->inotify, folder->path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot watch %s: %s", folder->path, g_strerror(errno));
        stop_watching(folder);
        return FALSE;
    }
    folder->device = status.st_dev;
    folder->inode = status.st_ino;
    folder->source = g_unix_fd_add(folder->inotify, G_IO_IN, on_events, folder);
    if (!list(folder, error)) {
        stop_watching(folder);
        return FALSE;
    }
    return TRUE;
}

static gboolean is_watched(const BzFolder *folder)
{
    GStatBuf status;

    return folder->inotify >= 0 && g_stat(folder->path, &status) == 0 && status.st_dev == folder->device &&
           status.st_ino == folder->inode;
}

/* inotify does not tell: for the kernel a folder is there as long as a socket that was bound in it. */
static gboolean on_check(gpointer data)
{
    BzFolder *folder = data;

    if (is_watched(folder))
        return G_SOURCE_CONTINUE;
    if (folder->inotify >= 0)
        g_warning("%s was removed: guests that run are not found there until they are started again", folder->path);
    stop_watching(folder);
    if (start_watching(folder, NULL))
        folder->type->renewed(folder->opaque);
    return G_SOURCE_CONTINUE;
}

BzFolder *bz_folder_new(const char *path, const BzFolderType *type, gpointer opaque, GError **error)
{
    BzFolder *folder = g_new0(BzFolder, 1);

    *folder = (BzFolder){.path = g_strdup(path), .type = type, .opaque = opaque, .inotify = -1};
    if (start_watching(folder, error))
        folder->timer = g_timeout_add_seconds(CHECK_SECONDS, on_check, folder);
    else
        g_clear_pointer(&folder, bz_folder_free);
    return folder;
}

void bz_folder_free(BzFolder *folder)
{
    if (!folder)
        return;
    g_clear_handle_id(&folder->timer, g_source_remove);
    stop_watching(folder);
    g_free(folder->path);
    g_free(folder);
}
