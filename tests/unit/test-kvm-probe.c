/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/kvm-probe.h"
#include "scratch.h"

static const struct {
    const char *role; /* of fake-kvm.c */
    gboolean available, hyperv, extended_hypercalls;
    const char *reason;
} cases[] = {
    {"missing", FALSE, FALSE, FALSE, "/dev/kvm: No such file or directory: load the kernel's KVM module"},
    {"denied", FALSE, FALSE, FALSE, "/dev/kvm: Permission denied: run as root, or as a member of the group"},
    {"other", FALSE, FALSE, FALSE, "/dev/kvm is not a KVM device: load the kernel's KVM module"},
    {"plain", TRUE, FALSE, FALSE, "KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"},
    {"old", TRUE, TRUE, FALSE, " does not forward extended hypercalls: Linux 6.3 or newer is needed"},
    {"closed", TRUE, TRUE, FALSE, " does not forward extended hypercalls: Linux 6.3 or newer is needed"},
    {"full", TRUE, TRUE, TRUE, NULL},
};

static void test_answers(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_setenv("BZ_FAKE_KVM", cases[i].role, TRUE);
        g_autoptr(BzKvmProbe) probe = bz_kvm_probe("/dev/kvm");
        g_unsetenv("BZ_FAKE_KVM");

        g_test_message("%s: %s", cases[i].role, probe->reason ? probe->reason : "-");
        g_assert_cmpint(probe->available, ==, cases[i].available);
        g_assert_cmpint(probe->hyperv, ==, cases[i].hyperv);
        g_assert_cmpint(probe->extended_hypercalls, ==, cases[i].extended_hypercalls);
        if (cases[i].reason)
            g_assert_nonnull(strstr(probe->reason, cases[i].reason));
        else
            g_assert_null(probe->reason);
    }
}

/* Without the fake: whatever this host is, the answer must be consistent. */
static void test_real(void)
{
    g_autoptr(BzKvmProbe) probe = bz_kvm_probe("/dev/kvm");

    g_test_message("this host: available %d, hyperv %d, extended hypercalls %d, %s", probe->available, probe->hyperv,
                   probe->extended_hypercalls, probe->reason ? probe->reason : "-");
    g_assert_true(probe->extended_hypercalls == (probe->reason == NULL));
    g_assert_true(probe->available || !probe->hyperv);
    g_assert_true(probe->hyperv || !probe->extended_hypercalls);
}

static void test_not_kvm(void)
{
    g_autoptr(BzKvmProbe) probe = bz_kvm_probe("/dev/null");

    g_assert_false(probe->available);
    g_assert_nonnull(strstr(probe->reason, "/dev/null is not a KVM device"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kvm-probe/answers", test_answers);
    g_test_add_func("/kvm-probe/real", test_real);
    g_test_add_func("/kvm-probe/not-kvm", test_not_kvm);
    return g_test_run();
}
