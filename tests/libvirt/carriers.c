/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client's XML becomes in the functions that keep, restore and move a guest, before a libvirt that only remembers:
 * the stored form arrives, and nothing does when the guest would not be what it was. As tests/libvirt/adapter.c.
 */
#include <glib.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "fake-libvirt.h"
#include "libvirt/private.h"

#define DOMAIN_WITH(elements, devices)                                                                               \
    "<domain type='kvm'>\n  <name>a</name>\n  <memory>65536</memory>\n  <os><type arch='x86_64'>hvm</type></os>\n"   \
    "  <features>\n    <hyperv>\n      <relaxed state='on'/>\n" elements "    </hyperv>\n  </features>\n" devices     \
    "</domain>\n"
#define DOMAIN(elements) DOMAIN_WITH(elements, "")
/* On whatever host: it cannot start here. */
#define NOWHERE                                                                                                      \
    DOMAIN_WITH("      <boot_zeroed_memory state='on'/>\n",                                                          \
                "  <devices>\n    <emulator>/nonexistent</emulator>\n  </devices>\n")
#define OFF DOMAIN("      <boot_zeroed_memory state='off'/>\n")
#define PLAIN DOMAIN("")
#define MAYBE DOMAIN("      <boot_zeroed_memory state='maybe'/>\n")

static char connection;
#define CONN ((virConnectPtr)&connection)
static char domain_object;
#define DOM ((virDomainPtr)&domain_object)

static virTypedParameter *parameters(const char *name, const char *xml)
{
    static virTypedParameter params[2];

    return fake_parameters(params, name, xml);
}

#define DXML parameters("dxml", xml), 2
#define DESTINATION parameters("destination_xml", xml), 2
#define PERSISTENT parameters("persistent_xml", xml), 2

#define CALL(name, ...)                     \
    static int call_##name(const char *xml) \
    {                                       \
        return name(__VA_ARGS__);           \
    }

static int begun(char *xml)
{
    int status = xml != NULL ? 0 : -1;

    /* What Begin returns is for the destination: it stays in the stored form. */
    g_assert_true(xml == NULL || fake.copy == NULL || strcmp(xml, fake.copy) == 0);
    free(xml);
    return status;
}

#define virDomainMigrateBegin3Text(...) begun(virDomainMigrateBegin3(__VA_ARGS__))
#define virDomainMigrateBegin3ParamsText(...) begun(virDomainMigrateBegin3Params(__VA_ARGS__))
#define PersistentPerform3Params virDomainMigratePerform3Params
#define PersistentPrepare3Params virDomainMigratePrepare3Params

CALL(virDomainSaveFlags, DOM, "image", xml, 0)
CALL(virDomainSaveParams, DOM, DXML, 0)
CALL(virDomainRestoreFlags, CONN, "image", xml, 0)
CALL(virDomainRestoreParams, CONN, DXML, 0)
CALL(virDomainSaveImageDefineXML, CONN, "image", xml, 0)
CALL(virDomainManagedSaveDefineXML, DOM, xml, 0)
CALL(virDomainMigrateBegin3Text, DOM, xml, NULL, NULL, 0, NULL, 0)
CALL(virDomainMigrateBegin3ParamsText, DOM, DESTINATION, NULL, NULL, 0)
CALL(virDomainMigratePerform3, DOM, xml, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, 0)
CALL(virDomainMigratePerform3Params, DOM, NULL, DESTINATION, NULL, 0, NULL, NULL, 0)
CALL(PersistentPerform3Params, DOM, NULL, PERSISTENT, NULL, 0, NULL, NULL, 0)
CALL(virDomainMigratePrepare2, CONN, NULL, NULL, NULL, NULL, 0, NULL, 0, xml)
CALL(virDomainMigratePrepare3, CONN, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, 0, xml)
CALL(virDomainMigratePrepare3Params, CONN, DESTINATION, NULL, 0, NULL, NULL, NULL, 0)
CALL(PersistentPrepare3Params, CONN, PERSISTENT, NULL, 0, NULL, NULL, NULL, 0)
CALL(virDomainMigratePrepareTunnel, CONN, NULL, 0, NULL, 0, xml)
CALL(virDomainMigratePrepareTunnel3, CONN, NULL, NULL, 0, NULL, NULL, 0, NULL, 0, xml)
CALL(virDomainMigratePrepareTunnel3Params, CONN, NULL, DESTINATION, NULL, 0, NULL, NULL, 0)

static const struct {
    int (*call)(const char *xml);
    const char *function;
    gboolean is_compared; /* with what libvirt has of the guest */
} carriers[] = {
    {call_virDomainSaveFlags, "virDomainSaveFlags", TRUE},
    {call_virDomainSaveParams, "virDomainSaveParams", TRUE},
    {call_virDomainRestoreFlags, "virDomainRestoreFlags", TRUE},
    {call_virDomainRestoreParams, "virDomainRestoreParams", TRUE},
    {call_virDomainSaveImageDefineXML, "virDomainSaveImageDefineXML", TRUE},
    {call_virDomainManagedSaveDefineXML, "virDomainManagedSaveDefineXML", TRUE},
    {call_virDomainMigrateBegin3Text, "virDomainMigrateBegin3", TRUE},
    {call_virDomainMigrateBegin3ParamsText, "virDomainMigrateBegin3Params", TRUE},
    {call_virDomainMigratePerform3, "virDomainMigratePerform3", TRUE},
    {call_virDomainMigratePerform3Params, "virDomainMigratePerform3Params", TRUE},
    {call_PersistentPerform3Params, "virDomainMigratePerform3Params", FALSE},
    {call_virDomainMigratePrepare2, "virDomainMigratePrepare2", FALSE},
    {call_virDomainMigratePrepare3, "virDomainMigratePrepare3", FALSE},
    {call_virDomainMigratePrepare3Params, "virDomainMigratePrepare3Params", FALSE},
    {call_virDomainMigratePrepareTunnel, "virDomainMigratePrepareTunnel", FALSE},
    {call_virDomainMigratePrepareTunnel3, "virDomainMigratePrepareTunnel3", FALSE},
    {call_virDomainMigratePrepareTunnel3Params, "virDomainMigratePrepareTunnel3Params", FALSE},
};

static void reset(const char *former)
{
    free(fake.copy);
    memset(&fake, 0, sizeof(fake));
    fake.connection = CONN;
    fake.answer = former;
}

static void test_untouched(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(carriers); i++) {
        reset(PLAIN);
        g_assert_cmpint(carriers[i].call(PLAIN), ==, 0);
        g_assert_cmpstr(fake.function, ==, carriers[i].function);
        g_assert_cmpstr(fake.copy, ==, PLAIN);
        reset(OFF);
        carriers[i].call(NULL); /* no XML: nothing to compare, and Begin of the fake has nothing to give */
        g_assert_cmpstr(fake.function, ==, carriers[i].function);
        g_assert_cmpstr(fake.error, ==, "");
    }
}

static void test_translated(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(carriers); i++) {
        reset(OFF);
        g_assert_cmpint(carriers[i].call(OFF), ==, 0);
        g_assert_cmpstr(fake.function, ==, carriers[i].function);
        g_assert_nonnull(strstr(fake.copy, "<bootzero:boot_zeroed_memory state='off'/>"));
        g_assert_null(strstr(fake.copy, "<boot_zeroed_memory"));
    }
}

static void test_refused(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(carriers); i++) {
        reset(OFF);
        g_assert_cmpint(carriers[i].call(MAYBE), ==, -1);
        g_assert_cmpstr(fake.function, !=, carriers[i].function);
        g_assert_cmpint(fake.error_code, ==, VIR_ERR_XML_ERROR);
        g_assert_true(fake.dispatched == CONN);
    }
}

static void test_changed(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(carriers); i++) {
        static const struct {
            const char *former, *xml, *text;
        } changes[] = {
            {PLAIN, OFF, "State of HyperV enlightenment feature 'boot_zeroed_memory' differs: source: 'default', "
                         "destination: 'off'"},
            {OFF, PLAIN, "State of HyperV enlightenment feature 'boot_zeroed_memory' differs: source: 'off', "
                         "destination: 'default'"},
        };

        for (gsize j = 0; j < G_N_ELEMENTS(changes); j++) {
            reset(changes[j].former);
            g_assert_cmpint(carriers[i].call(changes[j].xml), ==, carriers[i].is_compared ? -1 : 0);
            g_assert_cmpstr(fake.error, ==, carriers[i].is_compared ? changes[j].text : "");
            if (carriers[i].is_compared) {
                g_assert_cmpint(fake.error_code, ==, VIR_ERR_CONFIG_UNSUPPORTED);
                g_assert_cmpstr(fake.function, !=, carriers[i].function);
            }
        }
    }
}

/* A definition that goes with the guest: it may be another one, and ask for what the host cannot do. */
static void test_persistent(void)
{
    g_autofree char *cannot = g_strdup_printf("host '%s' cannot take the guest: 'boot_zeroed_memory' hyperv feature is "
                                              "not available: ", g_get_host_name());
    virTypedParameter both[2];

    reset(PLAIN);
    fake_parameters(both, "persistent_xml", OFF);
    g_strlcpy(both[0].field, "destination_xml", sizeof(both[0].field));
    both[0].value.s = (char *)PLAIN;
    g_assert_cmpint(virDomainMigratePerform3Params(DOM, NULL, both, 2, NULL, 0, NULL, NULL, 0), ==, 0);
    g_assert_cmpstr(fake.error, ==, "");
    g_assert_nonnull(strstr(fake.copy, "<bootzero:boot_zeroed_memory state='off'/>"));

    reset(NULL);
    g_assert_cmpint(call_PersistentPrepare3Params(NOWHERE), ==, 0);
    g_assert_nonnull(strstr(fake.copy, "<bootzero:boot_zeroed_memory state='on'/>"));
    reset(NULL);
    g_assert_cmpint(call_virDomainMigratePrepare3Params(NOWHERE), ==, -1);
    g_assert_true(g_str_has_prefix(fake.error, cannot));
}

static void test_metadata(void)
{
    static const struct {
        const char *uri;
        gboolean is_marker;
    } uris[] = {
        {"urn:bootzero:domain:1", TRUE},   {"urn:bootzero&#58;domain:1", TRUE}, {"urn:bootzero:domain:&#x31;", TRUE},
        {"urn:bootzero:domain:2", FALSE},  {"urn:a?b=1&c=2", FALSE},            {"", FALSE},
        {"\"urn:bootzero:domain:1", FALSE}, {"<", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(uris); i++) {
        reset(NULL);
        g_assert_cmpint(virDomainSetMetadata(DOM, VIR_DOMAIN_METADATA_ELEMENT, NULL, "k", uris[i].uri, 0), ==,
                        uris[i].is_marker ? -1 : 0);
        g_assert_cmpint(fake.error_code, ==, uris[i].is_marker ? VIR_ERR_CONFIG_UNSUPPORTED : 0);
        g_assert_cmpint(fake.function == NULL, ==, uris[i].is_marker);
        virDomainGetMetadata(DOM, VIR_DOMAIN_METADATA_ELEMENT, uris[i].uri, 0);
        if (i == 0)
            g_assert_cmpstr(fake.copy, !=, uris[i].uri);
        else
            g_assert_cmpstr(fake.copy, ==, uris[i].uri);
    }
    reset(NULL);
    g_assert_cmpint(virDomainSetMetadata(DOM, VIR_DOMAIN_METADATA_TITLE, "t", NULL, NULL, 0), ==, 0);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/carriers/untouched", test_untouched);
    g_test_add_func("/carriers/translated", test_translated);
    g_test_add_func("/carriers/refused", test_refused);
    g_test_add_func("/carriers/changed", test_changed);
    g_test_add_func("/carriers/persistent", test_persistent);
    g_test_add_func("/carriers/metadata", test_metadata);
    status = g_test_run();
    reset(NULL);
    return status;
}
