/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/json.h"

static const char *parse(const char *text)
{
    static struct bz_json json;

    return bz_json_parse(&json, text, strlen(text));
}

static void good(void)
{
    static const char *const texts[] = {
        "{}", "[]", " [ ] ", "0", "-0", "-1.5e+7", "1E-2", "\"\"", "null", "true", "false", "[1,[2,[3]],{}]",
        "{\"a\": [1, {\"b\": \"\\u00e9\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t\"}], \"c\": null}",
        "\"\xc3\xa9\xf0\x9f\x98\x80\"", "\"\x7f\"",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_cmpstr(parse(texts[i]), ==, NULL);
}

static void bad(void)
{
    static const struct {
        const char *text;
        const char *why;
    } texts[] = {
        {"", "invalid value"},
        {"{", "an object's key is no string"},
        {"[", "invalid value"},
        {"[1,]", "invalid value"},
        {"[1 2]", "neither a comma nor the right bracket behind a value"},
        {"[}", "invalid value"},
        {"[1}", "neither a comma nor the right bracket behind a value"},
        {"{\"a\"}", "a key without a colon"},
        {"{\"a\":1,}", "an object's key is no string"},
        {"{a: 1}", "an object's key is no string"},
        {"{'a': 1}", "an object's key is no string"},
        {"{} {}", "something behind the value"},
        {"01", "something behind the value"},
        {"+1", "invalid value"},
        {"1.", "invalid value"},
        {".5", "invalid value"},
        {"1e", "invalid value"},
        {"nul", "invalid value"},
        {"NaN", "invalid value"},
        {"\"a", "string without end"},
        {"\"\n\"", "control character in a string"},
        {"\"\\x\"", "invalid escape in a string"},
        {"\"\\u12g4\"", "invalid escape in a string"},
        {"\"\\ud800\"", "invalid escape in a string"},
        {"\"\\ud800\\u0041\"", "invalid escape in a string"},
        {"\"\\udc00\"", "invalid escape in a string"},
        {"\"\xff\"", "invalid UTF-8 in a string"},
        {"\"\xc0\x80\"", "invalid UTF-8 in a string"},
        {"\"\xe0\x80\x80\"", "invalid UTF-8 in a string"},
        {"\"\xed\xa0\x80\"", "invalid UTF-8 in a string"},
        {"\"\xf4\x90\x80\x80\"", "invalid UTF-8 in a string"},
        {"\"\xc3", "invalid UTF-8 in a string"},
    };
    struct bz_json json;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_cmpstr(parse(texts[i].text), ==, texts[i].why);
    g_assert_cmpstr(bz_json_parse(&json, "[\0]", 3), ==, "invalid value");
}

static void limits(void)
{
    g_autoptr(GString) deep = g_string_new(NULL), many = g_string_new("[0");

    for (int i = 0; i < BZ_JSON_DEPTH; i++)
        g_string_insert(g_string_append_c(deep, ']'), 0, "[");
    g_assert_cmpstr(parse(deep->str), ==, NULL);
    g_string_insert(g_string_append_c(deep, ']'), 0, "[");
    g_assert_cmpstr(parse(deep->str), ==, "too deep");

    for (int i = 0; i < BZ_JSON_VALUES - 2; i++)
        g_string_append(many, ",0");
    g_string_append_c(many, ']');
    g_assert_cmpstr(parse(many->str), ==, NULL);
    g_string_insert(many, 1, "0,");
    g_assert_cmpstr(parse(many->str), ==, "too many values");
}

static void members(void)
{
    static struct bz_json json;
    const char *text = "{\"a\": {\"x\": 1}, \"\\u0062\": \"two\\u0000\", \"a\": 3}";
    char out[8];

    g_assert_null(bz_json_parse(&json, text, strlen(text)));
    unsigned a = bz_json_member(&json, 0, "a");
    g_assert_cmpint(json.values[a].kind, ==, BZ_JSON_OBJECT);
    g_assert_cmpint(json.values[bz_json_member(&json, a, "x")].kind, ==, BZ_JSON_NUMBER);
    g_assert_cmpuint(bz_json_member(&json, 0, "x"), ==, 0);
    unsigned b = bz_json_member(&json, 0, "b");
    g_assert_true(bz_json_string(&json, b, out, sizeof out));
    g_assert_cmpstr(out, ==, "two\xef\xbf\xbd");
    g_assert_false(bz_json_string(&json, b, out, 6)); /* not in the middle of a character */
    g_assert_cmpstr(out, ==, "two");
}

/* Cuts text in steps of so many bytes, and describes the pieces: "=" what is complete, "!" what is broken. */
static char *cut(const char *text, gsize step)
{
    struct bz_json_frame frame = {0};
    g_autoptr(GString) pieces = g_string_new(NULL);
    g_autoptr(GString) buffer = g_string_new(NULL);

    for (gsize at = 0; at < strlen(text); at += step) {
        g_string_append_len(buffer, text + at, (gssize)MIN(step, strlen(text) - at));
        for (;;) {
            if (frame.scanned == 0)
                g_string_erase(buffer, 0, (gssize)bz_json_space(buffer->str, buffer->len));
            enum bz_json_cut result = bz_json_cut(&frame, buffer->str, buffer->len);
            if (result == BZ_JSON_MORE)
                break;
            g_string_append_c(pieces, result == BZ_JSON_COMPLETE ? '=' : result == BZ_JSON_BROKEN ? '!' : '^');
            if (result == BZ_JSON_TOO_DEEP)
                return g_string_free(g_steal_pointer(&pieces), FALSE);
            g_string_append_len(pieces, buffer->str, (gssize)frame.scanned);
            g_string_erase(buffer, 0, (gssize)frame.scanned);
            frame = (struct bz_json_frame){0};
        }
    }
    return g_string_free(g_steal_pointer(&pieces), FALSE);
}

static void cutting(void)
{
    static const struct {
        const char *text;
        const char *pieces;
    } texts[] = {
        {"{\"a\": 1}{\"b\": [2]}\r\n [] ", "={\"a\": 1}={\"b\": [2]}=[]"},
        {"{\"}\\\"{\": \"]\"}", "={\"}\\\"{\": \"]\"}"},
        {"garbage {}", "=garbage={}"},
        {"}}} ]{}", "=}}}=]={}"},
        {"\"x y\"{}", "=\"x y\"={}"},
        {"12{}", "=12={}"},
        {"{\"forgot\n{}", "!{\"forgot\n={}"},
        {"{\"no end", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (gsize step = 1; step < 12; step++) {
            g_autofree char *pieces = cut(texts[i].text, step);
            g_assert_cmpstr(pieces, ==, texts[i].pieces);
        }
    }
    g_autofree char *deep = g_strnfill(BZ_JSON_DEPTH + 1, '[');
    g_autofree char *pieces = cut(deep, 7);
    g_assert_cmpstr(pieces, ==, "^");
}

/* Random bytes of JSON's own alphabet: nothing is read beyond the end (the sanitizers see to that), nothing hangs. */
static void random_texts(void)
{
    static const char alphabet[] = "{}[]\",:\\u0dtruefalsn1.-e \n\xc3\xa9";
    static struct bz_json json;

    for (int round = 0; round < 20000; round++) {
        gsize length = (gsize)g_test_rand_int_range(0, 40);
        g_autofree char *text = g_malloc(length ? length : 1);
        for (gsize i = 0; i < length; i++)
            text[i] = alphabet[g_test_rand_int_range(0, sizeof alphabet - 1)];
        if (bz_json_parse(&json, text, length) == NULL)
            g_assert_cmpuint(json.values[0].next, ==, json.count);
        struct bz_json_frame frame = {0};
        bz_json_cut(&frame, text, length);
        g_assert_cmpuint(frame.scanned, <=, length);
    }
}

static void writing(void)
{
    struct bz_buffer buffer = {.limit = 40};

    bz_buffer_json_string(&buffer, "a\"\\\n\x01\x7f\xc3\xa9\xff/");
    g_assert_cmpstr(buffer.data, ==, "\"a\\\"\\\\\\u000a\\u0001\\u007f\xc3\xa9\xef\xbf\xbd/\"");
    g_assert_null(parse(buffer.data));
    bz_buffer_drop(&buffer, 2);
    g_assert_cmpstr(buffer.data, ==, "\\\"\\\\\\u000a\\u0001\\u007f\xc3\xa9\xef\xbf\xbd/\"");
    g_assert_false(buffer.failed);
    bz_buffer_printf(&buffer, "%040d", 1);
    g_assert_true(buffer.failed);
    bz_buffer_clear(&buffer);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/good", good);
    g_test_add_func("/json/bad", bad);
    g_test_add_func("/json/limits", limits);
    g_test_add_func("/json/members", members);
    g_test_add_func("/json/cutting", cutting);
    g_test_add_func("/json/random", random_texts);
    g_test_add_func("/json/writing", writing);
    return g_test_run();
}
