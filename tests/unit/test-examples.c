/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every example: the good ones go there and back byte for byte with each provider, the -invalid ones are refused with
 * exactly the error in their first line.
 */
#include <string.h>

#include "translate-helper.h"

static char *read_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static void test_valid(gconstpointer data)
{
    static const BzProvider providers[] = {BZ_PROVIDER_NONE, BZ_PROVIDER_QEMU, BZ_PROVIDER_PRELOAD};
    g_autofree char *xml = read_file(data);

    for (guint i = 0; i < G_N_ELEMENTS(providers); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *stored =
            translate(xml, BZ_TRANSLATE_ALLOW_NONE | BZ_TRANSLATE_EXACT, providers[i], &error);
        g_autofree char *again = NULL, *back = NULL;

        g_assert_no_error(error);
        g_assert_cmpstr(stored, !=, xml);
        g_assert_nonnull(strstr(stored, "<bootzero:features xmlns:bootzero='urn:bootzero:domain:1'"));
        again = translate(stored, BZ_TRANSLATE_ALLOW_NONE | BZ_TRANSLATE_EXACT, providers[i], &error);
        g_assert_no_error(error);
        g_assert_cmpstr(again, ==, stored);
        back = restore(stored, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(back, ==, xml);
    }
}

static void test_invalid(gconstpointer data)
{
    g_autofree char *xml = read_file(data);
    const char *end = strstr(xml, " -->\n");
    g_autofree char *expected = NULL, *message = NULL, *stored = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_str_has_prefix(xml, "<!-- "));
    g_assert_nonnull(end);
    expected = g_strndup(xml + 5, end - xml - 5);
    stored = translate(xml, BZ_TRANSLATE_ALLOW_NONE, BZ_PROVIDER_PRELOAD, &error);
    g_assert_null(stored);
    g_assert_nonnull(error);
    message = g_strdup_printf("%s: %s", bz_error_prefix(error), error->message);
    g_assert_cmpstr(message, ==, expected);
}

int main(int argc, char **argv)
{
    const char *folder = g_getenv("BOOTZERO_EXAMPLES");
    g_autoptr(GDir) dir = NULL;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    guint valid = 0, invalid = 0;
    const char *name;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *test = g_strdup_printf("/examples/%s", name);
        char *path = g_build_filename(folder, name, NULL);

        g_ptr_array_add(paths, path);
        if (g_str_has_suffix(name, "-invalid.xml") && ++invalid)
            g_test_add_data_func(test, path, test_invalid);
        else if (g_str_has_suffix(name, ".xml") && ++valid)
            g_test_add_data_func(test, path, test_valid);
    }
    g_assert_cmpuint(valid, >=, 6);
    g_assert_cmpuint(invalid, >=, 11);
    return g_test_run();
}
