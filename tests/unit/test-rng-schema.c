/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's schemas with the elements added: those that are installed, and shapes that no version has had yet. */
#include "core/rng-schema.h"

#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "scratch.h"

#define GRAMMAR(content) "<grammar xmlns='http://relaxng.org/ns/structure/1.0'>" content "</grammar>"
#define MEMBER(name) "<optional><element name='" name "'><attribute name='state'/></element></optional>"
#define DOMAIN_RNG                                                                                                     \
    GRAMMAR("<include href='domaincommon.rng'/><start><element name='domain'><element name='features'><ref name='h'/>" \
            "</element></element></start>")
#define DOMAIN_XML(hyperv) "<domain><features>" hyperv "</features></domain>"
#define BOTH "<ext_query_caps state='on'/><boot_zeroed_memory state='off'/>"

static void check_copied(const char *from, const char *to)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(bz_rng_schema_copy(from, to, &error));
    g_assert_no_error(error);
}

static void check_valid(const char *folder, const char *xml)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(bz_rng_schema_validate(folder, xml, &error));
    g_assert_no_error(error);
}

static void check_invalid(const char *folder, const char *xml, const char *detail)
{
    g_autofree char *start =
        g_strdup_printf("XML document failed to validate against schema: Unable to validate doc against "
                        "%s/domain.rng\n",
                        folder);
    g_autoptr(GError) error = NULL;

    g_assert_false(bz_rng_schema_validate(folder, xml, &error));
    g_assert_error(error, BZ_LIBVIRT_ERROR, BZ_LIBVIRT_ERROR_INVALID_SCHEMA);
    if (!g_str_has_prefix(error->message, start) || !strstr(error->message, detail))
        g_error("'%s...%s' is not '%s'", start, detail, error->message);
}

/* A folder with domain.rng and a domaincommon.rng of this content. Free with g_free(). */
static char *folder_with(Scratch *scratch, const char *name, const char *common)
{
    char *folder = g_build_filename(scratch->path, name, NULL);
    g_autofree char *domain = g_build_filename(folder, "domain.rng", NULL);
    g_autofree char *path = g_build_filename(folder, "domaincommon.rng", NULL);

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(domain, DOMAIN_RNG, -1, NULL));
    g_assert_true(g_file_set_contents(path, common, -1, NULL));
    return folder;
}

/* Where the list of enlightenments may be. */
static void test_shapes(Scratch *scratch, gconstpointer data)
{
    static const char *const shapes[] = {
        /* libvirt 9 */
        "<define name='h'><element name='hyperv'><choice><attribute "
        "name='mode'><value>passthrough</value></attribute><group>"
        "<optional><attribute name='mode'><value>custom</value></attribute></optional>\n<interleave>\n  " MEMBER(
            "relaxed") "\n  " MEMBER("vapic") "\n</interleave></group></choice></element></define>",
        /* behind references, which go round */
        "<define name='h'><element name='hyperv'><ref name='list'/></element></define>"
        "<define name='list'><choice><ref name='more'/><interleave>" MEMBER("vapic")
            MEMBER("relaxed") "</interleave></choice></define>"
                              "<define name='more'><group><attribute name='x'/><optional><ref "
                              "name='unused'/></optional></group></define>"
                              "<define name='unused'><element name='x'><ref name='list'/></element></define>",
        /* any number in any order, and without <optional> */
        "<define name='h'><element name='hyperv'><zeroOrMore><choice><element name='relaxed'><attribute "
        "name='state'/></element>"
        "</choice></zeroOrMore></element></define>",
        /* a fixed order, right below the element */
        "<define name='h'><element name='hyperv'>" MEMBER("relaxed") "</element></define>",
        /* the elements' own interleaves are not the list */
        "<define name='h'><element name='hyperv'><interleave>" MEMBER(
            "relaxed") "<optional><element name='stimer'><interleave><optional><element "
                       "name='direct'><empty/></element></optional></interleave>"
                       "</element></optional></interleave></element></define>",
    };

    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autofree char *name = g_strdup_printf("shape-%u", i);
        g_autofree char *common = g_strdup_printf(GRAMMAR("%s"), shapes[i]);
        g_autofree char *from = folder_with(scratch, name, common);

        check_valid(from, DOMAIN_XML("<hyperv><relaxed state='on'/>" BOTH "</hyperv>"));
        check_invalid(from, DOMAIN_XML("<hyperv><boot_zeroed_memory state='maybe'/></hyperv>"), "boot_zeroed_memory");
        check_invalid(from, DOMAIN_XML("<hyperv><relaxed/></hyperv>"), "relaxed");
        check_invalid(from, DOMAIN_XML("<hyperv><unknown state='on'/></hyperv>"), "unknown");
    }
}

static void test_prefix(Scratch *scratch, gconstpointer data)
{
    g_autofree char *from = folder_with(
        scratch, "prefix",
        "<r:grammar xmlns:r='http://relaxng.org/ns/structure/1.0'><r:define name='h'><r:element name='hyperv'>"
        "<r:interleave><r:optional><r:element "
        "name='relaxed'><r:empty/></r:element></r:optional></r:interleave></r:element>"
        "</r:define></r:grammar>");

    check_valid(from, DOMAIN_XML("<hyperv><relaxed/>" BOTH "</hyperv>"));
}

static void test_copy(Scratch *scratch, gconstpointer data)
{
    g_autofree char *from = folder_with(scratch, "from",
                                        GRAMMAR("<!-- kept -->\n<define name='h'><element name='hyperv'>"
                                                "<interleave>\n  " MEMBER("relaxed") "\n</interleave></element>"
                                                                                     "</define>"));
    g_autofree char *to = g_build_filename(scratch->path, "deep", "to", NULL);
    g_autofree char *again = g_build_filename(scratch->path, "again", NULL);
    g_autofree char *first = g_build_filename(to, "domaincommon.rng", NULL),
                    *other = g_build_filename(to, "domain.rng", NULL);
    g_autofree char *second = g_build_filename(again, "domaincommon.rng", NULL);
    g_autofree char *text = NULL, *text_again = NULL, *text_other = NULL;

    check_copied(from, to);
    g_assert_true(g_file_get_contents(first, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "<!-- kept -->"));
    g_assert_nonnull(strstr(text, "</optional>\n  <optional><element name=\"ext_query_caps\">"));
    g_assert_nonnull(
        strstr(text, "\n  <optional><element name=\"boot_zeroed_memory\"><attribute name=\"state\"><choice>"
                     "<value>on</value><value>off</value></choice></attribute></element></optional>\n</interleave>"));
    g_assert_true(g_file_get_contents(other, &text_other, NULL, NULL));
    g_assert_cmpstr(text_other, ==, DOMAIN_RNG);
    /* A schema that knows them stays as it is. */
    check_copied(to, again);
    g_assert_true(g_file_get_contents(second, &text_again, NULL, NULL));
    g_assert_cmpstr(text_again, ==, text);
}

static void check_refused(const char *from, const char *to, const char *expected)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(bz_rng_schema_copy(from, to, &error));
    g_assert_error(error, BZ_ERROR, BZ_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, expected);
}

static void test_refusals(Scratch *scratch, gconstpointer data)
{
    g_autofree char *to = g_build_filename(scratch->path, "to", NULL);
    g_autofree char *file = scratch_file(scratch, "file", "", 0644);
    g_autofree char *below_file = g_build_filename(file, "to", NULL);
    g_autofree char *good = folder_with(
        scratch, "good", GRAMMAR("<define name='h'><element name='hyperv'>" MEMBER("relaxed") "</element></define>"));
    g_autofree char *no_hyperv = folder_with(scratch, "no-hyperv", GRAMMAR("<define name='h'><empty/></define>"));
    g_autofree char *no_list = folder_with(scratch, "no-list",
                                           GRAMMAR("<define name='h'><element name='hyperv'><ref name='h'/>"
                                                   "<text/></element></define>"));
    g_autofree char *malformed = folder_with(scratch, "malformed", "<grammar>");
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;

    check_refused("/nonexistent", to,
                  "no domaincommon.rng in '/nonexistent': install libvirt, or name the folder of its schemas "
                  "with --from");
    expected = g_strdup_printf(
        "no domaincommon.rng in '%s': install libvirt, or name the folder of its schemas with --from", scratch->path);
    check_refused(scratch->path, to, expected);
    g_free(expected);
    expected = g_strdup_printf("'%s' has libvirt's own schemas: name another folder with --to", good);
    check_refused(good, good, expected);
    g_free(expected);
    expected = g_strdup_printf("cannot make folder '%s': Not a directory", below_file);
    check_refused(good, below_file, expected);
    g_free(expected);
    expected =
        g_strdup_printf("'%s/domaincommon.rng' defines no element 'hyperv': it is not a schema of a libvirt that knows "
                        "Hyper-V enlightenments",
                        no_hyperv);
    check_refused(no_hyperv, to, expected);
    g_free(expected);
    expected = g_strdup_printf(
        "'%s/domaincommon.rng': no list of enlightenments with 'relaxed' was found in element 'hyperv': "
        "this libvirt's schema is not understood",
        no_list);
    check_refused(no_list, to, expected);
    g_assert_false(bz_rng_schema_validate(no_list, DOMAIN_XML(""), &error));
    g_assert_error(error, BZ_ERROR, BZ_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, expected);
    g_clear_error(&error);
    g_free(expected);
    expected = g_strdup_printf("'%s/domaincommon.rng' is not well-formed: install libvirt's schemas again", malformed);
    check_refused(malformed, to, expected);
    g_assert_false(bz_rng_schema_validate(malformed, DOMAIN_XML(""), &error));
    g_assert_cmpstr(error->message, ==, expected);
    g_clear_error(&error);

    /* What the schema includes is looked for in the folder and nowhere else. */
    g_autofree char *outside =
        folder_with(scratch, "outside",
                    GRAMMAR("<include href='../good/domaincommon.rng'/>"
                            "<define name='x'><element name='hyperv'>" MEMBER("relaxed") "</element></define>"));
    g_assert_false(bz_rng_schema_validate(outside, DOMAIN_XML("<hyperv/>"), &error));
    g_assert_error(error, BZ_ERROR, BZ_ERROR_FAILED);
}

/* The schemas of this machine's libvirt, and every example. */
static void test_installed(Scratch *scratch, gconstpointer data)
{
    static const char *const rules[] = {"aarch64-invalid.xml", "ext-query-caps-off-invalid.xml",
                                        "file-memory-invalid.xml", "sev-invalid.xml",
                                        "tcg-invalid.xml"}; /* right but for rules no schema has */
    g_autoptr(GDir) dir = g_dir_open(g_getenv("BOOTZERO_EXAMPLES"), 0, NULL);
    const char *name;

    if (!bz_rng_schema_is_there(BZ_RNG_SCHEMA_FOLDER)) {
        g_test_skip("libvirt's schemas are not installed in " BZ_RNG_SCHEMA_FOLDER);
        return;
    }
    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(g_getenv("BOOTZERO_EXAMPLES"), name, NULL);
        g_autofree char *xml = NULL;
        gboolean right = !g_str_has_suffix(name, "-invalid.xml");

        if (!g_str_has_suffix(name, ".xml") ||
            strcmp(name, "tdx-invalid.xml") == 0) /* tdx: libvirt knows it since 11.6 */
            continue;
        for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
            right = right || strcmp(name, rules[i]) == 0;
        g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
        if (right)
            check_valid(BZ_RNG_SCHEMA_FOLDER, xml);
        else
            check_invalid(BZ_RNG_SCHEMA_FOLDER, xml, "domain");
    }
}

#define ADD(name, function) g_test_add("/rng-schema/" name, Scratch, NULL, scratch_set_up, function, scratch_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("shapes", test_shapes);
    ADD("prefix", test_prefix);
    ADD("copy", test_copy);
    ADD("refusals", test_refusals);
    ADD("installed", test_installed);
    return g_test_run();
}
