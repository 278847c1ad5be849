/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plugin between this program and a libvirt that only remembers: what crosses untouched, what is freed by whom, and
 * which of libvirt's error paths is taken. Run with the plugin preloaded, and leak-checked when it is instrumented.
 */
#include <glib.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "fake-libvirt.h"

/* Nothing here asks for a provider: it must not depend on this host. */
#define DOMAIN(features)                                                                                      \
    "<domain type='kvm'>\n  <name>a</name>\n  <memory>65536</memory>\n"                                       \
    "  <os><type arch='x86_64'>hvm</type></os>\n  <features>\n    <acpi/>\n" features "  </features>\n</domain>\n"
#define OFF DOMAIN("    <hyperv>\n      <relaxed state='on'/>\n      <boot_zeroed_memory state='off'/>\n    </hyperv>\n")
#define PLAIN DOMAIN("    <hyperv>\n      <relaxed state='on'/>\n    </hyperv>\n")
#define MAYBE DOMAIN("    <hyperv>\n      <boot_zeroed_memory state='maybe'/>\n    </hyperv>\n")
#define MAYBE_TEXT "Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'."
#define MALFORMED "<domain><features><hyperv><boot_zeroed_memory state='on'></domain>"

static char connection;
#define CONN ((virConnectPtr)&connection)

typedef virDomainPtr (*Taker)(const char *xml);

static virDomainPtr define(const char *xml)
{
    return virDomainDefineXML(CONN, xml);
}

static virDomainPtr define_flags(const char *xml)
{
    return virDomainDefineXMLFlags(CONN, xml, 3);
}

static virDomainPtr create(const char *xml)
{
    return virDomainCreateXML(CONN, xml, 4);
}

static virDomainPtr create_with_files(const char *xml)
{
    static int files[] = {7};
    virDomainPtr domain = virDomainCreateXMLWithFiles(CONN, xml, 1, files, 5);

    if (domain != NULL)
        g_assert_true(fake.files == files);
    return domain;
}

static const struct {
    Taker call;
    const char *function;
    unsigned int flags;
} takers[] = {
    {define, "virDomainDefineXML", 0},
    {define_flags, "virDomainDefineXMLFlags", 3},
    {create, "virDomainCreateXML", 4},
    {create_with_files, "virDomainCreateXMLWithFiles", 5},
};

static void reset(void)
{
    free(fake.copy);
    memset(&fake, 0, sizeof(fake));
}

/* The caller's own pointer reaches libvirt: nothing was copied, whatever is in it. */
static void test_untouched(void)
{
    static const char *const inputs[] = {PLAIN, MALFORMED, "", "boot_zeroed_memory", NULL};

    for (gsize i = 0; i < G_N_ELEMENTS(takers); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(inputs); j++) {
            reset();
            g_assert_nonnull(takers[i].call(inputs[j]));
            g_assert_cmpstr(fake.function, ==, takers[i].function);
            g_assert_cmpuint(fake.flags, ==, takers[i].flags);
            g_assert_true(fake.xml == inputs[j]);
        }
    }
}

static void test_translated(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(takers); i++) {
        reset();
        g_assert_nonnull(takers[i].call(OFF));
        g_assert_cmpuint(fake.flags, ==, takers[i].flags);
        g_assert_nonnull(strstr(fake.copy, "xmlns:bootzero='urn:bootzero:domain:1'"));
        g_assert_nonnull(strstr(fake.copy, "<bootzero:boot_zeroed_memory state='off'/>"));
        g_assert_null(strstr(fake.copy, "<boot_zeroed_memory"));
    }
}

static void test_restored(void)
{
    g_autofree char *stored = NULL;
    char *restored;

    reset();
    define(OFF);
    stored = g_strdup(fake.copy);
    fake.answer = stored;
    restored = virDomainGetXMLDesc(NULL, 6);
    g_assert_cmpuint(fake.flags, ==, 6);
    g_assert_cmpstr(restored, ==, OFF);
    free(restored); /* as libvirt's callers do */
}

/* What libvirt gives, in its own form, with all that the short way out has to step over. */
#define TRAPS "\n  </metadata>\n  <os/>\n  <features>\n  </features>\n  <devices>\n  </devices>\n  <devices/>\n"
#define HEAD "<domain type='kvm'>\n  <name>a</name>\n"
#define TRAPPED                                                                                       \
    "  <metadata>\n    <app:a xmlns:app='urn:app'><![CDATA[" TRAPS "]]><!--" TRAPS "--></app:a>\n  </metadata>\n"
#define OS "  <memory unit='KiB'>65536</memory>\n  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n"
#define ELEMENT "    <hyperv mode='custom'>\n      <boot_zeroed_memory state='off'/>\n    </hyperv>\n"
#define FEATURES "  <features>\n    <acpi/>\n" ELEMENT "  </features>\n"
#define ONLY_FEATURE "  <features>\n" ELEMENT "  </features>\n"
#define CLOCK "  <clock offset='utc'/>\n  <on_crash>destroy</on_crash>\n"
#define DEVICES "  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n  </devices>\n"
#define COMMANDLINE                                                                                                   \
    "  <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n    <qemu:arg value='-S'/>\n"     \
    "  </qemu:commandline>\n"
#define TAIL "</domain>\n"

static void test_restored_around_the_rest(void)
{
    static const char *const domains[] = {
        HEAD OS FEATURES CLOCK DEVICES TAIL,
        HEAD OS FEATURES DEVICES TAIL,
        HEAD OS ONLY_FEATURE CLOCK DEVICES TAIL,
        HEAD OS ONLY_FEATURE TAIL,
        HEAD FEATURES DEVICES TAIL,
        HEAD TRAPPED OS FEATURES CLOCK DEVICES COMMANDLINE TAIL,
        HEAD TRAPPED OS ONLY_FEATURE CLOCK DEVICES COMMANDLINE TAIL,
        HEAD TRAPPED FEATURES DEVICES TAIL,
        HEAD TRAPPED OS FEATURES CLOCK TAIL,
        HEAD TRAPPED OS FEATURES CLOCK "  <devices/>\n" COMMANDLINE TAIL,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autofree char *stored = NULL;
        char *restored;

        reset();
        g_assert_nonnull(define(domains[i]));
        g_assert_nonnull(strstr(fake.copy, "<bootzero:boot_zeroed_memory state='off'/>"));
        stored = g_strdup(fake.copy);
        fake.answer = stored;
        restored = virDomainGetXMLDesc(NULL, 0);
        g_assert_cmpstr(restored, ==, domains[i]);
        free(restored);
    }
}

/* More domains than are remembered, each asked for again and again: every one gets its own. */
static void test_restored_again(void)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 400; i++) {
            g_autofree char *xml = g_strdup_printf("<domain type='kvm'>\n  <name>a%d</name>\n" OS "  <features>\n" ELEMENT
                                                   "  </features>\n" CLOCK "  <devices>\n    <a%d/>\n  </devices>\n" TAIL,
                                                   i, round);
            g_autofree char *stored = NULL;

            reset();
            g_assert_nonnull(define(xml));
            stored = g_strdup(fake.copy);
            fake.answer = stored;
            for (int again = 0; again < 2; again++) {
                g_autofree char *restored = virDomainGetXMLDesc(NULL, 0);

                g_assert_cmpstr(restored, ==, xml);
            }
        }
    }
}

/* Longer than any text libvirt takes: refused where it has the element, and libvirt's to refuse where it has not. */
static void test_long(void)
{
    g_autofree char *comment = g_strnfill(10 * 1024 * 1024, 'x');
    g_autofree char *ours = g_strdup_printf("<!--%s-->%s", comment, OFF);
    g_autofree char *plain = g_strdup_printf("<!--%s-->%s", comment, PLAIN);
    g_autofree char *text = g_strdup_printf("the XML is %zu bytes long, and at most 4194304 are read: remove what does not "
                                            "belong to the domain", strlen(ours));

    for (gsize i = 0; i < G_N_ELEMENTS(takers); i++) {
        reset();
        g_assert_null(takers[i].call(ours));
        g_assert_cmpint(fake.error_code, ==, VIR_ERR_XML_ERROR);
        g_assert_cmpstr(fake.error, ==, text);
        g_assert_nonnull(takers[i].call(plain));
        g_assert_true(fake.xml == plain);
    }
}

static void test_output_untouched(void)
{
    static const char *const answers[] = {
        PLAIN,
        OFF, /* libvirt does not say this; if it does, it is libvirt's */
        "<domain>urn:bootzero:domain:1",
        "",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        char *out;

        reset();
        fake.answer = answers[i];
        out = virDomainGetXMLDesc(NULL, 0);
        g_assert_true(out == fake.answered);
        g_assert_cmpstr(out, ==, answers[i]);
        free(out);
    }
    reset();
    g_assert_null(virDomainGetXMLDesc(NULL, 0));
    g_assert_null(virConnectGetDomainCapabilities(CONN, NULL, NULL, NULL, NULL, 0));
}

/* What cannot be restored is shown as it is, and the log says why: VIR_LOG_WARN is 3. */
static void test_restore_fails(void)
{
    char *out;

    reset();
    fake.answer = "<domain>urn:bootzero:domain:1";
    out = virDomainGetXMLDesc(NULL, 0);
    g_assert_cmpstr(out, ==, fake.answer);
    g_assert_cmpint(fake.log_priority, ==, 3);
    g_assert_true(g_str_has_prefix(fake.log, "a domain's XML is shown as it is stored: "));
    g_assert_cmpint(fake.error_code, ==, 0);
    free(out);
}

static void test_errors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(takers); i++) {
        reset();
        g_assert_null(takers[i].call(MAYBE));
        g_assert_null(fake.function);
        g_assert_cmpint(fake.error_domain, ==, VIR_FROM_XML);
        g_assert_cmpint(fake.error_code, ==, VIR_ERR_XML_ERROR);
        g_assert_cmpstr(fake.error, ==, MAYBE_TEXT);
        g_assert_true(fake.dispatched == CONN);
    }
    reset();
    g_assert_null(define(DOMAIN("    <hyperv>\n      <ext_query_caps state='off'/>\n"
                                "      <boot_zeroed_memory state='on'/>\n    </hyperv>\n")));
    g_assert_cmpint(fake.error_code, ==, VIR_ERR_CONFIG_UNSUPPORTED);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/adapter/untouched", test_untouched);
    g_test_add_func("/adapter/translated", test_translated);
    g_test_add_func("/adapter/restored", test_restored);
    g_test_add_func("/adapter/restored-around-the-rest", test_restored_around_the_rest);
    g_test_add_func("/adapter/restored-again", test_restored_again);
    g_test_add_func("/adapter/long", test_long);
    g_test_add_func("/adapter/output-untouched", test_output_untouched);
    g_test_add_func("/adapter/restore-fails", test_restore_fails);
    g_test_add_func("/adapter/errors", test_errors);
    status = g_test_run();
    reset();
    return status;
}
