/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/shorten.h"

#include <string.h>

#define METADATA_END "\n  </metadata>\n"
#define FEATURES "\n  <features>\n"
#define FEATURES_END "\n  </features>\n"
#define DEVICES "\n  <devices>\n"
#define DEVICES_END "\n  </devices>\n"

/* In the place of each part. Both parts begin and end with the newline of a line that stays. */
static const char *const stand_ins[BZ_REMOVED] = {"\n  <os/>\n", "\n  <devices/>\n"};

/* The last one: there may be the same before it, in a comment or CDATA of the user's <metadata>. */
static const char *find_last(const char *text, const char *wanted)
{
    const char *last = NULL;

    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted))
        last = at;
    return last;
}

/* From the newline at the end of the one element, first, to that before the other. */
static BzRemoved between(const char *first, gsize first_length, const char *other)
{
    const char *start = first + first_length - 1;

    return (BzRemoved){start, other + 1 - start};
}

static gboolean find_parts(const char *xml, BzRemoved removed[BZ_REMOVED])
{
    const char *metadata = find_last(xml, METADATA_END);
    const char *devices = find_last(metadata != NULL ? metadata : xml, DEVICES);
    const char *end = devices != NULL ? find_last(devices, DEVICES_END) : NULL;
    const char *features = metadata != NULL ? strstr(metadata, FEATURES) : NULL;
    const char *features_end = features != NULL ? strstr(features, FEATURES_END) : NULL;

    if (end == NULL)
        return FALSE;
    end += strlen(DEVICES_END) - 1;
    memset(removed, 0, BZ_REMOVED * sizeof(*removed));
    if (features_end != NULL && features_end < devices) {
        removed[BZ_REMOVED_BEFORE_FEATURES] = between(metadata, strlen(METADATA_END), features);
        removed[BZ_REMOVED_DEVICES] = between(features_end, strlen(FEATURES_END), end);
    } else {
        /* <features> will have to be made, and finds its place by what is around it */
        removed[BZ_REMOVED_DEVICES] = (BzRemoved){devices, end + 1 - devices};
    }
    return TRUE;
}

char *bz_shorten(const char *xml, BzRemoved removed[BZ_REMOVED])
{
    GString *text;

    if (!find_parts(xml, removed))
        return NULL;
    text = g_string_sized_new(2048);
    for (int i = 0; i < BZ_REMOVED; i++) {
        if (removed[i].text != NULL) {
            g_string_append_len(text, xml, removed[i].text - xml);
            g_string_append(text, stand_ins[i]);
            xml = removed[i].text + removed[i].length;
        }
    }
    g_string_append(text, xml);
    return g_string_free(text, FALSE);
}

char *bz_lengthen(const char *text, const BzRemoved removed[BZ_REMOVED])
{
    gsize size = strlen(text) + removed[0].length + removed[1].length;
    GString *whole = g_string_sized_new(size);

    for (int i = 0; i < BZ_REMOVED; i++) {
        const char *at = removed[i].text != NULL ? find_last(text, stand_ins[i]) : NULL;

        if (at != NULL) {
            g_string_append_len(whole, text, at - text);
            g_string_append_len(whole, removed[i].text, removed[i].length);
            text = at + strlen(stand_ins[i]);
        }
    }
    g_string_append(whole, text);
    return g_string_free(whole, FALSE);
}
