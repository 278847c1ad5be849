/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built hook, run as libvirt runs it. */
#include "host.h"
#include "program.h"

#define MARKER(content) "<bootzero:features xmlns:bootzero='urn:bootzero:domain:1'>" content "</bootzero:features>"
#define MARKER_ON MARKER("<bootzero:boot_zeroed_memory state='on'/>")
#define RELAXED "<features><hyperv mode='custom'><relaxed state='on'/></hyperv></features>"

#define QEMU_ARGS                                                                                                      \
    "<qemu:commandline><qemu:arg value='-global'/><qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/></qemu:commandline>"

static char *preload_args(Fixture *fixture)
{
    return g_strdup_printf("<qemu:commandline><qemu:env name='LD_PRELOAD' value='%s'/>"
                           "<qemu:env name='BOOTZERO' value='ext-query-caps=on,boot-zeroed-mem=on'/></qemu:commandline>",
                           fixture->library);
}

/* args NULL: those for the host's library. */
static char *domain_xml(Fixture *fixture, const char *type, const char *marker, const char *features, const char *args)
{
    g_autofree char *preload = args ? NULL : preload_args(fixture);

    return g_strdup_printf("<domain type='%s' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
                           "  <name>win11</name><metadata>%s</metadata><os><type arch='x86_64'>hvm</type></os>\n"
                           "  %s<devices><emulator>%s</emulator></devices>%s\n</domain>\n",
                           type, marker, features, fixture->emulator, args ? args : preload);
}

static Run run_hook(Fixture *fixture, const char *operation, const char *kvm, const char *xml)
{
    const char *argv[] = {g_getenv("BOOTZERO_HOOK"), "win11", operation, "begin", "-", NULL};
    g_autofree char *input = scratch_file(&fixture->scratch, "input.xml", xml, 0644);

    return run_program(argv, input, kvm, fixture->configuration);
}

static void check_passes_at(Fixture *fixture, const char *operation, const char *kvm, const char *xml)
{
    g_auto(Run) run = run_hook(fixture, operation, kvm, xml);

    g_assert_cmpstr(run.err, ==, "");
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpint(run.status, ==, 0);
}

static void check_passes(Fixture *fixture, const char *kvm, const char *xml)
{
    check_passes_at(fixture, "prepare", kvm, xml);
}

/* message is all that is on stderr between "bootzero: " and the end of the line. */
static void check_refused_at(Fixture *fixture, const char *operation, const char *kvm, const char *xml, const char *message)
{
    g_auto(Run) run = run_hook(fixture, operation, kvm, xml);
    g_autofree char *expected = g_strdup_printf("bootzero: %s\n", message);

    g_assert_cmpstr(run.err, ==, expected);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpint(run.status, ==, 1);
}

static void check_refused(Fixture *fixture, const char *kvm, const char *xml, const char *message)
{
    check_refused_at(fixture, "prepare", kvm, xml, message);
}

#define NOT_AVAILABLE "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available: "
#define NO_HYPERV NOT_AVAILABLE "KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"

static void test_no_marker(Fixture *fixture, gconstpointer data)
{
    g_autofree char *xml = domain_xml(fixture, "kvm", "", RELAXED, "");

    /* It is not even parsed, and bootzero's own troubles are none of its concern. */
    check_passes(fixture, "plain", xml);
    check_passes(fixture, "plain", "");
    check_passes(fixture, "plain", "<domain><name>");
    g_assert_true(g_file_set_contents(fixture->configuration, "nonsense", -1, NULL));
    check_passes(fixture, "plain", xml);
}

static void test_other_operations(Fixture *fixture, gconstpointer data)
{
    static const char *const operations[] = {"start", "started", "stopped", "release", "attach", "reconnect"};
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, "");

    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_auto(Run) run = run_hook(fixture, operations[i], "missing", xml);
        g_assert_cmpint(run.status, ==, 0);
        g_assert_cmpstr(run.err, ==, "");
        g_assert_cmpstr(run.out, ==, "");
        g_assert_cmpuint(run.consumed, ==, 0);
    }
}

static void test_marker_only(Fixture *fixture, gconstpointer data)
{
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, "");
    g_autofree char *off = domain_xml(fixture, "kvm", MARKER("<bootzero:boot_zeroed_memory state='off'/>"), RELAXED, "");
    g_autofree char *bare = domain_xml(fixture, "kvm", MARKER_ON, "", "");

    check_refused(fixture, "plain", xml, NO_HYPERV);
    check_refused(fixture, "full", xml,
                  NOT_AVAILABLE "the domain was defined when this host could not provide it, and now it can: "
                                "virt-bootzero refresh 'win11'");
    check_refused(fixture, "full", bare,
                  NOT_AVAILABLE "provider 'preload' needs another enlightenment, for QEMU to offer Hyper-V at all: add one "
                                "to <hyperv>, for example <relaxed state='on'/>");
    check_passes(fixture, "plain", off);
}

/* What the remedy that the hook names does, and people can do without it: define what `translate` makes of the domain. */
static void test_remedy(Fixture *fixture, gconstpointer data)
{
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, "");
    g_autofree char *input = scratch_file(&fixture->scratch, "stored.xml", xml, 0644);
    const char *argv[] = {g_getenv("VIRT_BOOTZERO"), "translate", NULL};
    g_auto(Run) run = run_program(argv, input, "full", fixture->configuration);

    g_assert_cmpstr(run.err, ==, "");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(strstr(run.out, fixture->library));
    check_passes(fixture, "full", run.out);
}

static void test_preload(Fixture *fixture, gconstpointer data)
{
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, NULL);
    g_autofree char *bare = domain_xml(fixture, "kvm", MARKER_ON, "", NULL);
    g_autofree char *missing = g_strdup_printf(NOT_AVAILABLE "provider library '%s': No such file or directory: install "
                                               "bootzero's provider, or correct provider-library in bootzero.conf",
                                               fixture->library);

    check_passes(fixture, "full", xml);
    check_refused(fixture, "plain", xml, NO_HYPERV);
    check_refused(fixture, "full", bare,
                  NOT_AVAILABLE "provider 'preload' needs another enlightenment, for QEMU to offer Hyper-V at all: add one "
                                "to <hyperv>, for example <relaxed state='on'/>");
    g_assert_cmpint(g_unlink(fixture->library), ==, 0);
    check_refused(fixture, "full", xml, missing);
}

static void test_qemu(Fixture *fixture, gconstpointer data)
{
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, "", QEMU_ARGS);
    g_autofree char *lost = g_strdup_printf(NOT_AVAILABLE "emulator '%s' (QEMU 9.1.3) has no CPU property "
                                            "'hv-boot-zeroed-mem', which provider 'qemu' needs: use provider 'preload' or "
                                            "a QEMU that has it", fixture->emulator);
    g_autofree char *gone = g_strdup_printf(NOT_AVAILABLE "emulator '%s' does not exist: install it or correct <emulator>",
                                            fixture->emulator);

    check_refused(fixture, "full", xml, lost);
    g_free(scratch_file(&fixture->scratch, "emulator", FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH), 0755));
    check_passes(fixture, "full", xml);
    check_refused(fixture, "plain", xml, NO_HYPERV);
    g_assert_cmpint(g_unlink(fixture->emulator), ==, 0);
    check_refused(fixture, "full", xml, gone);
}

/* The stand-in for the properties that no released QEMU has: a stock emulator, and a name it knows. */
static void test_other_names(Fixture *fixture, gconstpointer data)
{
    g_autofree char *settings = NULL;
    g_autofree char *changed = NULL;
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, "",
                                      "<qemu:commandline><qemu:arg value='-global'/>"
                                      "<qemu:arg value='x86_64-cpu.hv-vapic=on'/></qemu:commandline>");

    g_assert_true(g_file_get_contents(fixture->configuration, &settings, NULL, NULL));
    changed = g_strconcat(settings, "boot-zeroed-mem-property = hv-vapic\n", NULL);
    g_assert_true(g_file_set_contents(fixture->configuration, changed, -1, NULL));
    check_passes(fixture, "full", xml);
}

/* A guest that ran before, here or elsewhere: its XML is never rewritten, and it has to have what it was told. */
static void test_goes_on(Fixture *fixture, gconstpointer data)
{
    static const char *const operations[] = {"migrate", "restore"};
    g_autofree char *preload = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, NULL);
    g_autofree char *qemu = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, QEMU_ARGS);
    g_autofree char *without = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, "");
    g_autofree char *off = domain_xml(fixture, "kvm", MARKER("<bootzero:boot_zeroed_memory state='off'/>"), RELAXED, "");
    g_autofree char *cannot = g_strdup_printf("unsupported configuration: host '%s' cannot take the guest: "
                                              "'boot_zeroed_memory' hyperv feature is not available: ", g_get_host_name());
    g_autofree char *no_hyperv = g_strconcat(cannot, "KVM on this host has no Hyper-V emulation: use a kernel built with "
                                                     "CONFIG_KVM_HYPERV", NULL);
    g_autofree char *property = g_strdup_printf("%semulator '%s' (QEMU 9.1.3) has no CPU property 'hv-boot-zeroed-mem', "
                                                "which provider 'qemu' needs: use provider 'preload' or a QEMU that has it; "
                                                "or take provider 'preload', which this host has: give migrate --xml, restore --xml "
                                                "or managedsave-define what 'virt-bootzero translate' makes here of the "
                                                "guest's XML",
                                                cannot, fixture->emulator);
    g_autofree char *library = g_strdup_printf("%sprovider library '%s': No such file or directory: install bootzero's "
                                               "provider, or correct provider-library in bootzero.conf",
                                               cannot, fixture->library);
    g_autofree char *started = g_strconcat(cannot, "the guest was started without it, and what it was told may not change "
                                                   "while it runs or is saved: start it anew", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        check_passes_at(fixture, operations[i], "full", preload);
        check_passes_at(fixture, operations[i], "plain", off);
        check_refused_at(fixture, operations[i], "plain", preload, no_hyperv);
        check_refused_at(fixture, operations[i], "full", qemu, property);
    }
    check_passes_at(fixture, "migrate", "plain", without);
    check_refused_at(fixture, "restore", "full", without, started);
    g_assert_cmpint(g_unlink(fixture->library), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++)
        check_refused_at(fixture, operations[i], "full", preload, library);
}

static void test_wrong_input(Fixture *fixture, gconstpointer data)
{
    g_autofree char *tcg = domain_xml(fixture, "qemu", MARKER_ON, RELAXED, NULL);
    g_autofree char *marker = domain_xml(fixture, "kvm", MARKER("<bootzero:boot_zeroed_memory state='may\nbe'/>"), RELAXED, "");
    g_auto(Run) malformed = run_hook(fixture, "prepare", "full", "<domain>" MARKER_ON);

    check_refused(fixture, "full", tcg,
                  "unsupported configuration: 'boot_zeroed_memory' hyperv feature needs KVM, and the domain has type='qemu': set "
                  "type='kvm' or remove the feature");
    g_assert_cmpint(malformed.status, ==, 1);
    g_assert_true(g_str_has_prefix(malformed.err, "bootzero: XML error: "));
    g_assert_true(strchr(malformed.err, '\n') == malformed.err + strlen(malformed.err) - 1);

    g_auto(Run) bad_marker = run_hook(fixture, "prepare", "full", marker);
    g_assert_cmpint(bad_marker.status, ==, 1);
    g_assert_true(g_str_has_prefix(bad_marker.err, "bootzero: XML error: "));
    g_assert_true(strchr(bad_marker.err, '\n') == bad_marker.err + strlen(bad_marker.err) - 1);
}

static void test_too_large(Fixture *fixture, gconstpointer data)
{
    g_autofree char *filler = g_strnfill(17 * 1024 * 1024, ' ');
    g_autofree char *with = g_strconcat("<domain>" MARKER_ON, filler, NULL);
    g_autofree char *without = g_strconcat("<domain>", filler, NULL);

    check_refused(fixture, "full", with, "XML error: the domain XML is larger than 16 MiB");
    check_passes(fixture, "full", without);
}

static void test_configuration(Fixture *fixture, gconstpointer data)
{
    g_autofree char *xml = domain_xml(fixture, "kvm", MARKER_ON, RELAXED, NULL);
    g_autofree char *message = g_strdup_printf("internal error: %s: invalid value for 'provider': 'some': must be auto, qemu or "
                                               "preload", fixture->configuration);

    g_assert_true(g_file_set_contents(fixture->configuration, "[bootzero]\nprovider = some\n", -1, NULL));
    check_refused(fixture, "full", xml, message);
}

static void test_usage(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {g_getenv("BOOTZERO_HOOK"), "win11", NULL};
    g_auto(Run) run = run_program(argv, NULL, "full", fixture->configuration);

    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.err, ==, "usage: bootzero-hook NAME OPERATION SUB-OPERATION EXTRA <DOMAIN-XML\n");
}

/* A call into libvirt would wait for the daemon that waits for the hook. */
static void test_no_libvirt(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {"ldd", g_getenv("BOOTZERO_HOOK"), NULL};
    g_autofree char *out = NULL;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
    g_assert_nonnull(strstr(out, "libglib"));
    g_assert_null(strstr(out, "libvirt"));
}

#define ADD(name, function) g_test_add("/hook/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("no-marker", test_no_marker);
    ADD("other-operations", test_other_operations);
    ADD("marker-only", test_marker_only);
    ADD("remedy", test_remedy);
    ADD("preload", test_preload);
    ADD("qemu", test_qemu);
    ADD("other-names", test_other_names);
    ADD("goes-on", test_goes_on);
    ADD("wrong-input", test_wrong_input);
    ADD("too-large", test_too_large);
    ADD("configuration", test_configuration);
    ADD("usage", test_usage);
    ADD("no-libvirt", test_no_libvirt);
    return g_test_run();
}
