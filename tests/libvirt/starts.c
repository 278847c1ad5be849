/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starts before a libvirt that only remembers: what is asked of it and in which order, and what happens when it says no.
 * Runs in tests/libvirt/sandbox with the plugin preloaded: starts.sh.
 */
#include <glib.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/fake-emulator.h"
#include "fake-libvirt.h"

#define DOMAIN(metadata, hyperv, end)                                                                                   \
    "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>a</name>\n" metadata          \
    "  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n  <features>\n    <hyperv mode='custom'>\n"                   \
    "      <relaxed state='on'/>\n" hyperv "    </hyperv>\n  </features>\n  <devices>\n"                                \
    "    <emulator>/run/bootzero-test-emulator</emulator>\n  </devices>\n" end "</domain>\n"
#define METADATA                                                                                                        \
    "  <metadata>\n    <bootzero:features xmlns:bootzero='urn:bootzero:domain:1'>\n"                                    \
    "      <bootzero:boot_zeroed_memory state='on'/>\n    </bootzero:features>\n  </metadata>\n"
#define ARGUMENTS                                                                                                       \
    "  <qemu:commandline>\n    <qemu:arg value='-global'/>\n    <qemu:arg value='x86_64-cpu.hv-ext-query-caps=on'/>\n"  \
    "    <qemu:arg value='-global'/>\n    <qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/>\n  </qemu:commandline>\n"
#define PLAIN DOMAIN("", "", "")
#define MARKER DOMAIN(METADATA, "", "")
#define RIGHT DOMAIN(METADATA, "", ARGUMENTS)
#define CANNOT "'boot_zeroed_memory' hyperv feature is not available: "
#define REMEDY "the domain was defined when this host could not provide it, and now it can: virt-bootzero refresh 'a'"

static char connection, domain_object;
static int files[] = {7};

static void prepare(const char *stored)
{
    free(fake.copy);
    memset(&fake, 0, sizeof(fake));
    fake.connection = (virConnectPtr)&connection;
    fake.answer = stored;
    fake.is_shut_off = 1;
    fake.uri = "qemu:///system";
    fake.monitor = "{\"return\": true}";
    fake.calls = g_string_new(NULL);
}

/* Which functions were called, in their order: those that read, in short. */
static void expect_calls(const char *calls)
{
    g_assert_cmpstr(fake.calls->str, ==, calls);
    g_string_free(fake.calls, TRUE);
    fake.calls = NULL;
}

static int start(int how)
{
    virDomainPtr domain = (virDomainPtr)&domain_object;

    switch (how) {
    case 0:
        return virDomainCreate(domain);
    case 1:
        return virDomainCreateWithFlags(domain, VIR_DOMAIN_START_PAUSED);
    default:
        return virDomainCreateWithFiles(domain, 1, files, VIR_DOMAIN_START_AUTODESTROY);
    }
}

static const char *const names[] = {"virDomainCreate ", "virDomainCreateWithFlags ", "virDomainCreateWithFiles "};

static void test_plain(void)
{
    static const unsigned flags[] = {0, VIR_DOMAIN_START_PAUSED, VIR_DOMAIN_START_AUTODESTROY};

    for (int how = 0; how < 3; how++) {
        g_autofree char *calls = g_strconcat("active xml:2 ", names[how], NULL);

        prepare(PLAIN);
        g_assert_cmpint(start(how), ==, 0);
        g_assert_cmpuint(fake.flags, ==, flags[how]);
        g_assert_true(fake.files == (how == 2 ? files : NULL));
        expect_calls(calls);
    }
}

/* As it should be: it is started, and QEMU asked. */
static void test_right(void)
{
    for (int how = 0; how < 3; how++) {
        g_autofree char *calls = g_strconcat("active xml:2 uri saved ", names[how], "xml:0 monitor monitor ", NULL);

        prepare(RIGHT);
        g_assert_cmpint(start(how), ==, 0);
        expect_calls(calls);
    }
}

static void test_refreshed(void)
{
    for (int how = 0; how < 3; how++) {
        g_autofree char *calls =
            g_strconcat("active xml:2 uri saved xml:3 virDomainDefineXMLFlags virDomainFree ", names[how], "xml:0 ", NULL);

        prepare(MARKER);
        g_assert_cmpint(start(how), ==, 0);
        g_assert_nonnull(strstr(fake.copy, "x86_64-cpu.hv-boot-zeroed-mem=on"));
        g_assert_nonnull(strstr(fake.log, "domain 'a' is started: its provider was chosen again"));
        expect_calls(calls);
    }
}

/* What is in the save image does not go on. */
static void test_forced(void)
{
    prepare(MARKER);
    fake.has_managed_save = 1;
    g_assert_cmpint(virDomainCreateWithFlags((virDomainPtr)&domain_object, VIR_DOMAIN_START_FORCE_BOOT), ==, 0);
    expect_calls("active xml:2 uri xml:3 virDomainDefineXMLFlags virDomainFree virDomainCreateWithFlags xml:0 ");
}

/* What is not to be touched: a guest that runs, one of another host, one in a save image. */
static void test_left_alone(void)
{
    prepare(MARKER);
    fake.is_shut_off = 0;
    g_assert_cmpint(start(0), ==, 0);
    expect_calls("active virDomainCreate ");

    prepare(MARKER);
    fake.uri = "qemu+ssh://other/system";
    g_assert_cmpint(start(0), ==, 0);
    expect_calls("active xml:2 uri virDomainCreate ");

    prepare(MARKER);
    fake.has_managed_save = 1;
    g_assert_cmpint(start(0), ==, 0);
    g_assert_nonnull(strstr(fake.log, "domain 'a' goes on from its managed save image"));
    expect_calls("active xml:2 uri saved virDomainCreate xml:0 ");

    prepare(NULL);
    g_assert_cmpint(start(0), ==, 0);
    expect_calls("active xml:2 virDomainCreate ");
}

/* Who may start, but not read passwords, or not define. */
static void test_denied(void)
{
    static const struct {
        int fails;
        const char *calls;
    } denials[] = {
        {FAKE_SECURE_FAILS, "active xml:2 uri saved xml:3 "},
        {FAKE_DEFINE_FAILS, "active xml:2 uri saved xml:3 virDomainDefineXMLFlags "},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(denials); i++) {
        g_autofree char *to_libvirt = g_strconcat(denials[i].calls, "virDomainCreate xml:0 ", NULL);

        prepare(MARKER);
        fake.fails = denials[i].fails;
        fake.failure = (virError){.code = VIR_ERR_ACCESS_DENIED, .message = (char *)"access denied"};
        g_assert_cmpint(start(0), ==, -1);
        g_assert_cmpint(fake.error_code, ==, VIR_ERR_CONFIG_UNSUPPORTED);
        g_assert_cmpstr(fake.error, ==, "domain 'a' could not be refreshed (access denied): " CANNOT REMEDY);
        expect_calls(denials[i].calls);

        /* a read-only connection: libvirt refuses it, in its own words */
        prepare(MARKER);
        fake.fails = denials[i].fails;
        fake.failure = (virError){.code = VIR_ERR_OPERATION_DENIED, .message = (char *)"read only"};
        g_assert_cmpint(start(0), ==, 0);
        expect_calls(to_libvirt);
    }
}

static void test_verified(void)
{
    static const char *const reasons[] = {
        "QEMU has the CPU property 'hv-boot-zeroed-mem', but it is off: remove from <qemu:commandline> what turns it off",
        "QEMU has no CPU property 'hv-boot-zeroed-mem': use provider 'preload' or a QEMU that has it",
    };
    static const char *const answers[] = {
        "{\"return\": false}",
        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Property 'host-x86_64-cpu.hv-boot-zeroed-mem' not found\"}}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autofree char *text = g_strconcat(CANNOT "the guest was started without it: ", reasons[i], NULL);

        prepare(RIGHT);
        fake.monitor = answers[i];
        g_assert_cmpint(start(0), ==, -1);
        g_assert_cmpstr(fake.error, ==, text);
        expect_calls("active xml:2 uri saved virDomainCreate xml:0 monitor virDomainDestroy ");

        prepare(RIGHT);
        fake.monitor = answers[i];
        fake.has_managed_save = 1;
        g_assert_cmpint(start(0), ==, 0);
        g_assert_nonnull(strstr(fake.log, reasons[i]));
        expect_calls("active xml:2 uri saved virDomainCreate xml:0 monitor ");

        prepare(NULL);
        fake.monitor = answers[i];
        g_assert_null(virDomainCreateXML(fake.connection, RIGHT, 0));
        g_assert_cmpstr(fake.error, ==, text);
        expect_calls("virDomainCreateXML monitor virDomainDestroy virDomainFree ");
    }
    prepare(RIGHT);
    fake.monitor = NULL;
    g_assert_cmpint(start(0), ==, 0);
    g_assert_nonnull(strstr(fake.log, "whether domain 'a' has what it asks for was not verified: "));
    expect_calls("active xml:2 uri saved virDomainCreate xml:0 monitor ");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(g_file_set_contents_full("/run/bootzero-test-emulator",
                                           FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH), -1,
                                           G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    g_test_add_func("/starts/plain", test_plain);
    g_test_add_func("/starts/right", test_right);
    g_test_add_func("/starts/refreshed", test_refreshed);
    g_test_add_func("/starts/forced", test_forced);
    g_test_add_func("/starts/left-alone", test_left_alone);
    g_test_add_func("/starts/denied", test_denied);
    g_test_add_func("/starts/verified", test_verified);
    status = g_test_run();
    free(fake.copy);
    return status;
}
