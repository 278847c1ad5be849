/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

/* Room for length more bytes and a NUL. */
static bool reserve(struct bz_buffer *buffer, size_t length)
{
    if (buffer->failed)
        return false;
    size_t wanted = buffer->length + length + 1;
    if (buffer->limit && wanted > buffer->limit + 1) {
        buffer->failed = true;
        return false;
    }
    if (wanted > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity < wanted)
            capacity *= 2;
        char *data = realloc(buffer->data, capacity);
        if (data == NULL) {
            buffer->failed = true;
            return false;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return true;
}

void bz_buffer_append(struct bz_buffer *buffer, const void *data, size_t length)
{
    if (!reserve(buffer, length))
        return;
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void bz_buffer_printf(struct bz_buffer *buffer, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        buffer->failed = true;
    else if (reserve(buffer, (size_t)length))
        buffer->length += (size_t)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
    va_end(again);
}

void bz_buffer_json_string(struct bz_buffer *buffer, const char *text)
{
    size_t left = strlen(text);

    bz_buffer_append(buffer, "\"", 1);
    while (left > 0) {
        size_t length = bz_utf8_sequence(text, left);
        if (length == 0)
            bz_buffer_append(buffer, "\xef\xbf\xbd", 3);
        else if (*text == '"' || *text == '\\')
            bz_buffer_printf(buffer, "\\%c", *text);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            bz_buffer_printf(buffer, "\\u%04x", (unsigned)*text);
        else
            bz_buffer_append(buffer, text, length);
        text += length ? length : 1;
        left -= length ? length : 1;
    }
    bz_buffer_append(buffer, "\"", 1);
}

void bz_buffer_drop(struct bz_buffer *buffer, size_t length)
{
    if (length == 0)
        return;
    buffer->length -= length;
    memmove(buffer->data, buffer->data + length, buffer->length + 1);
    /* what one large answer took is not kept for ever */
    if (buffer->length == 0 && buffer->capacity > 4096)
        bz_buffer_clear(buffer);
}

void bz_buffer_clear(struct bz_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct bz_buffer){ .limit = buffer->limit };
}
