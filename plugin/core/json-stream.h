/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts a stream of bytes into JSON objects. The other end is not trusted: an object is bounded in length and in depth
 * before a parser sees it (the parser is recursive). Objects need not be separated by newlines.
 */
#pragma once
#include <json-glib/json-glib.h>

typedef struct BzJsonStream BzJsonStream;

BzJsonStream *bz_json_stream_new(gsize length_limit, guint depth_limit);
void bz_json_stream_append(BzJsonStream *stream, const char *data, gsize length);

/*
 * Takes the next complete object: *object is NULL when more bytes are needed; else free with json_object_unref().
 * FALSE with BZ_ERROR_FAILED and a clause, "garbage: '...'", when it is not JSON, or too long or too deep. After that
 * the stream is of no more use.
 */
gboolean bz_json_stream_next(BzJsonStream *stream, JsonObject **object, GError **error);
void bz_json_stream_free(BzJsonStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzJsonStream, bz_json_stream_free)
