/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "start-end", in hex. What follows is left in *rest. */
static bool parse_span(const char *line, struct bz_span *span, const char **rest)
{
    char *end;

    errno = 0;
    span->start = strtoull(line, &end, 16);
    if (end == line || *end != '-' || line[0] == '-')
        return false;
    const char *second = end + 1;
    span->end = strtoull(second, &end, 16);
    if (end == second || *end != ' ' || errno != 0 || bz_span_is_empty(*span))
        return false;
    *rest = end;
    return true;
}

/* " perms offset dev inode   name" */
static bool parse_kind(const char *rest, struct bz_mapping *mapping)
{
    enum bz_memory_kind *kind = &mapping->kind;
    char permissions[5];
    unsigned major, minor;
    uint64_t inode;
    int name_at = -1;

    if (sscanf(rest, " %4c %" SCNx64 " %x:%x %" SCNu64 "%n", permissions, &mapping->offset, &major, &minor, &inode,
               &name_at) != 5 ||
        name_at < 0)
        return false;
    mapping->device = makedev(major, minor);
    mapping->inode = inode;
    const char *name = rest + name_at + strspn(rest + name_at, " \t");

    /* Anonymous memory has no name, or one its owner gave it by prctl(PR_SET_VMA). */
    bool anonymous = inode == 0 && major == 0 && minor == 0 && (*name == '\0' || strncmp(name, "[anon:", 6) == 0);
    if (permissions[3] != 'p' && permissions[3] != 's')
        return false;
    if (permissions[0] != 'r' || permissions[1] != 'w')
        *kind = BZ_MEMORY_INACCESSIBLE;
    else if (permissions[3] == 's')
        *kind = BZ_MEMORY_SHARED;
    else if (inode != 0 || major != 0 || minor != 0)
        *kind = BZ_MEMORY_PRIVATE_FILE;
    else
        *kind = anonymous ? BZ_MEMORY_PRIVATE_ANONYMOUS : BZ_MEMORY_INACCESSIBLE;
    return true;
}

bool bz_mapping_parse(const char *line, struct bz_mapping *mapping)
{
    const char *rest;

    return parse_span(line, &mapping->span, &rest) && parse_kind(rest, mapping);
}

static bool append(struct bz_mappings *list, struct bz_mapping mapping)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct bz_mapping *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL)
            return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = mapping;
    return true;
}

static bool read_lines(FILE *file, struct bz_span within, struct bz_mappings *list, char *why, size_t size)
{
    char *line = NULL;
    size_t allocated = 0;
    ssize_t length;
    bool good = true;

    /* QEMU has hundreds of mappings and few of them are guest memory: look closer at those only, and stop after them. */
    while (good && (length = getline(&line, &allocated, file)) > 0) {
        struct bz_mapping mapping;
        const char *rest;

        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        good = parse_span(line, &mapping.span, &rest);
        if (good && mapping.span.start >= within.end)
            break;
        if (good && mapping.span.end <= within.start)
            continue;
        good = good && parse_kind(rest, &mapping);
        if (!good)
            snprintf(why, size, "a line of /proc/self/maps is not understood: '%.80s'", line);
        else if (!append(list, mapping)) {
            good = false;
            snprintf(why, size, "out of memory while reading /proc/self/maps");
        }
    }
    if (good && ferror(file)) {
        good = false;
        snprintf(why, size, "cannot read /proc/self/maps: %s", strerror(errno));
    }
    free(line);
    return good;
}

bool bz_mappings_read(int fd, struct bz_span within, struct bz_mappings *list, char *why, size_t size)
{
    list->count = 0;
    /* A new stream each time: one that is kept would show again what it has in its buffer. */
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy >= 0 && lseek(copy, 0, SEEK_SET) == 0 ? fdopen(copy, "r") : NULL;
    if (file == NULL) {
        snprintf(why, size, "cannot read /proc/self/maps: %s", strerror(errno));
        if (copy >= 0)
            close(copy);
        return false;
    }
    bool good = read_lines(file, within, list, why, size);
    fclose(file);
    if (!good)
        list->count = 0;
    return good;
}

void bz_mappings_clear(struct bz_mappings *list)
{
    free(list->items);
    *list = (struct bz_mappings){ 0 };
}
