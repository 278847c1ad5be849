/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/shorten.h"

#include <string.h>

#define METADATA_END "\n  </metadata>\n"
#define FEATURES_END "\n  </features>\n"
#define DEVICES "\n  <devices>\n"
#define DEVICES_END "\n  </devices>\n"
#define EMPTY "\n  <devices/>\n"

/* The last one: there may be the same before it, in a comment or CDATA of the user's <metadata>. */
static const char *find_last(const char *text, const char *wanted)
{
    const char *last = NULL;

    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted))
        last = at;
    return last;
}

static char *join(const char *head, gsize head_length, const char *middle, gsize middle_length, const char *tail)
{
    gsize tail_length = strlen(tail);
    char *text = g_malloc(head_length + middle_length + tail_length + 1);

    memcpy(text, head, head_length);
    memcpy(text + head_length, middle, middle_length);
    memcpy(text + head_length + middle_length, tail, tail_length + 1);
    return text;
}

/* The newline before the first line to take away; NULL when there is none. */
static const char *find_start(const char *xml)
{
    const char *metadata = find_last(xml, METADATA_END);
    const char *devices = find_last(metadata != NULL ? metadata : xml, DEVICES);
    const char *features = metadata != NULL ? strstr(metadata, FEATURES_END) : NULL;

    return devices != NULL && features != NULL && features < devices ? features + strlen(FEATURES_END) - 1 : devices;
}

char *bz_shorten(const char *xml, BzRemoved *removed)
{
    const char *start = find_start(xml);
    const char *end = start != NULL ? find_last(start, DEVICES_END) : NULL;

    if (end == NULL)
        return NULL;
    end += strlen(DEVICES_END);
    removed->text = start;
    removed->length = end - start;
    return join(xml, start - xml, EMPTY, strlen(EMPTY), end);
}

char *bz_lengthen(const char *text, const BzRemoved *removed)
{
    const char *empty = find_last(text, EMPTY);

    g_return_val_if_fail(empty != NULL, NULL);
    return join(text, empty - text, removed->text, removed->length, empty + strlen(EMPTY));
}
