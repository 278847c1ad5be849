/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains in the XML of snapshots and checkpoints, and what may not change in them. */
#include <string.h>

#include "core/abi.h"
#include "translate-helper.h"

#define ON "<boot_zeroed_memory state='on'/>"
#define OFF "<boot_zeroed_memory state='off'/>"

/* kind, element, its state, and what <hyperv> has beside it. */
#define DOMAIN(kind, content)                                                                                        \
    "  <" kind " type='kvm'>\n    <name>a</name>\n    <uuid>0cc175b9-c0f1-46a8-81c3-99e269772661</uuid>\n"           \
    "    <os>\n      <type arch='x86_64'>hvm</type>\n    </os>\n"                                                    \
    "    <features>\n      <acpi/>\n" content "    </features>\n"                                                    \
    "    <devices>\n      <emulator>/opt/qemu</emulator>\n    </devices>\n  </" kind ">\n"
#define HYPERV(content) "      <hyperv mode='custom'>\n        " content "\n      </hyperv>\n"
#define DOCUMENT(root, first, second) "<" root ">\n  <name>s</name>\n" first second "  <domains/>\n</" root ">\n"
#define SNAPSHOT(first, second) DOCUMENT("domainsnapshot", DOMAIN("domain", first), DOMAIN("inactiveDomain", second))

static guint count(const char *text, const char *wanted)
{
    guint found = 0;

    for (const char *at = strstr(text, wanted); at; at = strstr(at + 1, wanted))
        found++;
    return found;
}

static void test_round_trip(void)
{
    static const struct {
        const char *xml;
        guint markers, used; /* markers there will be; and how many of them need the provider */
    } documents[] = {
        {SNAPSHOT(HYPERV(ON), HYPERV(ON)), 2, 2},
        {SNAPSHOT(HYPERV(ON), HYPERV(OFF)), 2, 1},
        {SNAPSHOT(HYPERV("<relaxed state='on'/>"), HYPERV("<relaxed state='on'/>\n        " ON)), 1, 1},
        {SNAPSHOT(HYPERV(ON), ""), 1, 1},
        {DOCUMENT("domaincheckpoint", DOMAIN("domain", HYPERV(ON)), ""), 1, 1},
        {SNAPSHOT("", HYPERV("<relaxed state='on'/>")), 0, 0},
        {DOCUMENT("domainbackup", DOMAIN("domain", HYPERV(ON)), ""), 0, 0},
        {DOCUMENT("domainsnapshot", "  <more>\n" DOMAIN("domain", HYPERV(ON)) "  </more>\n", ""), 0, 0},
    };
    static const BzProvider providers[] = {BZ_PROVIDER_QEMU, BZ_PROVIDER_PRELOAD};

    for (guint i = 0; i < G_N_ELEMENTS(documents); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(providers); j++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *stored = translate(documents[i].xml, BZ_TRANSLATE_EXACT, providers[j], &error);
            g_autofree char *restored = stored ? restore(stored, &error) : NULL;

            g_assert_no_error(error);
            g_assert_cmpuint(count(stored, "</bootzero:features>"), ==, documents[i].markers);
            g_assert_cmpuint(count(stored, "</qemu:commandline>"), ==, documents[i].used);
            if (documents[i].markers)
                g_assert_null(strstr(stored, "<boot_zeroed_memory"));
            else
                g_assert_cmpstr(stored, ==, documents[i].xml);
            g_assert_cmpstr(restored, ==, documents[i].xml);
        }
    }
}

static BzChoice *choose_by_emulator(const BzDomain *domain, gpointer data, GError **error)
{
    g_assert_cmpstr(domain->emulator, ==, "/opt/qemu");
    g_assert_cmpstr(domain->name, ==, "a");
    g_assert_cmpstr(domain->arch, ==, "x86_64");
    (*(guint *)data)++;
    return choose_given(domain, GINT_TO_POINTER(BZ_PROVIDER_QEMU), error);
}

/* Each is judged by its own facts. */
static void test_facts(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    guint asked = 0;

    g_assert_true(bz_translate(SNAPSHOT(HYPERV(ON), HYPERV(ON)), &test_configuration, 0, choose_by_emulator, &asked, &out,
                               NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(asked, ==, 2);
}

/* One wrong domain, and nothing is translated. */
static void test_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(translate(SNAPSHOT(HYPERV(ON), HYPERV("<boot_zeroed_memory state='maybe'/>")), 0, BZ_PROVIDER_QEMU,
                            &error));
    g_assert_error(error, BZ_ERROR, BZ_ERROR_XML);
    g_assert_cmpstr(error->message, ==, "Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'.");
}

#define STORED(kind)                                                                                                 \
    "  <" kind " type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"                              \
    "    <metadata>\n      <bootzero:features xmlns:bootzero='urn:bootzero:domain:1'>\n"                             \
    "        <bootzero:boot_zeroed_memory state='on'/>\n      </bootzero:features>\n    </metadata>\n"               \
    "    <qemu:commandline>\n      <qemu:arg value='-global'/>\n"                                                    \
    "      <qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/>\n    </qemu:commandline>\n  </" kind ">\n"

/* libvirt declares the namespace at each <domain> by itself; none is left behind by the other's. */
static void test_declarations(void)
{
    static const char stored[] = "<domainsnapshot>\n" STORED("domain") STORED("inactiveDomain") "</domainsnapshot>\n";
    g_autoptr(GError) error = NULL;
    g_autofree char *restored = restore(stored, &error);

    g_assert_no_error(error);
    g_assert_null(strstr(restored, "qemu"));
    g_assert_null(strstr(restored, "bootzero"));
    g_assert_cmpuint(count(restored, ON), ==, 2);
}

#define ONE(content) DOMAIN("domain", content)
#define STATE(source, destination)                                                                                   \
    "State of HyperV enlightenment feature 'boot_zeroed_memory' differs: source: '" source "', destination: '"         \
    destination "'"
#define HYPERV_STATE(source, destination)                                                                            \
    "State of feature 'hyperv' differs: source: '" source "', destination: '" destination "'"

static void test_abi(void)
{
    static const char relaxed[] = ONE(HYPERV("<relaxed state='on'/>"));
    static const struct {
        const char *source, *destination, *text;
    } cases[] = {
        {ONE(HYPERV(ON)), ONE(HYPERV(ON)), NULL},
        {ONE(HYPERV(OFF)), ONE(HYPERV(OFF)), NULL},
        {ONE(HYPERV(ON)), ONE(HYPERV(OFF)), STATE("on", "off")},
        {ONE(HYPERV(OFF)), ONE(HYPERV(ON)), STATE("off", "on")},
        {ONE(HYPERV(ON)), relaxed, STATE("on", "default")},
        {relaxed, ONE(HYPERV(ON)), STATE("default", "on")},
        {relaxed, ONE(HYPERV(OFF)), STATE("default", "off")},
        {ONE(HYPERV(ON)), ONE(""), HYPERV_STATE("on", "default")},
        {ONE(""), ONE(HYPERV(OFF)), HYPERV_STATE("default", "on")},
        {ONE(HYPERV(ON)), ONE(HYPERV("<ext_query_caps state='on'/>" ON)),
         "State of HyperV enlightenment feature 'ext_query_caps' differs: source: 'default', destination: 'on'"},
        {ONE(""), ONE(HYPERV("<relaxed state='on'/>")), NULL}, /* libvirt's to say */
        {SNAPSHOT(HYPERV(ON), HYPERV(ON)), SNAPSHOT(HYPERV(ON), HYPERV(OFF)), NULL},
        {SNAPSHOT(HYPERV(ON), HYPERV(ON)), SNAPSHOT(HYPERV(OFF), HYPERV(ON)), STATE("on", "off")},
        {SNAPSHOT(HYPERV(ON), HYPERV(ON)), "<domainsnapshot/>", NULL},
        {ONE(HYPERV(ON)), "<domain>", NULL}, /* not XML: libvirt's to say */
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *stored = translate(cases[i].source, 0, BZ_PROVIDER_PRELOAD, NULL);
        const char *const sources[] = {cases[i].source, stored};

        for (guint j = 0; j < G_N_ELEMENTS(sources); j++) {
            g_autoptr(GError) error = NULL;
            gboolean same = bz_abi_check(sources[j], cases[i].destination, &test_configuration, &error);

            g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].text);
            g_assert_cmpint(same, ==, cases[i].text == NULL);
            if (error)
                g_assert_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nested/round-trip", test_round_trip);
    g_test_add_func("/nested/facts", test_facts);
    g_test_add_func("/nested/refused", test_refused);
    g_test_add_func("/nested/declarations", test_declarations);
    g_test_add_func("/nested/abi", test_abi);
    return g_test_run();
}
