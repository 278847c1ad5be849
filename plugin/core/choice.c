/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/choice.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/kvm-probe.h"
#include "core/qemu-probe.h"
#include "core/text.h"

#define KVM_DEVICE "/dev/kvm"

/* The oldest QEMU whose dealings with KVM bootzero-qemu.so knows. */
#define PRELOAD_QEMU_MAJOR 7
#define PRELOAD_QEMU_MINOR 2

/* What cannot be had: the feature the user wrote. */
static const char *feature_of(const BzDomain *domain)
{
    return domain->features.boot_zeroed_memory == BZ_STATE_ON ? BZ_ELEMENT_BOOT_ZEROED_MEMORY : BZ_ELEMENT_EXT_QUERY_CAPS;
}

/* Always FALSE: the refusal for the domain's feature, with reason, a clause. Takes reason. */
static gboolean refuse(const BzDomain *domain, char *reason, GError **error)
{
    g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "'%s' hyperv feature is not available: %s", feature_of(domain), reason);
    g_free(reason);
    return FALSE;
}

static gboolean kvm_can(const BzDomain *domain, GError **error)
{
    g_autoptr(BzKvmProbe) kvm = bz_kvm_probe(KVM_DEVICE);

    return kvm->extended_hypercalls || refuse(domain, g_strdup(kvm->reason), error);
}

static BzQemuProbe *probe_emulator(const BzDomain *domain, const BzConfiguration *configuration, GError **error)
{
    g_autofree char *path = domain->emulator ? g_strdup(domain->emulator) : bz_qemu_default_path(domain->arch);
    g_autoptr(GError) cause = NULL;

    if (!path) {
        refuse(domain, g_strdup_printf("no emulator for architecture '%s' was found: install QEMU or name it in <emulator>",
                                       domain->arch ? domain->arch : "of the host"), error);
        return NULL;
    }
    g_autoptr(BzQemuProbe) probe = bz_qemu_probe(path, configuration, &cause);
    if (!probe) {
        refuse(domain, g_strdup(cause->message), error);
        return NULL;
    }
    if (!probe->cpu_type) {
        refuse(domain, g_strdup_printf("emulator '%s' runs %s guests: it is a feature of x86 guests", probe->path,
                                       probe->target), error);
        return NULL;
    }
    return g_steal_pointer(&probe);
}

/*
 * The property that decides. QEMU's first proposal has hv-boot-zeroed-mem alone, which implies the other; where both
 * are there, both are set.
 */
static const char *needed_property(const BzDomain *domain, const BzConfiguration *configuration)
{
    return domain->features.boot_zeroed_memory == BZ_STATE_ON ? configuration->boot_zeroed_mem_property
                                                              : configuration->ext_query_caps_property;
}

/* QEMU only tracks what it and KVM do. */
static gboolean qemu_sees_all_writers(const BzDomain *domain, GError **error)
{
    return !domain->shared_by || domain->features.boot_zeroed_memory != BZ_STATE_ON ||
           refuse(domain, g_strdup_printf("provider 'qemu' does not see what other processes write to the guest's "
                                          "memory (%s): use provider 'preload', or memory that is not shared",
                                          domain->shared_by), error);
}

static gboolean qemu_can(const BzDomain *domain, const BzConfiguration *configuration, const BzQemuProbe *probe,
                         GError **error)
{
    const char *property = needed_property(domain, configuration);

    if (!qemu_sees_all_writers(domain, error))
        return FALSE;
    return bz_qemu_probe_has(probe, property) ||
           refuse(domain, g_strdup_printf("emulator '%s' (QEMU %s) has no CPU property '%s', which provider 'qemu' needs: "
                                          "use provider 'preload' or a QEMU that has it", probe->path, probe->version,
                                          property), error);
}

static gboolean library_can(const BzDomain *domain, const char *library, GError **error)
{
    g_autofree char *shown = bz_text_escape(library, 200);
    struct stat st;

    if (stat(library, &st) < 0 || access(library, R_OK) < 0)
        return refuse(domain, g_strdup_printf("provider library '%s': %s: install bootzero's provider, or correct "
                                              "provider-library in bootzero.conf", shown, g_strerror(errno)), error);
    if (!S_ISREG(st.st_mode))
        return refuse(domain, g_strdup_printf("provider library '%s' is not a file: correct provider-library in "
                                              "bootzero.conf", shown), error);
    /* libvirtd hands it to a QEMU of another user, and ld.so would go on without a file it cannot read. */
    if (geteuid() == 0 && !(st.st_mode & S_IROTH))
        return refuse(domain, g_strdup_printf("provider library '%s' cannot be read by all (mode %04o): chmod a+r it", shown,
                                              (unsigned)st.st_mode & 07777), error);
    return TRUE;
}

/* An enlightenment that is on, or a mode by which libvirt chooses some itself. */
static gboolean has_other_enlightenment(const BzDomain *domain, GError **error)
{
    if (domain->enlightenments_on > 0 || domain->hyperv_mode == BZ_HYPERV_HOST_MODEL ||
        domain->hyperv_mode == BZ_HYPERV_OTHER)
        return TRUE;
    return refuse(domain, g_strdup("provider 'preload' needs another enlightenment, for QEMU to offer Hyper-V at all: add one "
                                   "to <hyperv>, for example <relaxed state='on'/>"), error);
}

static gboolean preload_can(const BzDomain *domain, const char *library, const BzQemuProbe *probe, GError **error)
{
    if (!has_other_enlightenment(domain, error))
        return FALSE;
    if (!bz_qemu_probe_is_at_least(probe, PRELOAD_QEMU_MAJOR, PRELOAD_QEMU_MINOR))
        return refuse(domain, g_strdup_printf("emulator '%s' is QEMU %s, and provider 'preload' needs %d.%d or newer: use a "
                                              "newer QEMU", probe->path, probe->version, PRELOAD_QEMU_MAJOR,
                                              PRELOAD_QEMU_MINOR), error);
    return library_can(domain, library, error);
}

/* With every name the configuration has for the provider. */
static BzChoice *choice_new(const BzConfiguration *configuration, BzProvider provider, const char *cpu_type)
{
    BzChoice *choice = g_new0(BzChoice, 1);

    choice->provider = provider;
    if (provider == BZ_PROVIDER_PRELOAD) {
        choice->library = g_strdup(configuration->provider_library);
        return choice;
    }
    choice->cpu_type = g_strdup(cpu_type);
    choice->ext_query_caps_property = g_strdup(configuration->ext_query_caps_property);
    choice->boot_zeroed_mem_property = g_strdup(configuration->boot_zeroed_mem_property);
    return choice;
}

BzChoice *bz_choose(const BzDomain *domain, const BzConfiguration *configuration, BzProvider wish, GError **error)
{
    if (wish == BZ_PROVIDER_NONE)
        wish = configuration->provider;
    if (!kvm_can(domain, error))
        return NULL;

    g_autoptr(BzQemuProbe) probe = probe_emulator(domain, configuration, error);
    if (!probe)
        return NULL;
    if (wish == BZ_PROVIDER_AUTO)
        wish = qemu_can(domain, configuration, probe, NULL) ? BZ_PROVIDER_QEMU : BZ_PROVIDER_PRELOAD;
    if (!(wish == BZ_PROVIDER_QEMU ? qemu_can(domain, configuration, probe, error)
                                   : preload_can(domain, configuration->provider_library, probe, error)))
        return NULL;

    BzChoice *choice = choice_new(configuration, wish, probe->cpu_type);
    if (wish == BZ_PROVIDER_QEMU && !bz_qemu_probe_has(probe, configuration->ext_query_caps_property))
        g_clear_pointer(&choice->ext_query_caps_property, g_free);
    if (wish == BZ_PROVIDER_QEMU && !bz_qemu_probe_has(probe, configuration->boot_zeroed_mem_property))
        g_clear_pointer(&choice->boot_zeroed_mem_property, g_free);
    return choice;
}

/* libvirt's own emulator for an i686 guest is qemu-system-i386. */
static const char *unprobed_cpu_type(const BzDomain *domain)
{
    gboolean is_i386 = domain->emulator ? g_str_has_suffix(domain->emulator, "/qemu-system-i386")
                                        : g_strcmp0(domain->arch, "i686") == 0;

    return is_i386 ? "i386-cpu" : "x86_64-cpu";
}

BzChoice *bz_choose_for_another_host(const BzDomain *domain, const BzConfiguration *configuration, BzProvider provider,
                                     GError **error)
{
    if (!(provider == BZ_PROVIDER_PRELOAD ? has_other_enlightenment(domain, error)
                                          : qemu_sees_all_writers(domain, error)))
        return NULL;
    return choice_new(configuration, provider, unprobed_cpu_type(domain));
}

static gboolean has_arguments(const BzDomain *domain)
{
    return domain->has_qemu_args || domain->has_preload_env;
}

BzChoice *bz_choice_of(const BzDomain *former, const BzConfiguration *configuration, GError **error)
{
    BzProvider provider = former->has_qemu_args ? BZ_PROVIDER_QEMU : BZ_PROVIDER_PRELOAD;
    BzChoice *choice = bz_choose(former, configuration, provider, NULL);

    if (!choice)
        choice = bz_choose_for_another_host(former, configuration, provider, error);
    if (choice && provider == BZ_PROVIDER_PRELOAD) {
        g_free(choice->library);
        choice->library = g_strdup(former->preload_library);
    }
    return choice;
}

/* The command that mends what was chosen when the domain was defined. */
static char *refresh_command(const BzDomain *domain)
{
    g_autofree char *name = domain->name ? g_shell_quote(domain->name) : g_strdup("DOMAIN");

    return g_strconcat("virt-bootzero refresh ", name, NULL);
}

static gboolean stored_choice_can(const BzDomain *domain, const BzConfiguration *configuration, GError **error)
{
    if (!kvm_can(domain, error))
        return FALSE;
    g_autoptr(BzQemuProbe) probe = probe_emulator(domain, configuration, error);
    if (!probe)
        return FALSE;
    if (domain->has_qemu_args)
        return qemu_can(domain, configuration, probe, error);
    return preload_can(domain, domain->preload_library ? domain->preload_library : configuration->provider_library, probe,
                       error);
}

gboolean bz_choice_still_holds(const BzDomain *domain, const BzConfiguration *configuration, GError **error)
{
    g_autofree char *remedy = refresh_command(domain);
    g_autoptr(GError) cause = NULL;
    g_autoptr(BzChoice) choice = NULL;

    if (!has_arguments(domain)) {
        choice = bz_choose(domain, configuration, BZ_PROVIDER_NONE, error);
        return choice && refuse(domain, g_strdup_printf("the domain was defined when this host could not provide it, and "
                                                        "now it can: %s", remedy), error);
    }
    if (stored_choice_can(domain, configuration, &cause))
        return TRUE;
    choice = bz_choose(domain, configuration, BZ_PROVIDER_NONE, NULL);
    if (choice)
        g_set_error(error, cause->domain, cause->code, "%s; or take provider '%s', which this host has: %s", cause->message,
                    bz_provider_to_string(choice->provider), remedy);
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

gboolean bz_choice_may_continue(const BzDomain *former, GError **error)
{
    return has_arguments(former) ||
           refuse(former, g_strdup("the guest was started without it, and what it was told may not change while it runs or "
                                   "is saved: start it anew"), error);
}

gboolean bz_choice_continues(const BzDomain *domain, const BzConfiguration *configuration, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(BzChoice) choice = NULL;

    if (!bz_choice_may_continue(domain, error))
        return FALSE;
    if (stored_choice_can(domain, configuration, &cause))
        return TRUE;
    choice = bz_choose(domain, configuration, BZ_PROVIDER_NONE, NULL);
    if (choice)
        g_set_error(error, cause->domain, cause->code, "%s; or take provider '%s', which this host has: give migrate --xml, restore "
                    "--xml or managedsave-define what 'virt-bootzero translate' makes here of the guest's XML", cause->message,
                    bz_provider_to_string(choice->provider));
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

void bz_choice_free(BzChoice *choice)
{
    if (!choice)
        return;
    g_free(choice->cpu_type);
    g_free(choice->ext_query_caps_property);
    g_free(choice->boot_zeroed_mem_property);
    g_free(choice->library);
    g_free(choice);
}
