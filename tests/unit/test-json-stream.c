/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/error.h"
#include "core/json-stream.h"
#include "core/text.h"
#include "scratch.h"

static const char two[] = " {\"a\": \"}\\\"{\", \"b\": [1, {\"c\": null}]}{\"d\": 2}\r\n";

static void check_two(gsize step)
{
    g_autoptr(BzJsonStream) stream = bz_json_stream_new(100, 4);
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);

    for (gsize at = 0; at < strlen(two); at += step) {
        bz_json_stream_append(stream, two + at, MIN(step, strlen(two) - at));
        for (;;) {
            g_autoptr(GError) error = NULL;
            JsonObject *object;
            g_assert_true(bz_json_stream_next(stream, &object, &error));
            g_assert_no_error(error);
            if (!object)
                break;
            g_ptr_array_add(objects, object);
        }
    }
    g_assert_cmpuint(objects->len, ==, 2);
    g_assert_cmpstr(json_object_get_string_member(objects->pdata[0], "a"), ==, "}\"{");
    g_assert_cmpint(json_object_get_int_member(objects->pdata[1], "d"), ==, 2);
}

static void test_cut(void)
{
    for (gsize step = 1; step <= strlen(two); step++)
        check_two(step);
}

static void check_refused(const char *text, const char *message)
{
    g_autoptr(BzJsonStream) stream = bz_json_stream_new(64, 8);
    g_autoptr(GError) error = NULL;
    JsonObject *object;

    bz_json_stream_append(stream, text, strlen(text));
    g_assert_false(bz_json_stream_next(stream, &object, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_FAILED, message);
}

static void test_refused(void)
{
    g_autofree char *long_text = g_strdup_printf("{\"a\": \"%0100d\"}", 0);
    g_autofree char *endless = g_strdup_printf("{\"a\": \"%0100d", 0);

    check_refused("hello\nworld", "garbage: 'hello'");
    check_refused("[1]", "garbage: '[1]'");
    check_refused("{]", "garbage: '{]'");
    check_refused("{\"a\": nonsense}", "garbage: '{\"a\": nonsense}'");
    check_refused("{\"a\": \"\xff\"}", "garbage: ");
    check_refused("{\"a\":[[[[[[[[", "JSON that is nested too deeply: '{\"a\":[[[[[[[['");
    check_refused(long_text, "JSON without end: ");
    check_refused(endless, "JSON without end: ");
}

static void test_text(void)
{
    static const struct {
        const char *text, *escaped, *first_line;
    } cases[] = {
        {"12345", "12345", "12345"},
        {"123456", "12345...", "12345..."},
        {"1\r\n23456", "1\\x0d\\x0a23...", "1"},
        {"1\t\x1b[", "1\\x09\\x1b[", "1\\x09\\x1b["},
        {"\xc3\xa4\xff" "b", "\xc3\xa4\xef\xbf\xbd" "b", "\xc3\xa4\xef\xbf\xbd" "b"},
        {"", "", ""},
        {"\n", "\\x0a", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *escaped = bz_text_escape(cases[i].text, 5);
        g_autofree char *first_line = bz_text_first_line(cases[i].text, strlen(cases[i].text), 5);
        g_assert_cmpstr(escaped, ==, cases[i].escaped);
        g_assert_cmpstr(first_line, ==, cases[i].first_line);
    }
    g_autofree char *part = bz_text_first_line("1234", 2, 5);
    g_assert_cmpstr(part, ==, "12");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-stream/cut", test_cut);
    g_test_add_func("/json-stream/refused", test_refused);
    g_test_add_func("/text", test_text);
    return g_test_run();
}
