/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "translate-helper.h"

#define MARKER_ON                                                                                                     \
    "    <bootzero:features xmlns:bootzero='urn:bootzero:domain:1'>\n"                                                \
    "      <bootzero:boot_zeroed_memory state='on'/>\n"                                                               \
    "    </bootzero:features>\n"
#define PRELOAD                                                                                                       \
    "    <qemu:env name='LD_PRELOAD' value='/usr/lib/bootzero/bootzero-qemu.so'/>\n"                                  \
    "    <qemu:env name='BOOTZERO' value='ext-query-caps=on,boot-zeroed-mem=on'/>\n"
#define GLOBALS                                                                                                       \
    "    <qemu:arg value='-global'/>\n"                                                                               \
    "    <qemu:arg value='x86_64-cpu.hv-ext-query-caps=on'/>\n"                                                       \
    "    <qemu:arg value='-global'/>\n"                                                                               \
    "    <qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/>\n"
#define COMMANDLINE_OPEN "  <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
#define COMMANDLINE_CLOSE "  </qemu:commandline>\n"
#define BZ "<boot_zeroed_memory state='on'/>"

#define FILTER (BZ_TRANSLATE_EXACT)
#define DAEMON (BZ_TRANSLATE_ALLOW_NONE)

static const char user_form[] =
    "<domain type='kvm'>\n"
    "  <name>g</name>\n"
    "  <features>\n"
    "    <hyperv mode='custom'>\n"
    "      <relaxed state='on'/>\n"
    "      " BZ "\n"
    "    </hyperv>\n"
    "  </features>\n"
    "</domain>\n";

static const char without[] =
    "  <features>\n"
    "    <hyperv mode='custom'>\n"
    "      <relaxed state='on'/>\n"
    "    </hyperv>\n"
    "  </features>\n";

static char *stored_with(const char *commandline)
{
    return g_strconcat("<domain type='kvm'>\n  <name>g</name>\n  <metadata>\n" MARKER_ON "  </metadata>\n", without,
                       commandline, "</domain>\n", NULL);
}

static char *translate_ok(const char *xml, BzTranslateFlags flags, BzProvider provider)
{
    g_autoptr(GError) error = NULL;
    char *stored = translate(xml, flags, provider, &error);

    g_assert_no_error(error);
    return stored;
}

static char *restore_ok(const char *xml)
{
    g_autoptr(GError) error = NULL;
    char *text = restore(xml, &error);

    g_assert_no_error(error);
    return text;
}

static void test_stored_form(void)
{
    static const struct {
        BzProvider provider;
        const char *commandline;
    } cases[] = {
        {BZ_PROVIDER_NONE, ""},
        {BZ_PROVIDER_PRELOAD, COMMANDLINE_OPEN PRELOAD COMMANDLINE_CLOSE},
        {BZ_PROVIDER_QEMU, COMMANDLINE_OPEN GLOBALS COMMANDLINE_CLOSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *expected = stored_with(cases[i].commandline);
        g_autofree char *stored = translate_ok(user_form, DAEMON, cases[i].provider);
        g_autofree char *back = restore_ok(stored);

        g_assert_cmpstr(stored, ==, expected);
        g_assert_cmpstr(back, ==, user_form);
    }
}

/* A stored form fed in again is decided anew, from any provider to any other. */
static void test_provider_changes(void)
{
    static const BzProvider all[] = {BZ_PROVIDER_NONE, BZ_PROVIDER_QEMU, BZ_PROVIDER_PRELOAD};

    for (guint from = 0; from < G_N_ELEMENTS(all); from++) {
        for (guint to = 0; to < G_N_ELEMENTS(all); to++) {
            g_autofree char *first = translate_ok(user_form, DAEMON, all[from]);
            g_autofree char *second = translate_ok(first, DAEMON, all[to]);
            g_autofree char *direct = translate_ok(user_form, DAEMON, all[to]);

            g_assert_cmpstr(second, ==, direct);
        }
    }
}

static BzChoice *choose_first_proposal(const BzDomain *domain, gpointer data, GError **error)
{
    BzChoice *choice = choose_given(domain, GINT_TO_POINTER(BZ_PROVIDER_QEMU), error);

    g_clear_pointer(&choice->ext_query_caps_property, g_free);
    return choice;
}

/* A QEMU that has hv-boot-zeroed-mem alone, which implies the other. */
static void test_one_property(void)
{
    g_autofree char *expected = stored_with(COMMANDLINE_OPEN "    <qemu:arg value='-global'/>\n"
                                            "    <qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/>\n" COMMANDLINE_CLOSE);
    g_autofree char *out = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(bz_translate(user_form, &test_configuration, FILTER, choose_first_proposal, NULL, &out, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(out, ==, expected);
    g_autofree char *back = restore_ok(out);
    g_assert_cmpstr(back, ==, user_form);
}

static void test_identity(void)
{
    static const char *const texts[] = {
        "<domain type=\"kvm\"><features><hyperv mode='custom'/></features></domain>",
        "<domain><title>boot_zeroed_memory &amp; urn:bootzero:domain:1</title></domain>",
        "<domain><!-- <boot_zeroed_memory state='on'/> --></domain>",
        "<!DOCTYPE domain><domain><!-- boot_zeroed_memory --></domain>",
        "<domain><metadata><x:y xmlns:x='u:x'><boot_zeroed_memory/></x:y></metadata></domain>",
        "<domain xmlns:x='u:x'><features><hyperv><x:boot_zeroed_memory/></hyperv></features></domain>",
        "<network><boot_zeroed_memory state='on'/></network>",
        "not XML at all",
        "",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        char *out = (char *)1;
        g_autoptr(GError) error = NULL;

        g_assert_true(bz_translate(texts[i], &test_configuration, 0, choose_given,
                                   GINT_TO_POINTER(BZ_PROVIDER_PRELOAD), &out, NULL, &error));
        g_assert_no_error(error);
        g_assert_null(out);
        g_assert_true(bz_restore(texts[i], &test_configuration, &out, &error));
        g_assert_no_error(error);
        g_assert_null(out);
    }
}

/* What libvirt 9.0 makes of the stored form: its own quotes and order, the namespace at the root. */
static void test_restore_from_libvirt(void)
{
    static const char stored[] =
        "<domain type='kvm' id='1' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
        "  <name>g</name>\n"
        "  <metadata>\n"
        "    <bootzero:features xmlns:bootzero=\"urn:bootzero:domain:1\">\n"
        "      <bootzero:boot_zeroed_memory state=\"on\"/>\n"
        "    </bootzero:features>\n"
        "  </metadata>\n"
        "  <os>\n"
        "    <type arch='x86_64'>hvm</type>\n"
        "  </os>\n"
        "  <cpu mode='host-passthrough'/>\n"
        "  <qemu:commandline>\n" PRELOAD "  </qemu:commandline>\n"
        "</domain>\n";
    g_autofree char *back = restore_ok(stored);

    g_assert_cmpstr(back, ==,
                    "<domain type='kvm' id='1'>\n"
                    "  <name>g</name>\n"
                    "  <os>\n"
                    "    <type arch='x86_64'>hvm</type>\n"
                    "  </os>\n"
                    "  <features>\n"
                    "    <hyperv mode='custom'>\n"
                    "      " BZ "\n"
                    "    </hyperv>\n"
                    "  </features>\n"
                    "  <cpu mode='host-passthrough'/>\n"
                    "</domain>\n");
}

/* There and back, byte for byte, whatever the user's style. */
static void test_exact(void)
{
    static const char *const texts[] = {
        /* compact, other quotes, attributes of the root on lines of their own */
        "<domain type=\"kvm\"\n  id='3'><name>g</name><features><hyperv mode=\"custom\"><relaxed state=\"on\"/>" BZ
        "</hyperv></features></domain>",
        /* <hyperv> without a mode and with nothing else in it */
        "<domain>\n  <features>\n    <acpi/>\n    <hyperv>\n      " BZ "\n    </hyperv>\n    <pmu state='off'/>\n"
        "  </features>\n</domain>",
        "<domain>\n  <features>\n    <hyperv mode='custom'>\n      " BZ "\n    </hyperv>\n  </features>\n</domain>",
        /* a mode that is not the elements' own */
        "<domain>\n  <features>\n    <hyperv mode='host-model'>\n      " BZ "\n    </hyperv>\n  </features>\n</domain>",
        /* comments where things are taken away and put */
        "<domain>\n  <!-- a --><name>g</name> <!-- b -->\n  <features>\n    <hyperv>\n      <!-- why -->\n      " BZ
        "\n    </hyperv>\n  </features><!-- c -->\n</domain><!-- d -->\n",
        /* containers of the user's own that hold nothing */
        "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <metadata/>\n  <features>\n    <hyperv "
        "mode='custom'>\n      <vapic state='off'/>\n      " BZ
        "\n    </hyperv>\n  </features>\n  <qemu:commandline/>\n</domain>",
        /* other metadata, and a command line with another prefix */
        "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <metadata>\n    <x:y xmlns:x='u:x'/> <!-- m "
        "-->\n  </metadata>\n  <features>\n    <hyperv mode='custom'>\n      <vapic state='off'/>\n      " BZ
        "\n    </hyperv>\n  </features>\n  <q:commandline>\n    <q:arg value='-global'/>\n    <q:arg "
        "value='x86_64-cpu.hv-time=on'/>\n    <q:env name='LD_PRELOAD' value='/opt/a.so:/opt/b.so'/>\n    <q:env "
        "name='BOOT' value='1'/>\n  </q:commandline>\n</domain>",
        /* tabs, carriage returns, an XML declaration, other scripts */
        "<?xml version='1.0' encoding='UTF-8'?>\r\n<domain>\r\n\t<name>вид</name>\r\n\t<features>\r\n\t\t<hyperv "
        "mode='custom'>\r\n\t\t\t<relaxed state='on'/>\r\n\t\t\t" BZ
        "\r\n\t\t</hyperv>\r\n\t</features>\r\n</domain>\r\n",
        /* a second <features>, as templates make them */
        "<domain>\n  <features>\n    <acpi/>\n  </features>\n  <features>\n    <hyperv>\n      <relaxed state='on'/>\n "
        "     " BZ "\n    </hyperv>\n  </features>\n</domain>",
    };
    static const BzProvider providers[] = {BZ_PROVIDER_PRELOAD, BZ_PROVIDER_QEMU};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (guint p = 0; p < G_N_ELEMENTS(providers); p++) {
            g_autofree char *stored = translate_ok(texts[i], FILTER, providers[p]);
            g_autofree char *again = translate_ok(stored, FILTER, providers[p]);
            g_autofree char *back = restore_ok(stored);

            g_assert_null(strstr(stored, BZ));
            g_assert_cmpstr(again, ==, stored);
            g_assert_cmpstr(back, ==, texts[i]);
        }
    }
}

/* The schema wants every arg before the first env, and ld.so wants one LD_PRELOAD. */
static void test_users_commandline(void)
{
    static const char xml[] = "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><features><hyperv>" BZ
                              "</hyperv></features><qemu:commandline>\n<qemu:env name='LD_PRELOAD' value='/a.so'/>\n"
                              "<qemu:env name='LANG' value='C'/>\n</qemu:commandline></domain>";
    g_autofree char *preload = translate_ok(xml, FILTER, BZ_PROVIDER_PRELOAD);
    g_autofree char *globals = translate_ok(xml, FILTER, BZ_PROVIDER_QEMU);

    g_assert_nonnull(strstr(preload, "<qemu:env name='LD_PRELOAD' value='/usr/lib/bootzero/bootzero-qemu.so:/a.so'/>\n"
                                     "<qemu:env name='LANG' value='C'/>\n<qemu:env name='BOOTZERO' "));
    g_assert_nonnull(strstr(globals, "<qemu:commandline>\n<qemu:arg value='-global'/>\n"));
    g_assert_nonnull(strstr(globals, "hv-boot-zeroed-mem=on'/>\n<qemu:env name='LD_PRELOAD' value='/a.so'/>\n"));
}

/* Tools that keep the command line and drop the metadata come back with an element and the old arguments. */
static void test_args_without_marker(void)
{
    g_autofree char *stored = stored_with(COMMANDLINE_OPEN GLOBALS COMMANDLINE_CLOSE);
    g_autoptr(GString) xml = g_string_new(user_form);
    g_autofree char *out = NULL;

    g_string_replace(xml, "</domain>", COMMANDLINE_OPEN GLOBALS COMMANDLINE_CLOSE "</domain>", 1);
    out = translate_ok(xml->str, FILTER, BZ_PROVIDER_QEMU);
    g_assert_cmpstr(out, ==, stored);
}

static void test_element_beats_marker(void)
{
    g_autofree char *stored = translate_ok(user_form, DAEMON, BZ_PROVIDER_PRELOAD);
    g_autoptr(GString) xml = g_string_new(stored);
    g_autofree char *out = NULL, *back = NULL;

    g_string_replace(xml, "<relaxed state='on'/>", "<relaxed state='on'/>\n      <boot_zeroed_memory state='off'/>", 1);
    out = translate_ok(xml->str, DAEMON, BZ_PROVIDER_PRELOAD);
    g_assert_nonnull(strstr(out, "<bootzero:boot_zeroed_memory state='off'/>"));
    g_assert_null(strstr(out, "BOOTZERO"));
    g_assert_null(strstr(out, "commandline"));
    back = restore_ok(out);
    g_assert_nonnull(strstr(back, "<boot_zeroed_memory state='off'/>"));
}

static void test_ext_query_caps(void)
{
    g_autoptr(GString) xml = g_string_new(user_form);
    g_autofree char *preload = NULL, *globals = NULL;

    g_string_replace(xml, BZ, "<ext_query_caps state='on'/>", 1);
    preload = translate_ok(xml->str, DAEMON, BZ_PROVIDER_PRELOAD);
    globals = translate_ok(xml->str, DAEMON, BZ_PROVIDER_QEMU);
    g_assert_nonnull(strstr(preload, "value='ext-query-caps=on'"));
    g_assert_nonnull(strstr(globals, "hv-ext-query-caps=on"));
    g_assert_null(strstr(globals, "hv-boot-zeroed-mem"));
}

/* The folder of the endpoint comes and goes with the rest; another one is no second variable. */
static void test_runtime_directory(void)
{
    g_autofree char *before = translate_ok(user_form, DAEMON, BZ_PROVIDER_PRELOAD);
    g_autofree char *with = NULL, *again = NULL, *back = NULL, *globals = NULL;

    test_configuration.runtime_directory = (char *)"/run/bootzero";
    with = translate_ok(user_form, DAEMON, BZ_PROVIDER_PRELOAD);
    again = translate_ok(before, DAEMON, BZ_PROVIDER_PRELOAD);
    globals = translate_ok(user_form, DAEMON, BZ_PROVIDER_QEMU);
    test_configuration.runtime_directory = NULL;

    g_assert_nonnull(strstr(with, "<qemu:env name='BOOTZERO' "
                                  "value='ext-query-caps=on,boot-zeroed-mem=on,qmp=/run/bootzero/'/>"));
    g_assert_cmpstr(again, ==, with);
    back = restore_ok(with);
    g_assert_null(strstr(back, "BOOTZERO"));
    g_assert_null(strstr(globals, "/run/bootzero"));
}

/* Only where it is not what the provider takes by itself: what older versions stored stays as it is. */
static void test_track_seconds(void)
{
    g_autofree char *before = translate_ok(user_form, DAEMON, BZ_PROVIDER_PRELOAD);
    g_autofree char *with = NULL, *again = NULL, *back = NULL, *globals = NULL;

    test_configuration.track_seconds = 60;
    with = translate_ok(user_form, DAEMON, BZ_PROVIDER_PRELOAD);
    again = translate_ok(before, DAEMON, BZ_PROVIDER_PRELOAD);
    globals = translate_ok(user_form, DAEMON, BZ_PROVIDER_QEMU);
    test_configuration.track_seconds = BZ_TRACK_SECONDS;

    g_assert_null(strstr(before, "track-seconds"));
    g_assert_null(strstr(globals, "track-seconds"));
    g_assert_nonnull(strstr(with, "value='ext-query-caps=on,boot-zeroed-mem=on,track-seconds=60'/>"));
    g_assert_cmpstr(again, ==, with);
    back = restore_ok(with);
    g_assert_null(strstr(back, "BOOTZERO"));
}

static void test_no_provider(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *notice = NULL, *out = NULL;

    g_assert_null(translate(user_form, FILTER, BZ_PROVIDER_NONE, &error));
    g_assert_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED);
    g_assert_cmpstr(error->message, ==, "no provider in this test");
    g_clear_error(&error);
    g_assert_true(bz_translate(user_form, &test_configuration, DAEMON, choose_given, GINT_TO_POINTER(BZ_PROVIDER_NONE),
                               &out, &notice, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(notice, ==, "no provider in this test");
}

static void test_refusals(void)
{
    static const struct {
        const char *xml;
        const char *message;
    } cases[] = {
        {"<domain><features><hyperv><boot_zeroed_memory state='on'>yes</boot_zeroed_memory></hyperv></features></domain>",
         "XML error: Unexpected text in element 'boot_zeroed_memory': it must be empty"},
        {"<domain><features><hyperv><boot_zeroed_memory state='on'><boot_zeroed_memory state='on'/>"
         "</boot_zeroed_memory></hyperv></features></domain>",
         "XML error: Unexpected element 'boot_zeroed_memory' in element 'boot_zeroed_memory': it must be empty"},
        {"<domain><features><hyperv><ext_query_caps state=''/></hyperv></features></domain>",
         "XML error: Invalid value for attribute 'state' in element 'ext_query_caps': ''."},
        {"<domain><features><hyperv><ext_query_caps state='ON'/></hyperv></features></domain>",
         "XML error: Invalid value for attribute 'state' in element 'ext_query_caps': 'ON'."},
        {"<domain xmlns:x='u:x'><features><hyperv><ext_query_caps x:state='on' state='on'/></hyperv></features></domain>",
         "XML error: Unknown attribute 'state' in element 'ext_query_caps': only 'state' is allowed"},
        {"<domain><features><hyperv>" BZ "</hyperv></features><features><hyperv>" BZ "</hyperv></features></domain>",
         "XML error: element 'boot_zeroed_memory' is given more than once: remove all but one"},
        {"<domain><devices>" BZ "</devices></domain>",
         "XML error: element 'boot_zeroed_memory' is not allowed in element 'devices': it belongs in "
         "<features><hyperv>"},
        {"<domain><hyperv>" BZ "</hyperv></domain>",
         "XML error: element 'boot_zeroed_memory' is not allowed in element 'hyperv': it belongs in "
         "<features><hyperv>"},
        {"<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain><features><hyperv>" BZ "</hyperv></features></domain>",
         "XML error: a document type has no place in domain XML: remove the DOCTYPE"},
        {"<!DOCTYPE domain [<!ENTITY b \"<boot_zeroed_memory state='on'/>\">]><domain>&b;</domain>",
         "XML error: the document type declares an entity, which domain XML has no use for: remove the DOCTYPE"},
        {"<domain><metadata><b:features xmlns:b='urn:bootzero:domain:1'><b:boot_zeroed_memory state='1'/>"
         "</b:features></metadata></domain>",
         "XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': '1'."},
        {"<domain><metadata><b:features xmlns:b='urn:bootzero:domain:1'><b:boot_zeroed_memory state='on'/><b:x/>"
         "</b:features></metadata></domain>",
         "XML error: Unexpected element 'x' beside 'ext_query_caps' and 'boot_zeroed_memory': remove it"},
        {"<domain><metadata><b:features xmlns:b='urn:bootzero:domain:1' written='y'><b:boot_zeroed_memory state='on'/>"
         "</b:features></metadata></domain>",
         "XML error: Invalid value for attribute 'written' in element 'features' of namespace urn:bootzero:domain:1: "
         "'y'."},
        {"<domain><features><hyperv>" BZ "</hyperv></features",
         "XML error: line 1: expected '>'"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *message = NULL;

        g_assert_null(translate(cases[i].xml, DAEMON, BZ_PROVIDER_PRELOAD, &error));
        g_assert_nonnull(error);
        message = g_strdup_printf("%s: %s", bz_error_prefix(error), error->message);
        g_assert_cmpstr(message, ==, cases[i].message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/translate/stored-form", test_stored_form);
    g_test_add_func("/translate/provider-changes", test_provider_changes);
    g_test_add_func("/translate/one-property", test_one_property);
    g_test_add_func("/translate/identity", test_identity);
    g_test_add_func("/translate/restore-from-libvirt", test_restore_from_libvirt);
    g_test_add_func("/translate/exact", test_exact);
    g_test_add_func("/translate/users-commandline", test_users_commandline);
    g_test_add_func("/translate/args-without-marker", test_args_without_marker);
    g_test_add_func("/translate/element-beats-marker", test_element_beats_marker);
    g_test_add_func("/translate/ext-query-caps", test_ext_query_caps);
    g_test_add_func("/translate/runtime-directory", test_runtime_directory);
    g_test_add_func("/translate/track-seconds", test_track_seconds);
    g_test_add_func("/translate/no-provider", test_no_provider);
    g_test_add_func("/translate/refusals", test_refusals);
    return g_test_run();
}
