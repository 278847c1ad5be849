/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every interposed function from eight threads at once, before a libvirt that only remembers, each thread for itself. An
 * administrator writes the configuration anew and replaces the emulators all the while. The plugin is built into this
 * program with the thread sanitizer. Runs in tests/libvirt/sandbox: threads.sh.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <utime.h>

#include "../unit/fake-emulator.h"
#include "fake-libvirt.h"
#include "libvirt/private.h"

#define THREADS 8
#define ROUNDS 60
#define EMULATORS 3
#define NAMES 400 /* of each thread */

#define ON "<boot_zeroed_memory state='on'/>"
#define OFF "<boot_zeroed_memory state='off'/>"
#define MAYBE "<boot_zeroed_memory state='maybe'/>"
#define STORED_ON "<qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/>"
#define STORED_OFF "<bootzero:boot_zeroed_memory state='off'/>"
#define MAYBE_TEXT "Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'."

typedef struct {
    int number;
    GRand *random;
    char *on, *off; /* domain XML of this round, in the user's form */
} Worker;

static char connection, domain_object;
#define CONN ((virConnectPtr)&connection)
#define DOM ((virDomainPtr)&domain_object)
#define SNAPSHOT ((virDomainSnapshotPtr)&domain_object)
#define CHECKPOINT ((virDomainCheckpointPtr)&domain_object)

static gint running = THREADS;
static char *folder;

static char *emulator_path(int number)
{
    return g_strdup_printf("%s/emulator-%d", folder, number);
}

static char *domain_xml(Worker *worker, const char *element)
{
    g_autofree char *emulator = emulator_path(g_rand_int_range(worker->random, 0, EMULATORS));

    return g_strdup_printf("<domain type='kvm'>\n  <name>a-%d-%d</name>\n  <memory unit='KiB'>65536</memory>\n"
                           "  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n  <features>\n    <acpi/>\n"
                           "    <hyperv mode='custom'>\n      <relaxed state='on'/>\n      %s\n    </hyperv>\n"
                           "  </features>\n  <devices>\n    <emulator>%s</emulator>\n  </devices>\n</domain>\n",
                           worker->number, g_rand_int_range(worker->random, 0, NAMES), element, emulator);
}

static void reset(const char *answer)
{
    free(fake.copy);
    memset(&fake, 0, sizeof(fake));
    fake.connection = CONN;
    fake.answer = answer;
    fake.monitor = "{\"return\": true}";
}

static void expect_stored(const char *text)
{
    g_assert_cmpint(fake.error_code, ==, 0);
    g_assert_nonnull(fake.copy);
    if (strstr(fake.copy, text) == NULL || strstr(fake.copy, "<boot_zeroed_memory") != NULL)
        g_error("not %s:\n%s", text, fake.copy);
}

/* The stored form of xml: what libvirt would have. */
static char *stored_form(const char *xml)
{
    reset(NULL);
    g_assert_nonnull(virDomainDefineXML(CONN, xml));
    return g_strdup(fake.copy);
}

/* --- what the threads do; each function is called in turn --- */

static void do_definitions(Worker *worker)
{
    reset(NULL);
    g_assert_nonnull(virDomainDefineXML(CONN, worker->on));
    expect_stored(STORED_ON);
    g_assert_nonnull(virDomainDefineXMLFlags(CONN, worker->off, 0));
    expect_stored(STORED_OFF);
    g_assert_nonnull(virDomainCreateXML(CONN, worker->on, 0));
    expect_stored(STORED_ON);
    g_assert_nonnull(virDomainCreateXMLWithFiles(CONN, worker->on, 0, NULL, 0));
    expect_stored(STORED_ON);
    g_free(virConnectDomainXMLToNative(CONN, "qemu-argv", worker->on, 0));
    expect_stored(STORED_ON);
}

static void do_errors(Worker *worker)
{
    g_autofree char *maybe = domain_xml(worker, MAYBE);

    reset(NULL);
    g_assert_null(virDomainDefineXML(CONN, maybe));
    g_assert_cmpstr(fake.error, ==, MAYBE_TEXT);
    g_assert_null(virDomainCreateXML(CONN, maybe, 0));
    g_assert_cmpint(virDomainSaveFlags(DOM, "image", maybe, 0), ==, -1);
    g_assert_cmpint(virDomainMigratePrepare2(CONN, NULL, NULL, NULL, NULL, 0, NULL, 0, maybe), ==, -1);
    g_assert_cmpstr(fake.error, ==, MAYBE_TEXT);
    g_assert_nonnull(virDomainDefineXML(CONN, "<domain>" ON)); /* libvirt's to refuse */
    fake.answer = "<domain>urn:bootzero:domain:1";
    g_free(virDomainGetXMLDesc(DOM, 0));
    g_assert_cmpint(fake.log_priority, ==, 3);
}

static void do_output(Worker *worker)
{
    g_autofree char *stored = stored_form(worker->off);
    char *(*const functions[])(virDomainPtr, unsigned int) = {virDomainGetXMLDesc, virDomainManagedSaveGetXMLDesc};

    reset(stored);
    for (int i = 0; i < 4; i++) {
        g_autofree char *xml = functions[i % 2](DOM, 0);
        g_assert_cmpstr(xml, ==, worker->off);
    }
    g_autofree char *image = virDomainSaveImageGetXMLDesc(CONN, "image", 0);
    g_autofree char *snapshot = virDomainSnapshotGetXMLDesc(SNAPSHOT, 0);
    g_autofree char *checkpoint = virDomainCheckpointGetXMLDesc(CHECKPOINT, 0);
    g_autofree char *native = virConnectDomainXMLFromNative(CONN, "qemu-argv", "", 0);
    g_assert_cmpstr(image, ==, worker->off);
    g_assert_cmpstr(snapshot, ==, worker->off);
    g_assert_cmpstr(checkpoint, ==, worker->off);
    g_assert_cmpstr(native, ==, worker->off);
}

/* More domains than are remembered, so that they are forgotten again and again. */
static void do_many_outputs(Worker *worker)
{
    for (int i = 0; i < 40; i++) {
        g_autofree char *xml = domain_xml(worker, OFF);
        g_autofree char *stored = stored_form(xml);
        g_autofree char *shown = NULL;

        reset(stored);
        shown = virDomainGetXMLDesc(DOM, 0);
        g_assert_cmpstr(shown, ==, xml);
    }
}

static void do_capabilities(Worker *worker)
{
    g_autofree char *emulator = emulator_path(g_rand_int_range(worker->random, 0, EMULATORS));
    g_autofree char *plain = g_strdup_printf("<domainCapabilities>\n  <path>%s</path>\n  <domain>kvm</domain>\n"
                                             "  <arch>x86_64</arch>\n  <features>\n    <hyperv supported='yes'>\n"
                                             "      <enum name='features'>\n        <value>relaxed</value>\n"
                                             "      </enum>\n    </hyperv>\n  </features>\n</domainCapabilities>\n", emulator);
    g_autofree char *advertised = NULL;

    reset(plain);
    advertised = virConnectGetDomainCapabilities(CONN, NULL, NULL, NULL, NULL, 0);
    g_assert_nonnull(strstr(advertised, "        <value>boot_zeroed_memory</value>\n"));
}

static void do_saves(Worker *worker)
{
    g_autofree char *former = stored_form(worker->on);
    g_autofree char *snapshot = g_strdup_printf("<domainsnapshot><name>s</name>%s</domainsnapshot>", worker->on);
    g_autofree char *checkpoint = g_strdup_printf("<domaincheckpoint><name>s</name>%s</domaincheckpoint>", worker->on);
    virTypedParameter params[2];

    reset(former);
    g_assert_cmpint(virDomainSaveFlags(DOM, "image", worker->on, 0), ==, 0);
    g_assert_cmpint(virDomainSaveParams(DOM, fake_parameters(params, "dxml", worker->on), 2, 0), ==, 0);
    g_assert_cmpint(virDomainRestoreFlags(CONN, "image", worker->on, 0), ==, 0);
    g_assert_cmpint(virDomainRestoreParams(CONN, fake_parameters(params, "dxml", worker->on), 2, 0), ==, 0);
    g_assert_cmpint(virDomainSaveImageDefineXML(CONN, "image", worker->on, 0), ==, 0);
    g_assert_cmpint(virDomainManagedSaveDefineXML(DOM, worker->on, 0), ==, 0);
    expect_stored(STORED_ON);
    g_assert_cmpint(virDomainSaveFlags(DOM, "image", worker->off, 0), ==, -1);
    g_assert_nonnull(strstr(fake.error, "differs"));
    reset(former);
    g_assert_nonnull(virDomainSnapshotCreateXML(DOM, snapshot, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE));
    expect_stored(STORED_ON);
    g_assert_nonnull(virDomainCheckpointCreateXML(DOM, checkpoint, 0));
    expect_stored(STORED_ON);
}

static void do_migrations(Worker *worker)
{
    g_autofree char *former = stored_form(worker->on);
    const char *xml = worker->on;
    virTypedParameter params[2];

    reset(former);
    fake_parameters(params, "destination_xml", xml);
    g_free(virDomainMigrateBegin3(DOM, xml, NULL, NULL, 0, NULL, 0));
    g_free(virDomainMigrateBegin3Params(DOM, params, 2, NULL, NULL, 0));
    g_assert_cmpint(virDomainMigratePerform3(DOM, xml, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, 0), ==, 0);
    g_assert_cmpint(virDomainMigratePerform3Params(DOM, NULL, params, 2, NULL, 0, NULL, NULL, 0), ==, 0);
    g_assert_cmpint(virDomainMigratePrepare2(CONN, NULL, NULL, NULL, NULL, 0, NULL, 0, xml), ==, 0);
    g_assert_cmpint(virDomainMigratePrepare3(CONN, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, 0, xml), ==, 0);
    g_assert_cmpint(virDomainMigratePrepare3Params(CONN, params, 2, NULL, 0, NULL, NULL, NULL, 0), ==, 0);
    g_assert_cmpint(virDomainMigratePrepareTunnel(CONN, NULL, 0, NULL, 0, xml), ==, 0);
    g_assert_cmpint(virDomainMigratePrepareTunnel3(CONN, NULL, NULL, 0, NULL, NULL, 0, NULL, 0, xml), ==, 0);
    g_assert_cmpint(virDomainMigratePrepareTunnel3Params(CONN, NULL, params, 2, NULL, 0, NULL, NULL, 0), ==, 0);
    g_assert_nonnull(virDomainMigrate2(DOM, CONN, xml, 0, NULL, NULL, 0));
    g_assert_nonnull(virDomainMigrate3(DOM, CONN, params, 2, 0));
    g_assert_cmpint(virDomainMigrateToURI2(DOM, NULL, NULL, xml, 0, NULL, 0), ==, 0);
    g_assert_cmpint(virDomainMigrateToURI3(DOM, NULL, params, 2, 0), ==, 0);
    expect_stored(STORED_ON);
}

static void do_metadata(Worker *worker)
{
    reset(NULL);
    g_assert_cmpint(virDomainSetMetadata(DOM, VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "k", "urn:mine", 0), ==, 0);
    g_assert_cmpint(virDomainSetMetadata(DOM, VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "k", "urn:bootzero:domain:1", 0), ==, -1);
    g_assert_null(virDomainGetMetadata(DOM, VIR_DOMAIN_METADATA_ELEMENT, "urn:bootzero:domain:1", 0));
}

/* What is right is started as it is; what has only the marker is defined first. */
static void do_starts(Worker *worker)
{
    g_autofree char *stored = stored_form(worker->on);
    g_autofree char *start = NULL, *marker_only = NULL;
    const char *end = strstr(stored, "</qemu:commandline>");

    reset(stored);
    fake.is_shut_off = 1;
    g_assert_cmpint(virDomainCreate(DOM), ==, 0);
    g_assert_cmpint(virDomainCreateWithFlags(DOM, VIR_DOMAIN_START_PAUSED), ==, 0);
    g_assert_null(fake.copy);

    start = g_strndup(stored, strstr(stored, "<qemu:commandline") - stored);
    marker_only = g_strconcat(start, end + strlen("</qemu:commandline>"), NULL);
    reset(marker_only);
    fake.is_shut_off = 1;
    g_assert_cmpint(virDomainCreateWithFiles(DOM, 0, NULL, 0), ==, 0);
    expect_stored(STORED_ON);

    reset(stored);
    fake.is_shut_off = 1;
    fake.monitor = "{\"return\": false}";
    g_assert_cmpint(virDomainCreate(DOM), ==, -1);
    g_assert_nonnull(strstr(fake.error, "the guest was started without it"));
}

static void (*const actions[])(Worker *) = {
    do_definitions, do_errors, do_output, do_many_outputs, do_capabilities, do_saves, do_migrations, do_metadata, do_starts,
};

static gpointer work(gpointer data)
{
    Worker worker = {.number = GPOINTER_TO_INT(data), .random = g_rand_new_with_seed(GPOINTER_TO_INT(data))};

    for (int round = 0; round < ROUNDS; round++) {
        worker.on = domain_xml(&worker, ON);
        worker.off = domain_xml(&worker, OFF);
        actions[g_rand_int_range(worker.random, 0, G_N_ELEMENTS(actions))](&worker);
        g_free(worker.on);
        g_free(worker.off);
    }
    reset(NULL);
    g_rand_free(worker.random);
    g_atomic_int_add(&running, -1);
    return NULL;
}

/* Each time another reading of the file, and each time other emulators. */
static void administer(int turn)
{
    g_autofree char *text = g_strdup_printf("[bootzero]\nprovider = %s\nprobe-timeout = %d\n", turn % 2 ? "qemu" : "auto",
                                            20 + turn % 10);
    g_autofree char *path = emulator_path(turn % EMULATORS);

    g_assert_true(g_file_set_contents(BZ_CONFIG_FILE, text, -1, NULL));
    g_assert_true(g_file_set_contents_full(path, FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH), -1,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
}

int main(int argc, char **argv)
{
    GThread *threads[THREADS];
    int turn;

    xmlInitParser(); /* a daemon has read XML long before it has threads */
    folder = g_get_current_dir();
    for (turn = 0; turn < EMULATORS; turn++)
        administer(turn);
    for (int i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("worker", work, GINT_TO_POINTER(i));
    for (; g_atomic_int_get(&running) > 0; turn++) {
        administer(turn);
        g_usleep(G_USEC_PER_SEC);
    }
    for (int i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    g_print("%d threads, %d rounds each, %d changes of the configuration and the emulators\n", THREADS, ROUNDS, turn);
    g_free(folder);
    return 0;
}
