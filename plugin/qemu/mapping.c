/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/mapping.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
static bool parse_kind(const char *rest, enum bz_memory_kind *kind)
{
    char permissions[5];
    unsigned major, minor;
    uint64_t inode;
    int name_at = -1;

    if (sscanf(rest, " %4c %*x %x:%x %" SCNu64 "%n", permissions, &major, &minor, &inode, &name_at) != 4 || name_at < 0)
        return false;
    const char *name = rest + name_at + strspn(rest + name_at, " \t");

    /* Anonymous memory has no name, or one its owner gave it by prctl(PR_SET_VMA). */
    bool anonymous = inode == 0 && major == 0 && minor == 0 && (*name == '\0' || strncmp(name, "[anon:", 6) == 0);
    if (permissions[3] != 'p' && permissions[3] != 's')
        return false;
    if (permissions[3] == 's')
        *kind = BZ_MEMORY_SHARED;
    else if (inode != 0 || major != 0 || minor != 0)
        *kind = BZ_MEMORY_PRIVATE_FILE;
    else if (anonymous && permissions[0] == 'r' && permissions[1] == 'w')
        *kind = BZ_MEMORY_PRIVATE_ANONYMOUS;
    else
        *kind = BZ_MEMORY_INACCESSIBLE;
    return true;
}

bool bz_mapping_parse(const char *line, struct bz_mapping *mapping)
{
    const char *rest;

    return parse_span(line, &mapping->span, &rest) && parse_kind(rest, &mapping->kind);
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

bool bz_mappings_read(FILE *file, struct bz_span within, struct bz_mappings *list, char *why, size_t size)
{
    char *line = NULL;
    size_t allocated = 0;
    bool good = true;

    list->count = 0;
    rewind(file);
    for (;;) {
        struct bz_mapping mapping;
        const char *rest;

        errno = 0;
        ssize_t length = getline(&line, &allocated, file);
        if (length < 0) {
            if (ferror(file) || !feof(file)) {
                snprintf(why, size, "cannot read /proc/self/maps: %s", strerror(errno));
                good = false;
            }
            break;
        }
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (!parse_span(line, &mapping.span, &rest)) {
            snprintf(why, size, "a line of /proc/self/maps is not understood: '%.80s'", line);
            good = false;
            break;
        }
        /* QEMU has hundreds of mappings and few of them are guest memory: stop early, and look closer at those only. */
        if (mapping.span.start >= within.end)
            break;
        if (mapping.span.end <= within.start)
            continue;
        if (!parse_kind(rest, &mapping.kind)) {
            snprintf(why, size, "a line of /proc/self/maps is not understood: '%.80s'", line);
            good = false;
            break;
        }
        if (!append(list, mapping)) {
            snprintf(why, size, "out of memory while reading /proc/self/maps");
            good = false;
            break;
        }
    }
    free(line);
    if (!good)
        list->count = 0;
    return good;
}

void bz_mappings_clear(struct bz_mappings *list)
{
    free(list->items);
    *list = (struct bz_mappings){ 0 };
}
