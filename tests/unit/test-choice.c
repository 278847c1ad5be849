/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "core/choice.h"
#include "core/error.h"
#include "core/probe-cache.h"
#include "core/qemu-probe.h"
#include "fake-emulator.h"
#include "scratch.h"

typedef struct {
    Scratch scratch;
    BzConfiguration *configuration;
    char *library;
    BzDomain domain; /* its strings belong to the fixture or are literals */
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    scratch_set_up(&fixture->scratch, NULL);
    fixture->configuration = bz_configuration_load("/nonexistent", &error);
    g_assert_no_error(error);
    g_free(fixture->configuration->cache_directory);
    fixture->configuration->cache_directory = g_build_filename(fixture->scratch.path, "cache", NULL);
    fixture->library = scratch_file(&fixture->scratch, "provider.so", "", 0644);
    g_free(fixture->configuration->provider_library);
    fixture->configuration->provider_library = g_strdup(fixture->library);
    fixture->domain.name = (char *)"win11";
    fixture->domain.type = (char *)"kvm";
    fixture->domain.arch = (char *)"x86_64";
    fixture->domain.hyperv_mode = BZ_HYPERV_CUSTOM;
    fixture->domain.enlightenments_on = 1;
    fixture->domain.features.boot_zeroed_memory = BZ_STATE_ON;
    fixture->domain.emulator = scratch_file(&fixture->scratch, "emulator", FAKE_STOCK, 0755);
    g_setenv("BZ_FAKE_KVM", "full", TRUE);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_unsetenv("BZ_FAKE_KVM");
    bz_configuration_free(fixture->configuration);
    g_free(fixture->library);
    g_free(fixture->domain.emulator);
    scratch_tear_down(&fixture->scratch, NULL);
}

static void use_emulator(Fixture *fixture, const char *script)
{
    g_free(fixture->domain.emulator);
    fixture->domain.emulator = scratch_file(&fixture->scratch, "emulator", script, 0755);
    bz_probe_cache_forget();
}

static void set_properties(Fixture *fixture, const char *ext_query_caps, const char *boot_zeroed_mem)
{
    g_free(fixture->configuration->ext_query_caps_property);
    g_free(fixture->configuration->boot_zeroed_mem_property);
    fixture->configuration->ext_query_caps_property = g_strdup(ext_query_caps);
    fixture->configuration->boot_zeroed_mem_property = g_strdup(boot_zeroed_mem);
}

static BzChoice *choose(Fixture *fixture, BzProvider wish)
{
    g_autoptr(GError) error = NULL;
    BzChoice *choice = bz_choose(&fixture->domain, fixture->configuration, wish, &error);

    g_assert_no_error(error);
    return choice;
}

static void check_refused(Fixture *fixture, BzProvider wish, const char *reason)
{
    g_autofree char *message = g_strconcat("'boot_zeroed_memory' hyperv feature is not available: ", reason, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(bz_choose(&fixture->domain, fixture->configuration, wish, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, message);
}

static void check_does_not_hold(Fixture *fixture, const char *reason)
{
    g_autofree char *message = g_strconcat("'boot_zeroed_memory' hyperv feature is not available: ", reason, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(bz_choice_still_holds(&fixture->domain, fixture->configuration, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, message);
}

/* How the text of the refusal ends; NULL: without the command. */
static void check_names_refresh(Fixture *fixture, const char *end)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(bz_choice_still_holds(&fixture->domain, fixture->configuration, &error));
    if (end)
        g_assert_true(g_str_has_suffix(error->message, end));
    else
        g_assert_null(strstr(error->message, "refresh"));
}

static void check_holds(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(bz_choice_still_holds(&fixture->domain, fixture->configuration, &error));
    g_assert_no_error(error);
}

static void test_auto_preload(Fixture *fixture, gconstpointer data)
{
    g_autoptr(BzChoice) choice = choose(fixture, BZ_PROVIDER_NONE);

    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_PRELOAD);
    g_assert_cmpstr(choice->library, ==, fixture->library);
    g_assert_null(choice->boot_zeroed_mem_property);
}

static void test_auto_qemu(Fixture *fixture, gconstpointer data)
{
    use_emulator(fixture, FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH));
    g_autoptr(BzChoice) choice = choose(fixture, BZ_PROVIDER_NONE);

    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_QEMU);
    g_assert_cmpstr(choice->cpu_type, ==, "x86_64-cpu");
    g_assert_cmpstr(choice->ext_query_caps_property, ==, "hv-ext-query-caps");
    g_assert_cmpstr(choice->boot_zeroed_mem_property, ==, "hv-boot-zeroed-mem");
    g_assert_null(choice->library);

    /* The emulator's own way needs neither the library nor another enlightenment. */
    fixture->domain.enlightenments_on = 0;
    g_autoptr(BzChoice) again = choose(fixture, BZ_PROVIDER_AUTO);
    g_assert_cmpint(again->provider, ==, BZ_PROVIDER_QEMU);

    fixture->domain.enlightenments_on = 1;
    g_autoptr(BzChoice) preload = choose(fixture, BZ_PROVIDER_PRELOAD);
    g_assert_cmpint(preload->provider, ==, BZ_PROVIDER_PRELOAD);
}

static void test_first_proposal(Fixture *fixture, gconstpointer data)
{
    use_emulator(fixture, FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_FIRST));
    g_autoptr(BzChoice) choice = choose(fixture, BZ_PROVIDER_AUTO);

    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_QEMU);
    g_assert_null(choice->ext_query_caps_property);
    g_assert_cmpstr(choice->boot_zeroed_mem_property, ==, "hv-boot-zeroed-mem");

    fixture->domain.features.boot_zeroed_memory = BZ_STATE_ABSENT;
    fixture->domain.features.ext_query_caps = BZ_STATE_ON;
    g_autoptr(BzChoice) alone = choose(fixture, BZ_PROVIDER_AUTO);
    g_assert_cmpint(alone->provider, ==, BZ_PROVIDER_PRELOAD);
    g_autoptr(GError) error = NULL;
    g_assert_null(bz_choose(&fixture->domain, fixture->configuration, BZ_PROVIDER_QEMU, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
                   "'ext_query_caps' hyperv feature is not available: emulator '");
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "has no CPU property 'hv-ext-query-caps'");
}

/* The names of the day a real QEMU has other ones; today they stand for the feature on a stock one. */
static void test_other_names(Fixture *fixture, gconstpointer data)
{
    set_properties(fixture, "hv-relaxed", "hv-vapic");
    g_autoptr(BzChoice) choice = choose(fixture, BZ_PROVIDER_AUTO);

    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_QEMU);
    g_assert_cmpstr(choice->ext_query_caps_property, ==, "hv-relaxed");
    g_assert_cmpstr(choice->boot_zeroed_mem_property, ==, "hv-vapic");
}

static void test_real_emulator(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = bz_qemu_default_path("x86_64");

    if (!path) {
        g_test_skip("qemu-system-x86_64 is not installed");
        return;
    }
    g_clear_pointer(&fixture->domain.emulator, g_free);
    fixture->configuration->probe_timeout = 30;
    g_autoptr(BzChoice) stock = choose(fixture, BZ_PROVIDER_AUTO);
    g_assert_cmpint(stock->provider, ==, BZ_PROVIDER_PRELOAD);

    set_properties(fixture, "hv-relaxed", "hv-vapic");
    g_autoptr(BzChoice) choice = choose(fixture, BZ_PROVIDER_AUTO);
    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_QEMU);
    g_assert_cmpstr(choice->cpu_type, ==, "x86_64-cpu");
}

static void test_kvm(Fixture *fixture, gconstpointer data)
{
    g_setenv("BZ_FAKE_KVM", "plain", TRUE);
    check_refused(fixture, BZ_PROVIDER_AUTO,
                  "KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV");
    check_refused(fixture, BZ_PROVIDER_QEMU, "KVM on this host has no Hyper-V emulation: ");
    g_setenv("BZ_FAKE_KVM", "closed", TRUE);
    check_refused(fixture, BZ_PROVIDER_PRELOAD, "KVM of kernel ");
    g_setenv("BZ_FAKE_KVM", "missing", TRUE);
    check_refused(fixture, BZ_PROVIDER_AUTO, "/dev/kvm: No such file or directory: ");
}

static void test_qemu_wish(Fixture *fixture, gconstpointer data)
{
    g_autofree char *reason = g_strdup_printf("emulator '%s' (QEMU 9.1.3) has no CPU property 'hv-boot-zeroed-mem', which "
                                              "provider 'qemu' needs: use provider 'preload' or a QEMU that has it",
                                              fixture->domain.emulator);

    check_refused(fixture, BZ_PROVIDER_QEMU, reason);
    fixture->configuration->provider = BZ_PROVIDER_QEMU;
    check_refused(fixture, BZ_PROVIDER_NONE, reason);
    g_autoptr(BzChoice) choice = choose(fixture, BZ_PROVIDER_AUTO);
    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_PRELOAD);
}

static void test_preload(Fixture *fixture, gconstpointer data)
{
    g_autofree char *missing = g_strdup_printf("provider library '%s': No such file or directory: install bootzero's provider, "
                                               "or correct provider-library in bootzero.conf", fixture->library);
    g_autofree char *folder = g_strdup_printf("provider library '%s' is not a file: correct provider-library in bootzero.conf",
                                              fixture->scratch.path);

    fixture->domain.enlightenments_on = 0;
    check_refused(fixture, BZ_PROVIDER_AUTO, "provider 'preload' needs another enlightenment, for QEMU to offer Hyper-V at all: "
                                             "add one to <hyperv>, for example <relaxed state='on'/>");
    fixture->domain.hyperv_mode = BZ_HYPERV_HOST_MODEL;
    g_autoptr(BzChoice) host_model = choose(fixture, BZ_PROVIDER_AUTO);
    g_assert_cmpint(host_model->provider, ==, BZ_PROVIDER_PRELOAD);

    fixture->domain.enlightenments_on = 1;
    fixture->domain.hyperv_mode = BZ_HYPERV_CUSTOM;
    if (geteuid() == 0) {
        g_assert_cmpint(g_chmod(fixture->library, 0640), ==, 0);
        g_autofree char *unreadable = g_strdup_printf("provider library '%s' cannot be read by all (mode 0640): chmod a+r it",
                                                      fixture->library);
        check_refused(fixture, BZ_PROVIDER_AUTO, unreadable);
    }
    g_assert_cmpint(g_unlink(fixture->library), ==, 0);
    check_refused(fixture, BZ_PROVIDER_AUTO, missing);
    g_free(fixture->configuration->provider_library);
    fixture->configuration->provider_library = g_strdup(fixture->scratch.path);
    check_refused(fixture, BZ_PROVIDER_PRELOAD, folder);

    use_emulator(fixture, FAKE_EMULATOR("", VERSION_6_2, "x86_64", PROPERTIES_STOCK));
    g_autofree char *old = g_strdup_printf("emulator '%s' is QEMU 6.2.0, and provider 'preload' needs 7.2 or newer: use a newer "
                                           "QEMU", fixture->domain.emulator);
    check_refused(fixture, BZ_PROVIDER_PRELOAD, old);
}

static void test_emulator(Fixture *fixture, gconstpointer data)
{
    use_emulator(fixture, FAKE_EMULATOR("", VERSION_9_1, "aarch64", "[]"));
    g_autofree char *other = g_strdup_printf("emulator '%s' runs aarch64 guests: it is a feature of x86 guests",
                                             fixture->domain.emulator);
    check_refused(fixture, BZ_PROVIDER_AUTO, other);

    use_emulator(fixture, "#!/bin/sh\nexit 3\n");
    g_autofree char *crash = g_strdup_printf("emulator '%s' ended with exit status 3 when probed", fixture->domain.emulator);
    check_refused(fixture, BZ_PROVIDER_AUTO, crash);

    g_clear_pointer(&fixture->domain.emulator, g_free);
    fixture->domain.arch = (char *)"pdp11";
    check_refused(fixture, BZ_PROVIDER_AUTO, "no emulator for architecture 'pdp11' was found: install QEMU or name it in "
                                             "<emulator>");
}

static void test_stored_preload(Fixture *fixture, gconstpointer data)
{
    g_autofree char *missing = g_strdup_printf("provider library '%s': No such file or directory: ", fixture->library);

    fixture->domain.has_preload_env = TRUE;
    fixture->domain.preload_library = fixture->library;
    /* Neither the provider nor the library of today's configuration matters. */
    fixture->configuration->provider = BZ_PROVIDER_QEMU;
    g_free(fixture->configuration->provider_library);
    fixture->configuration->provider_library = g_strdup("/nonexistent");
    check_holds(fixture);

    g_assert_cmpint(g_unlink(fixture->library), ==, 0);
    check_does_not_hold(fixture, missing);
    check_names_refresh(fixture, NULL); /* it would mend nothing */
    use_emulator(fixture, FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH));
    fixture->domain.name = (char *)"it's $HOME";
    check_names_refresh(fixture, "; or take provider 'qemu', which this host has: virt-bootzero refresh 'it'\\''s $HOME'");
    use_emulator(fixture, FAKE_STOCK);
    fixture->domain.enlightenments_on = 0;
    check_does_not_hold(fixture, "provider 'preload' needs another enlightenment");
    g_setenv("BZ_FAKE_KVM", "plain", TRUE);
    check_does_not_hold(fixture, "KVM on this host has no Hyper-V emulation");
}

static void test_stored_qemu(Fixture *fixture, gconstpointer data)
{
    fixture->domain.has_qemu_args = TRUE;
    check_does_not_hold(fixture, "emulator '");
    check_names_refresh(fixture, "; or take provider 'preload', which this host has: virt-bootzero refresh 'win11'");
    use_emulator(fixture, FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH));
    check_holds(fixture);
    g_setenv("BZ_FAKE_KVM", "closed", TRUE);
    check_does_not_hold(fixture, "KVM of kernel ");
}

static void test_shared_memory(Fixture *fixture, gconstpointer data)
{
    static const char refusal[] = "provider 'qemu' does not see what other processes write to the guest's memory (virtiofs): use "
                                  "provider 'preload', or memory that is not shared";
    g_autoptr(GError) error = NULL;

    use_emulator(fixture, FAKE_EMULATOR("", VERSION_9_1, "x86_64", PROPERTIES_BOTH));
    fixture->domain.shared_by = "virtiofs";
    check_refused(fixture, BZ_PROVIDER_QEMU, refusal);
    g_autoptr(BzChoice) choice = bz_choose(&fixture->domain, fixture->configuration, BZ_PROVIDER_AUTO, &error);
    g_assert_no_error(error);
    g_assert_cmpint(choice->provider, ==, BZ_PROVIDER_PRELOAD);
    g_assert_null(bz_choose_for_another_host(&fixture->domain, fixture->configuration, BZ_PROVIDER_QEMU, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, refusal);
    fixture->domain.has_qemu_args = TRUE;
    check_does_not_hold(fixture, refusal);

    fixture->domain.features = (BzFeatures){.ext_query_caps = BZ_STATE_ON};
    check_holds(fixture);
}

static void test_stored_nothing(Fixture *fixture, gconstpointer data)
{
    check_does_not_hold(fixture, "the domain was defined when this host could not provide it, and now it can: virt-bootzero "
                                 "refresh 'win11'");
    g_setenv("BZ_FAKE_KVM", "plain", TRUE);
    check_does_not_hold(fixture, "KVM on this host has no Hyper-V emulation");
}

#define ADD(name, function) g_test_add("/choice/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("auto-preload", test_auto_preload);
    ADD("shared-memory", test_shared_memory);
    ADD("auto-qemu", test_auto_qemu);
    ADD("first-proposal", test_first_proposal);
    ADD("other-names", test_other_names);
    ADD("real-emulator", test_real_emulator);
    ADD("kvm", test_kvm);
    ADD("qemu-wish", test_qemu_wish);
    ADD("preload", test_preload);
    ADD("emulator", test_emulator);
    ADD("stored-preload", test_stored_preload);
    ADD("stored-qemu", test_stored_qemu);
    ADD("stored-nothing", test_stored_nothing);
    return g_test_run();
}
