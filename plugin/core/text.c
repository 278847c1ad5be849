/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/text.h"

#include <string.h>

static char *escape(const char *data, gsize length, gsize limit)
{
    /* No character is longer than 4 bytes: what lies beyond cannot be shown and need not be checked. */
    g_autofree char *valid = g_utf8_make_valid(data, (gssize)MIN(length, 4 * limit + 4));
    GString *text = g_string_new(NULL);
    gsize count = 0;

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        if (count++ == limit) {
            g_string_append(text, "...");
            break;
        }
        gunichar c = g_utf8_get_char(at);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            g_string_append_printf(text, "\\x%02x", (unsigned)c);
        else
            g_string_append_unichar(text, c);
    }
    return g_string_free(text, FALSE);
}

char *bz_text_escape(const char *text, gsize limit)
{
    return escape(text, strlen(text), limit);
}

char *bz_text_first_line(const char *data, gsize length, gsize limit)
{
    const char *newline = memchr(data, '\n', length);

    if (newline) {
        length = (gsize)(newline - data);
        if (length > 0 && data[length - 1] == '\r')
            length--;
    }
    return escape(data, length, limit);
}
