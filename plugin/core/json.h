/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON from a hostile sender: cut out of a stream of bytes, checked to the letter of RFC 8259, and looked at. Nothing
 * here recurses. Light: libc alone, since plugin/qemu links it; elsewhere answers are read by json-glib.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define BZ_JSON_DEPTH 64    /* of arrays and objects in each other */
#define BZ_JSON_VALUES 1024 /* in one text */

/* --- cutting --- */

/* How far the first value in a buffer was looked through; {0} before. */
struct bz_json_frame {
    size_t scanned;
    unsigned depth;
    bool is_structure;
    bool in_string;
    bool escaped;
};

enum bz_json_cut {
    BZ_JSON_MORE,     /* the value has no end yet */
    BZ_JSON_COMPLETE, /* frame->scanned bytes are one value, or may be: parse them */
    BZ_JSON_BROKEN,   /* frame->scanned bytes are no JSON; what follows may be */
    BZ_JSON_TOO_DEEP,
};

/* text must not begin with white space, and only have grown at its end since the last call. */
enum bz_json_cut bz_json_cut(struct bz_json_frame *frame, const char *text, size_t length);

/* How much white space text begins with. */
size_t bz_json_space(const char *text, size_t length);

/* --- looking --- */

enum bz_json_kind { BZ_JSON_NULL, BZ_JSON_BOOLEAN, BZ_JSON_NUMBER, BZ_JSON_STRING, BZ_JSON_ARRAY, BZ_JSON_OBJECT };

struct bz_json_value {
    enum bz_json_kind kind;
    const char *text; /* as it was written, quotes included */
    size_t length;
    unsigned next; /* index of what follows this value and all in it */
};

/*
 * Depth first: what is in an array or object follows it, up to its `next`; in an object the keys too, as strings before
 * their values. The texts stay the caller's.
 */
struct bz_json {
    struct bz_json_value values[BZ_JSON_VALUES];
    unsigned count;
};

/* One value and nothing behind it. NULL, or why it is refused: a clause. */
const char *bz_json_parse(struct bz_json *json, const char *text, size_t length);

/*
 * The value of a member; 0, which is the root and never a member, when there is none. Of two with one name, the first.
 */
unsigned bz_json_member(const struct bz_json *json, unsigned object, const char *name);

/*
 * Writes what a string stands for and a NUL to to, cut off at size, between characters. A NUL in it becomes U+FFFD.
 * Returns false when it was cut.
 */
bool bz_json_string(const struct bz_json *json, unsigned index, char *to, size_t size);
