/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json-stream.h"

#include "core/error.h"
#include "core/text.h"

struct BzJsonStream {
    GString *bytes; /* from the start of the current object */
    gsize length_limit;
    guint depth_limit;

    gsize scanned; /* how far in bytes the state below has come */
    guint depth;
    gboolean in_string;
    gboolean escaped;
};

BzJsonStream *bz_json_stream_new(gsize length_limit, guint depth_limit)
{
    BzJsonStream *stream = g_new0(BzJsonStream, 1);

    stream->bytes = g_string_new(NULL);
    stream->length_limit = length_limit;
    stream->depth_limit = depth_limit;
    return stream;
}

void bz_json_stream_append(BzJsonStream *stream, const char *data, gsize length)
{
    g_string_append_len(stream->bytes, data, (gssize)length);
}

static gboolean refuse(const BzJsonStream *stream, const char *what, GError **error)
{
    g_autofree char *shown = bz_text_first_line(stream->bytes->str, stream->bytes->len, 60);

    g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s: '%s'", what, shown);
    return FALSE;
}

/* Advances to the end of the object: TRUE once it is complete. Which bracket closes which is left to the parser. */
static gboolean scan(BzJsonStream *stream, gboolean *too_deep)
{
    while (stream->scanned < stream->bytes->len) {
        char c = stream->bytes->str[stream->scanned++];

        if (stream->in_string) {
            if (stream->escaped)
                stream->escaped = FALSE;
            else if (c == '\\')
                stream->escaped = TRUE;
            else if (c == '"')
                stream->in_string = FALSE;
        } else if (c == '"') {
            stream->in_string = TRUE;
        } else if (c == '{' || c == '[') {
            if (++stream->depth > stream->depth_limit) {
                *too_deep = TRUE;
                return FALSE;
            }
        } else if (c == '}' || c == ']') {
            if (--stream->depth == 0)
                return TRUE;
        }
    }
    return FALSE;
}

gboolean bz_json_stream_next(BzJsonStream *stream, JsonObject **object, GError **error)
{
    gboolean too_deep = FALSE;

    *object = NULL;
    if (stream->scanned == 0) {
        gsize space = 0;
        while (space < stream->bytes->len && g_ascii_isspace(stream->bytes->str[space]))
            space++;
        g_string_erase(stream->bytes, 0, (gssize)space);
        if (stream->bytes->len == 0)
            return TRUE;
        if (stream->bytes->str[0] != '{')
            return refuse(stream, "garbage", error);
    }

    if (!scan(stream, &too_deep)) {
        if (too_deep)
            return refuse(stream, "JSON that is nested too deeply", error);
        if (stream->bytes->len > stream->length_limit)
            return refuse(stream, "JSON without end", error);
        return TRUE;
    }
    if (stream->scanned > stream->length_limit)
        return refuse(stream, "JSON without end", error);

    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, stream->bytes->str, (gssize)stream->scanned, NULL))
        return refuse(stream, "garbage", error);

    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return refuse(stream, "garbage", error);
    *object = json_object_ref(json_node_get_object(root));
    g_string_erase(stream->bytes, 0, (gssize)stream->scanned);
    stream->scanned = 0;
    return TRUE;
}

void bz_json_stream_free(BzJsonStream *stream)
{
    if (!stream)
        return;
    g_string_free(stream->bytes, TRUE);
    g_free(stream);
}
