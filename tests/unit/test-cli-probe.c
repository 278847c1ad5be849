/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero itself and its command probe, run from the build. */
#include <json-glib/json-glib.h>

#include "host.h"
#include "program.h"

/* The arguments after the program's name, up to NULL. */
#define run_cli(fixture, kvm, ...)                                                                                     \
    run_program((const char *const[]){g_getenv("VIRT_BOOTZERO"), __VA_ARGS__, NULL}, NULL, kvm, (fixture)->configuration)

/* A line of the table: the label, spaces, the value. */
static void assert_row(const Run *run, const char *label, const char *value)
{
    g_autofree char *pattern = g_strdup_printf("(?m)^%s +%s$", label, value);

    if (!g_regex_match_simple(pattern, run->out, 0, 0))
        g_error("no row '%s' with '%s' in:\n%s", label, value, run->out);
}

static void test_table(Fixture *fixture, gconstpointer data)
{
    g_auto(Run) run = run_cli(fixture, "full", "probe", "--emulator", fixture->emulator);

    g_assert_cmpstr(run.err, ==, "");
    g_assert_cmpint(run.status, ==, 0);
    assert_row(&run, "KVM", "yes");
    assert_row(&run, "  Hyper-V emulation", "yes");
    assert_row(&run, "  extended hypercalls", "yes");
    assert_row(&run, "emulator", fixture->emulator);
    assert_row(&run, "  version", "9\\.1\\.3");
    assert_row(&run, "  guests", "x86_64");
    assert_row(&run, "  hv-ext-query-caps", "no");
    assert_row(&run, "  hv-boot-zeroed-mem", "no");
    assert_row(&run, "provider library", fixture->library);
    assert_row(&run, "  there", "yes");
    assert_row(&run, "configured provider", "auto");
    assert_row(&run, "provider of a new domain", "preload");
}

static void test_table_refused(Fixture *fixture, gconstpointer data)
{
    g_auto(Run) run = run_cli(fixture, "plain", "probe", "--emulator", "/nonexistent/qemu");

    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.err, ==,
                    "error: unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available: KVM on this host has "
                    "no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV\n");
    assert_row(&run, "  Hyper-V emulation", "no");
    assert_row(&run, "  reason", "emulator '/nonexistent/qemu' does not exist: install it or correct <emulator>");
    assert_row(&run, "provider of a new domain", "none");
}

static JsonObject *parse(const Run *run)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) root = json_from_string(run->out, &error);

    g_assert_no_error(error);
    return json_object_ref(json_node_get_object(root));
}

static void test_json(Fixture *fixture, gconstpointer data)
{
    g_free(scratch_file(&fixture->scratch, "emulator", FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_FIRST), 0755));
    g_auto(Run) run = run_cli(fixture, "full", "probe", "--json", "--emulator", fixture->emulator);
    g_autoptr(JsonObject) object = parse(&run);
    JsonObject *kvm = json_object_get_object_member(object, "kvm");
    JsonObject *emulator = json_object_get_object_member(object, "emulator");
    JsonArray *properties = json_object_get_array_member(emulator, "hyperv-properties");

    g_assert_cmpstr(run.err, ==, "");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_cmpstr(json_object_get_string_member(object, "version"), ==, BZ_VERSION);
    g_assert_true(json_object_get_boolean_member(kvm, "available"));
    g_assert_true(json_object_get_boolean_member(kvm, "hyperv"));
    g_assert_true(json_object_get_boolean_member(kvm, "extended-hypercalls"));
    g_assert_false(json_object_has_member(kvm, "reason"));
    g_assert_cmpstr(json_object_get_string_member(emulator, "path"), ==, fixture->emulator);
    g_assert_cmpstr(json_object_get_string_member(emulator, "version"), ==, "9.1.3");
    g_assert_cmpstr(json_object_get_string_member(emulator, "target"), ==, "x86_64");
    g_assert_cmpuint(json_array_get_length(properties), ==, 2);
    g_assert_cmpstr(json_array_get_string_element(properties, 0), ==, "hv-boot-zeroed-mem");
    g_assert_false(json_object_get_boolean_member(emulator, "ext-query-caps"));
    g_assert_true(json_object_get_boolean_member(emulator, "boot-zeroed-mem"));
    g_assert_cmpstr(json_object_get_string_member(object, "configured-provider"), ==, "auto");
    g_assert_cmpstr(json_object_get_string_member(object, "provider"), ==, "qemu");
    g_assert_false(json_object_has_member(object, "reason"));
}

static void test_json_refused(Fixture *fixture, gconstpointer data)
{
    g_free(scratch_file(&fixture->scratch, "emulator", "#!/bin/sh\nexit 3\n", 0755));
    g_auto(Run) run = run_cli(fixture, "full", "probe", "--json", "--emulator", fixture->emulator);
    g_autoptr(JsonObject) object = parse(&run);
    JsonObject *emulator = json_object_get_object_member(object, "emulator");
    g_autofree char *reason = g_strdup_printf("emulator '%s' ended with exit status 3 when probed", fixture->emulator);
    g_autofree char *refusal = g_strdup_printf("'boot_zeroed_memory' hyperv feature is not available: %s", reason);
    g_autofree char *line = g_strdup_printf("error: unsupported configuration: %s\n", refusal);

    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.err, ==, line);
    g_assert_cmpstr(json_object_get_string_member(emulator, "reason"), ==, reason);
    g_assert_cmpstr(json_object_get_string_member(object, "provider"), ==, "none");
    g_assert_cmpstr(json_object_get_string_member(object, "reason"), ==, refusal);
}

static void test_configuration(Fixture *fixture, gconstpointer data)
{
    g_assert_true(g_file_set_contents(fixture->configuration, "[bootzero]\nprovider = some\n", -1, NULL));
    g_auto(Run) run = run_cli(fixture, "full", "probe");
    g_autofree char *line = g_strdup_printf("error: internal error: %s: invalid value for 'provider': 'some': must be auto, qemu "
                                            "or preload\n", fixture->configuration);

    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.err, ==, line);
    g_assert_cmpstr(run.out, ==, "");
}

static void check_misuse(const Run *run, const char *message)
{
    g_assert_cmpint(run->status, ==, 2);
    g_assert_cmpstr(run->err, ==, message);
    g_assert_cmpstr(run->out, ==, "");
}

static void test_misuse(Fixture *fixture, gconstpointer data)
{
    const char *const alone[] = {g_getenv("VIRT_BOOTZERO"), NULL};
    g_auto(Run) none = run_program(alone, NULL, "full", fixture->configuration);
    g_auto(Run) unknown = run_cli(fixture, "full", "prob", "--json");
    g_auto(Run) option = run_cli(fixture, "full", "--jason");
    g_auto(Run) probe_option = run_cli(fixture, "full", "probe", "--jason");
    g_auto(Run) operand = run_cli(fixture, "full", "-c", "test:///default", "probe", "--", "--json");

    check_misuse(&none, "error: a command is needed\nTry 'virt-bootzero --help'.\n");
    check_misuse(&unknown, "error: unknown command 'prob'\nTry 'virt-bootzero --help'.\n");
    check_misuse(&option, "error: Unknown option --jason\nTry 'virt-bootzero --help'.\n");
    check_misuse(&probe_option, "error: Unknown option --jason\nTry 'virt-bootzero probe --help'.\n");
    check_misuse(&operand, "error: unexpected operand '--json'\nTry 'virt-bootzero probe --help'.\n");
}

static void test_help(Fixture *fixture, gconstpointer data)
{
    g_auto(Run) version = run_cli(fixture, "full", "--version");
    g_auto(Run) help = run_cli(fixture, "full", "--help");
    g_auto(Run) probe_help = run_cli(fixture, "full", "probe", "--help");

    g_assert_cmpint(version.status, ==, 0);
    g_assert_cmpstr(version.out, ==, "virt-bootzero " BZ_VERSION "\n");
    g_assert_cmpint(help.status, ==, 0);
    g_assert_nonnull(strstr(help.out, "\n  probe        Tell what this host can do, and why not\n"));
    g_assert_cmpint(probe_help.status, ==, 0);
    g_assert_nonnull(strstr(probe_help.out, "  virt-bootzero probe [OPTION"));
    g_assert_nonnull(strstr(probe_help.out, "--emulator=PATH"));
}

static void test_full_disk(Fixture *fixture, gconstpointer data)
{
    const char *const argv[] = {"sh", "-c", "exec \"$VIRT_BOOTZERO\" --version >/dev/full", NULL};
    g_auto(Run) run = run_program(argv, NULL, "full", fixture->configuration);

    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.err, ==, "error: cannot write to standard output: No space left on device\n");
}

#define ADD(name, function) g_test_add("/cli/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("probe/table", test_table);
    ADD("probe/table-refused", test_table_refused);
    ADD("probe/json", test_json);
    ADD("probe/json-refused", test_json_refused);
    ADD("probe/configuration", test_configuration);
    ADD("misuse", test_misuse);
    ADD("help", test_help);
    ADD("full-disk", test_full_disk);
    return g_test_run();
}
