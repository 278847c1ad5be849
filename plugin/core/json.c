/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json.h"

#include <string.h>

#include "core/utf8.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t bz_json_space(const char *text, size_t length)
{
    size_t space = 0;

    while (space < length && is_space(text[space]))
        space++;
    return space;
}

/* --- cutting --- */

static enum bz_json_cut cut_in_string(struct bz_json_frame *frame, char c)
{
    if ((unsigned char)c < ' ')
        return BZ_JSON_BROKEN; /* a new line is a good place to start afresh, for a human who forgot a quote */
    if (frame->escaped) {
        frame->escaped = false;
    } else if (c == '\\') {
        frame->escaped = true;
    } else if (c == '"') {
        frame->in_string = false;
        if (frame->depth == 0)
            return BZ_JSON_COMPLETE;
    }
    return BZ_JSON_MORE;
}

enum bz_json_cut bz_json_cut(struct bz_json_frame *frame, const char *text, size_t length)
{
    if (frame->scanned == 0 && length > 0)
        frame->is_structure = text[0] == '{' || text[0] == '[';
    while (frame->scanned < length) {
        char c = text[frame->scanned];
        if (!frame->in_string && !frame->is_structure && frame->scanned > 0 &&
            (is_space(c) || c == '{' || c == '[' || c == '"'))
            return BZ_JSON_COMPLETE; /* a bare word ends before what follows it */
        frame->scanned++;
        if (frame->in_string) {
            enum bz_json_cut cut = cut_in_string(frame, c);
            if (cut != BZ_JSON_MORE)
                return cut;
        } else if (c == '"') {
            frame->in_string = true;
        } else if (frame->is_structure && (c == '{' || c == '[')) {
            if (++frame->depth > BZ_JSON_DEPTH)
                return BZ_JSON_TOO_DEEP;
        } else if (frame->is_structure && (c == '}' || c == ']')) {
            if (--frame->depth == 0)
                return BZ_JSON_COMPLETE; /* whether it is the right bracket is left to the parser */
        }
    }
    return BZ_JSON_MORE;
}

/* --- looking --- */

struct reader {
    const char *at;
    const char *end;
};

static bool take(struct reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static void skip_space(struct reader *reader)
{
    reader->at += bz_json_space(reader->at, (size_t)(reader->end - reader->at));
}

static bool take_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool take_digits(struct reader *reader)
{
    const char *start = reader->at;

    while (reader->at < reader->end && is_digit(*reader->at))
        reader->at++;
    return reader->at > start;
}

static bool take_number(struct reader *reader)
{
    take(reader, '-');
    if (!take(reader, '0') && !take_digits(reader))
        return false;
    if (take(reader, '.') && !take_digits(reader))
        return false;
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '+'))
            take(reader, '-');
        return take_digits(reader);
    }
    return true;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX, -1 when they are none. */
static int take_hex(struct reader *reader)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        int digit = reader->at < reader->end ? hex_digit(*reader->at) : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
        reader->at++;
    }
    return value;
}

/* Behind the backslash. The code point, or -1. */
static int take_escape(struct reader *reader)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";

    if (take(reader, 'u')) {
        int value = take_hex(reader);
        if (value < 0xd800 || value > 0xdfff)
            return value;
        if (value > 0xdbff || !take_word(reader, "\\u"))
            return -1;
        int low = take_hex(reader);
        return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
    }
    const char *name = reader->at < reader->end && *reader->at ? strchr(names, *reader->at) : NULL;
    if (name == NULL)
        return -1;
    reader->at++;
    return meant[name - names];
}

/* Behind the first quote. What it stands for goes to to, as far as there is room. */
static const char *take_string(struct reader *reader, char *to, size_t size, bool *cut)
{
    while (!take(reader, '"')) {
        char encoded[4];
        const char *piece = reader->at;
        size_t length;
        if (take(reader, '\\')) {
            int code_point = take_escape(reader);
            if (code_point < 0)
                return "invalid escape in a string";
            length = bz_utf8_encode(code_point ? (unsigned)code_point : 0xfffd, encoded);
            piece = encoded;
        } else {
            if (reader->at < reader->end && (unsigned char)*reader->at < ' ')
                return "control character in a string";
            length = bz_utf8_sequence(reader->at, (size_t)(reader->end - reader->at));
            if (length == 0)
                return reader->at == reader->end ? "string without end" : "invalid UTF-8 in a string";
            reader->at += length;
        }
        if (*cut || length >= size) {
            *cut = true;
            continue;
        }
        memcpy(to, piece, length);
        to += length;
        size -= length;
    }
    if (size > 0)
        *to = '\0';
    return NULL;
}

static const char *take_scalar(struct reader *reader, struct bz_json_value *value)
{
    bool cut = false;

    if (take(reader, '"')) {
        value->kind = BZ_JSON_STRING;
        return take_string(reader, NULL, 0, &cut);
    }
    if (take_word(reader, "null")) {
        value->kind = BZ_JSON_NULL;
    } else if (take_word(reader, "true") || take_word(reader, "false")) {
        value->kind = BZ_JSON_BOOLEAN;
    } else {
        value->kind = BZ_JSON_NUMBER;
        if (!take_number(reader))
            return "invalid value";
    }
    return NULL;
}

static struct bz_json_value *add_value(struct bz_json *json, const struct reader *reader)
{
    if (json->count == BZ_JSON_VALUES)
        return NULL;
    struct bz_json_value *value = &json->values[json->count++];
    *value = (struct bz_json_value){ .text = reader->at };
    return value;
}

static void end_value(struct bz_json *json, struct bz_json_value *value, const struct reader *reader)
{
    value->length = (size_t)(reader->at - value->text);
    value->next = json->count;
}

/* "key" : */
static const char *take_key(struct bz_json *json, struct reader *reader)
{
    bool cut = false;

    skip_space(reader);
    struct bz_json_value *key = add_value(json, reader);
    if (key == NULL)
        return "too many values";
    if (!take(reader, '"'))
        return "an object's key is no string";
    key->kind = BZ_JSON_STRING;
    const char *why = take_string(reader, NULL, 0, &cut);
    if (why)
        return why;
    end_value(json, key, reader);
    skip_space(reader);
    return take(reader, ':') ? NULL : "a key without a colon";
}

const char *bz_json_parse(struct bz_json *json, const char *text, size_t length)
{
    struct reader reader = { text, text + length };
    unsigned open[BZ_JSON_DEPTH]; /* the structures around */
    unsigned depth = 0;
    const char *why;

    json->count = 0;
    for (;;) { /* a value begins here */
        skip_space(&reader);
        struct bz_json_value *value = add_value(json, &reader);
        if (value == NULL)
            return "too many values";
        bool is_object = take(&reader, '{');
        if (is_object || take(&reader, '[')) {
            value->kind = is_object ? BZ_JSON_OBJECT : BZ_JSON_ARRAY;
            if (depth == BZ_JSON_DEPTH)
                return "too deep";
            open[depth++] = (unsigned)(value - json->values);
            skip_space(&reader);
            if (reader.at < reader.end && *reader.at == (is_object ? '}' : ']'))
                goto behind;
            if (is_object && (why = take_key(json, &reader)))
                return why;
            continue;
        }
        if ((why = take_scalar(&reader, value)))
            return why;
        end_value(json, value, &reader);
    behind: /* a value, or nothing, has ended */
        for (;;) {
            skip_space(&reader);
            if (depth == 0)
                return reader.at == reader.end ? NULL : "something behind the value";
            struct bz_json_value *around = &json->values[open[depth - 1]];
            if (take(&reader, around->kind == BZ_JSON_OBJECT ? '}' : ']')) {
                end_value(json, around, &reader);
                depth--;
                continue;
            }
            if (!take(&reader, ','))
                return "neither a comma nor the right bracket behind a value";
            if (around->kind == BZ_JSON_OBJECT && (why = take_key(json, &reader)))
                return why;
            break;
        }
    }
}

bool bz_json_string(const struct bz_json *json, unsigned index, char *to, size_t size)
{
    const struct bz_json_value *value = &json->values[index];
    struct reader reader = { value->text + 1, value->text + value->length };
    bool cut = false;

    to[0] = '\0';
    /* take_string ends what it writes only when all of it fits */
    memset(to, 0, size);
    take_string(&reader, to, size, &cut);
    return !cut;
}

unsigned bz_json_member(const struct bz_json *json, unsigned object, const char *name)
{
    char key[64];

    for (unsigned i = object + 1; i < json->values[object].next; i = json->values[i + 1].next)
        if (bz_json_string(json, i, key, sizeof key) && strcmp(key, name) == 0)
            return i + 1;
    return 0;
}
