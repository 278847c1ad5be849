/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random changes to the examples: whatever comes of them, translating never fails in another way than by an error,
 * and what it accepts is stable after the first pass there and back. GLib prints the seed of a failed run, for --seed.
 */
#include <libxml/parser.h>
#include <string.h>

#include "translate-helper.h"

#define ROUNDS 30000

static const char *const pieces[] = {
    "<boot_zeroed_memory state='on'/>",
    "<ext_query_caps state=\"on\" />",
    "<boot_zeroed_memory state='off'></boot_zeroed_memory>",
    "<hyperv>",
    "</hyperv>",
    "<hyperv mode='custom'/>",
    "<features>",
    "</features>",
    "<features/>",
    "<metadata/>",
    "<metadata><x:a xmlns:x='u:x'/></metadata>",
    "<metadata><b:features xmlns:b='urn:bootzero:domain:1'><b:boot_zeroed_memory state='on'/></b:features></metadata>",
    "<metadata><b:features xmlns:b='urn:bootzero:domain:1' written='metadata'><b:ext_query_caps state='on'/>"
    "</b:features></metadata>",
    "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'/>",
    "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-global'/><q:arg "
    "value='x86_64-cpu.hv-boot-zeroed-mem=on'/><q:env name='LD_PRELOAD' value='/a/bootzero-qemu.so /b.so'/><q:env "
    "name='BOOTZERO' value=''/></q:commandline>",
    " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
    "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:env name='LD_PRELOAD' value='/a&amp;b.so'/>"
    "</q:commandline>",
    "<!-- c -->",
    "<![CDATA[<a>]]>",
    "&amp;",
    "\n",
    "\t",
    "\"",
    "'",
    "<",
    "/>",
    "\xc3\xa9",
    "\xff",
};

static gsize random_offset(const GString *text)
{
    return text->len ? (gsize)g_test_rand_int_range(0, (int)text->len) : 0;
}

/* Half of the insertions go between two tags, where more than a syntax error can come of them. */
static gsize insertion_offset(const GString *text)
{
    gsize at = random_offset(text);
    const char *tag = g_test_rand_bit() ? strchr(text->str + at, '<') : NULL;

    return tag ? (gsize)(tag - text->str) : at;
}

static void mutate(GString *text)
{
    gsize at = random_offset(text);

    switch (g_test_rand_int_range(0, 4)) {
    case 0:
        g_string_erase(text, at, g_test_rand_int_range(0, (int)MIN(text->len - at, 40) + 1));
        break;
    case 1: {
        g_autofree char *copy = g_strndup(text->str + at, g_test_rand_int_range(0, 200));

        g_string_insert(text, insertion_offset(text), copy);
        break;
    }
    default:
        g_string_insert(text, insertion_offset(text), pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        break;
    }
}

static gboolean is_well_formed(const char *text)
{
    xmlDoc *doc = xmlReadDoc(BAD_CAST text, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    xmlFreeDoc(doc);
    return doc != NULL;
}

/* There and back; both ways must work for what went through once. */
static char *round_trip(const char *text, BzTranslateFlags flags, BzProvider provider)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *stored = translate(text, flags, provider, &error);
    char *back;

    g_assert_no_error(error);
    g_assert_true(is_well_formed(stored));
    back = restore(stored, &error);
    g_assert_no_error(error);
    g_assert_true(is_well_formed(back));
    return back;
}

static gboolean has_twice(const char *text, const char *tag)
{
    const char *first = strstr(text, tag);

    return first && strstr(first + 1, tag);
}

/* TRUE when the text had something to translate. */
static gboolean check(const char *text, BzTranslateFlags flags, BzProvider provider)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *stored = translate(text, flags, provider, &error);
    g_autofree char *back = NULL, *again = NULL;

    g_assert_true((stored == NULL) == (error != NULL));
    if (!stored || strcmp(stored, text) == 0)
        return FALSE;
    back = round_trip(text, flags, provider);
    /* A daemon drops the user's empty containers, once; of two <hyperv>, which no schema allows, one is left after that. */
    if (!(flags & BZ_TRANSLATE_EXACT) || has_twice(text, "<hyperv")) {
        g_autofree char *first = g_steal_pointer(&back);

        back = round_trip(first, flags, provider);
    }
    again = round_trip(back, flags, provider);
    if (strcmp(again, back) != 0)
        g_error("not stable:\n%s\n-- stored:\n%s\n-- back:\n%s\n-- again:\n%s", text, stored, back, again);
    return TRUE;
}

static void test_mutations(gconstpointer data)
{
    static const BzProvider providers[] = {BZ_PROVIDER_NONE, BZ_PROVIDER_QEMU, BZ_PROVIDER_PRELOAD};
    const char *example = data;
    int translated = 0;

    for (int round = 0; round < ROUNDS; round++) {
        g_autoptr(GString) text = g_string_new(example);
        BzTranslateFlags flags = BZ_TRANSLATE_ALLOW_NONE | (g_test_rand_bit() ? BZ_TRANSLATE_EXACT : 0);

        for (int i = g_test_rand_int_range(1, 4); i > 0; i--)
            mutate(text);
        translated += check(text->str, flags, providers[g_test_rand_int_range(0, G_N_ELEMENTS(providers))]);
    }
    g_test_message("%d of %d had something to translate", translated, ROUNDS);
    g_assert_cmpint(translated, >, ROUNDS / 50);
}

int main(int argc, char **argv)
{
    g_autofree char *path = g_build_filename(g_getenv("BOOTZERO_EXAMPLES"), "both-elements.xml", NULL);
    g_autofree char *example = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(g_file_get_contents(path, &example, NULL, NULL));
    g_test_add_data_func("/mutations", example, test_mutations);
    return g_test_run();
}
