/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static enum bz_file_system file_system_of(int fd)
{
    struct statfs about;

    if (fstatfs(fd, &about) != 0)
        return BZ_FILE_SYSTEM_OTHER;
    switch ((uint32_t)about.f_type) {
    case TMPFS_MAGIC:
        return BZ_FILE_SYSTEM_TMPFS;
    case HUGETLBFS_MAGIC:
        return BZ_FILE_SYSTEM_HUGETLB;
    case EXT4_SUPER_MAGIC:
        return BZ_FILE_SYSTEM_EXT4;
    default:
        return BZ_FILE_SYSTEM_OTHER;
    }
}

static bool is_file_of(int fd, const struct bz_mapping *mapping)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_dev == mapping->device &&
           about.st_ino == mapping->inode;
}

/*
 * A duplicate of one of this process's descriptors for the file, or -1. It is compared again after it was duplicated:
 * another thread may have closed and reused the number in between.
 */
static int duplicate(const struct bz_mapping *mapping)
{
    DIR *all = opendir("/proc/self/fd");
    int found = -1;

    for (const struct dirent *entry = all ? readdir(all) : NULL; entry && found < 0; entry = readdir(all)) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '\0' || !is_file_of((int)fd, mapping))
            continue;
        /* One that was opened as a mere path tells nothing of the content. */
        int flags = fcntl((int)fd, F_GETFL);
        if (flags < 0 || (flags & O_PATH))
            continue;
        found = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
        if (found >= 0 && !is_file_of(found, mapping)) {
            close(found);
            found = -1;
        }
    }
    if (all)
        closedir(all);
    return found;
}

const struct bz_file *bz_files_find(const struct bz_files *files, const struct bz_mapping *mapping)
{
    if (mapping->kind != BZ_MEMORY_SHARED && mapping->kind != BZ_MEMORY_PRIVATE_FILE)
        return NULL;
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].device == mapping->device && files->items[i].inode == mapping->inode)
            return &files->items[i];
    return NULL;
}

void bz_files_learn(struct bz_files *files, const struct bz_mapping *mapping)
{
    if ((mapping->kind != BZ_MEMORY_SHARED && mapping->kind != BZ_MEMORY_PRIVATE_FILE) ||
        bz_files_find(files, mapping))
        return;
    if (files->count == files->capacity) {
        size_t capacity = files->capacity ? files->capacity * 2 : 8;
        struct bz_file *items = realloc(files->items, capacity * sizeof *items);
        if (items == NULL)
            return;
        files->items = items;
        files->capacity = capacity;
    }
    int fd = duplicate(mapping);
    if (fd >= 0)
        files->items[files->count++] =
            (struct bz_file){ mapping->device, mapping->inode, fd, file_system_of(fd) };
}

bool bz_file_is_empty(const struct bz_file *file)
{
    struct stat about;

    return fstat(file->fd, &about) == 0 && about.st_blocks == 0;
}

void bz_files_clear(struct bz_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        close(files->items[i].fd);
    free(files->items);
    *files = (struct bz_files){ 0 };
}
