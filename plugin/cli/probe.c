/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero probe: what this host can do, for people and for programs. */
#include <json-glib/json-glib.h>
#include <stdio.h>

#include "cli/command.h"
#include "core/choice.h"
#include "core/error.h"
#include "core/kvm-probe.h"
#include "core/qemu-probe.h"

typedef struct {
    BzConfiguration *configuration;
    BzKvmProbe *kvm;
    char *path;        /* of the emulator; NULL when there is none */
    BzQemuProbe *qemu; /* NULL: qemu_error tells why */
    GError *qemu_error;
    BzChoice *choice; /* NULL: choice_error tells why */
    GError *choice_error;
} Findings;

/* Chooses as for a domain of this host that has the element and what has to be beside it. */
static BzChoice *choose(const Findings *findings, GError **error)
{
    const BzDomain domain = {
        .features = {.boot_zeroed_memory = BZ_STATE_ON},
        .has_elements = TRUE,
        .type = (char *)"kvm",
        .emulator = findings->path,
        .hyperv_mode = BZ_HYPERV_CUSTOM,
        .enlightenments_on = 1,
    };

    return bz_choose(&domain, findings->configuration, BZ_PROVIDER_NONE, error);
}

static void look(Findings *findings)
{
    findings->kvm = bz_kvm_probe("/dev/kvm");
    if (!findings->path)
        findings->path = bz_qemu_default_path(NULL);
    if (findings->path)
        findings->qemu = bz_qemu_probe(findings->path, findings->configuration, &findings->qemu_error);
    else
        g_set_error_literal(&findings->qemu_error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "no emulator was found: install QEMU");
    findings->choice = choose(findings, &findings->choice_error);
}

static void clear(Findings *findings)
{
    bz_configuration_free(findings->configuration);
    bz_kvm_probe_free(findings->kvm);
    g_free(findings->path);
    bz_qemu_probe_free(findings->qemu);
    g_clear_error(&findings->qemu_error);
    bz_choice_free(findings->choice);
    g_clear_error(&findings->choice_error);
}

static const char *yes_no(gboolean value)
{
    return value ? "yes" : "no";
}

static void row(const char *label, const char *value)
{
    printf("%-32s %s\n", label, value);
}

static void property_row(const BzQemuProbe *qemu, const char *property)
{
    g_autofree char *label = g_strconcat("  ", property, NULL);

    printf("%-32s %s\n", label, yes_no(bz_qemu_probe_has(qemu, property)));
}

static void print_table(const Findings *findings)
{
    row("KVM", yes_no(findings->kvm->available));
    row("  Hyper-V emulation", yes_no(findings->kvm->hyperv));
    row("  extended hypercalls", yes_no(findings->kvm->extended_hypercalls));
    if (findings->kvm->reason)
        row("  reason", findings->kvm->reason);
    row("emulator", findings->path ? findings->path : "none");
    if (findings->qemu) {
        row("  version", findings->qemu->version);
        row("  guests", findings->qemu->target);
        property_row(findings->qemu, findings->configuration->ext_query_caps_property);
        property_row(findings->qemu, findings->configuration->boot_zeroed_mem_property);
    } else {
        row("  reason", findings->qemu_error->message);
    }
    row("provider library", findings->configuration->provider_library);
    row("  there", yes_no(g_file_test(findings->configuration->provider_library, G_FILE_TEST_IS_REGULAR)));
    row("configured provider", bz_provider_to_string(findings->configuration->provider));
    row("provider of a new domain", bz_provider_to_string(findings->choice ? findings->choice->provider : BZ_PROVIDER_NONE));
}

static void json_string(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void json_boolean(JsonBuilder *builder, const char *name, gboolean value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

static void json_kvm(JsonBuilder *builder, const BzKvmProbe *kvm)
{
    json_builder_set_member_name(builder, "kvm");
    json_builder_begin_object(builder);
    json_boolean(builder, "available", kvm->available);
    json_boolean(builder, "hyperv", kvm->hyperv);
    json_boolean(builder, "extended-hypercalls", kvm->extended_hypercalls);
    if (kvm->reason)
        json_string(builder, "reason", kvm->reason);
    json_builder_end_object(builder);
}

static void json_emulator(JsonBuilder *builder, const Findings *findings)
{
    const BzQemuProbe *qemu = findings->qemu;

    json_builder_set_member_name(builder, "emulator");
    json_builder_begin_object(builder);
    if (findings->path)
        json_string(builder, "path", findings->path);
    if (qemu) {
        json_string(builder, "version", qemu->version);
        json_string(builder, "target", qemu->target);
        json_builder_set_member_name(builder, "hyperv-properties");
        json_builder_begin_array(builder);
        for (char **property = qemu->properties; *property; property++) {
            if (g_str_has_prefix(*property, "hv-"))
                json_builder_add_string_value(builder, *property);
        }
        json_builder_end_array(builder);
        json_boolean(builder, "ext-query-caps", bz_qemu_probe_has(qemu, findings->configuration->ext_query_caps_property));
        json_boolean(builder, "boot-zeroed-mem", bz_qemu_probe_has(qemu, findings->configuration->boot_zeroed_mem_property));
    } else {
        json_string(builder, "reason", findings->qemu_error->message);
    }
    json_builder_end_object(builder);
}

static void print_json(const Findings *findings)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    json_string(builder, "version", BZ_VERSION);
    json_kvm(builder, findings->kvm);
    json_emulator(builder, findings);
    json_string(builder, "provider-library", findings->configuration->provider_library);
    json_string(builder, "configured-provider", bz_provider_to_string(findings->configuration->provider));
    json_string(builder, "provider",
                bz_provider_to_string(findings->choice ? findings->choice->provider : BZ_PROVIDER_NONE));
    if (findings->choice_error)
        json_string(builder, "reason", findings->choice_error->message);
    json_builder_end_object(builder);

    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    puts(text);
}

int bz_command_probe(const BzCli *cli, int argc, char **argv)
{
    Findings findings = {0};
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"emulator", 0, 0, G_OPTION_ARG_FILENAME, &findings.path, "Emulator to ask; default: libvirt's for this host", "PATH"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
        {0},
    };
    g_autoptr(GError) error = NULL;
    int status = BZ_EXIT_OK;

    if (!bz_cli_parse(&argc, &argv, NULL, "Tells what KVM and the emulator of this host can do for boot_zeroed_memory, and which "
                                          "provider a new domain gets.\nExit status: 0 when it gets one, 1 when not.", entries, 0)) {
        clear(&findings);
        return BZ_EXIT_USAGE;
    }
    findings.configuration = bz_configuration_load(NULL, &error);
    if (!findings.configuration) {
        clear(&findings);
        return bz_cli_refuse(error);
    }

    look(&findings);
    if (json)
        print_json(&findings);
    else
        print_table(&findings);
    if (!findings.choice)
        status = bz_cli_refuse(findings.choice_error);
    clear(&findings);
    return status;
}
