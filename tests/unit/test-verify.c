/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/error.h"
#include "core/verify.h"

#define YES "{\"return\": true, \"id\": \"libvirt-9\"}"
#define NO "{\"return\": false}"
#define NONE(name) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Property 'max-x86_64-cpu." name "' not found\"}}"
#define IS_OFF(name) "QEMU has the CPU property '" name "', but it is off: remove from <qemu:commandline> what turns it off"
#define HAS_NONE(name) "QEMU has no CPU property '" name "': use provider 'preload' or a QEMU that has it"
#define SILENT(name) "QEMU does not tell of its CPU property '" name "'"

#define MEMORY "hv-boot-zeroed-mem"
#define QUERY "hv-ext-query-caps"

typedef struct {
    const char *name;
    BzFeatures features;
    const char *kvm;    /* fake-kvm.c */
    const char *memory; /* QEMU's answer for the one property; NULL: it cannot be asked */
    const char *query;
    BzVerdict verdict;
    const char *reason; /* how it begins */
    int asked;
} Case;

#define ON {BZ_STATE_ON, BZ_STATE_ABSENT}
#define QUERY_ON {BZ_STATE_ABSENT, BZ_STATE_ON}
#define NO_HYPERV "KVM on this host has no Hyper-V emulation"

static const Case cases[] = {
    {"has", ON, "full", YES, YES, BZ_VERDICT_HAS, NULL, 2},
    {"implied", ON, "full", YES, NONE(QUERY), BZ_VERDICT_HAS, NULL, 2},
    {"query-only", QUERY_ON, "full", NO, YES, BZ_VERDICT_HAS, NULL, 1},
    {"off", ON, "full", NO, YES, BZ_VERDICT_OFF, IS_OFF(MEMORY), 1},
    {"query-off", ON, "full", YES, NO, BZ_VERDICT_OFF, IS_OFF(QUERY), 2},
    {"query-only-off", QUERY_ON, "full", YES, NO, BZ_VERDICT_OFF, IS_OFF(QUERY), 1},
    {"lacks", ON, "full", NONE(MEMORY), YES, BZ_VERDICT_LACKS, HAS_NONE(MEMORY), 1},
    {"query-only-lacks", QUERY_ON, "full", YES, NONE(QUERY), BZ_VERDICT_LACKS, HAS_NONE(QUERY), 1},

    {"kvm-plain", ON, "plain", YES, YES, BZ_VERDICT_OFF, NO_HYPERV, 2},
    {"kvm-closed", ON, "closed", YES, YES, BZ_VERDICT_OFF, "KVM of kernel ", 2},
    {"kvm-denied", ON, "denied", YES, YES, BZ_VERDICT_UNKNOWN, "/dev/kvm: Permission denied: run as root", 2},
    {"off-first", ON, "plain", NO, YES, BZ_VERDICT_OFF, IS_OFF(MEMORY), 1},

    {"cannot-ask", ON, "full", NULL, YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY) ": the monitor is gone", 1},
    {"cannot-ask-again", ON, "full", YES, NULL, BZ_VERDICT_UNKNOWN, SILENT(QUERY) ": the monitor is gone", 2},
    {"garbage", ON, "full", "<xml/>", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY) ": garbage: '<xml/>'", 1},
    {"empty", ON, "full", "", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY) ": its answer is cut off", 1},
    {"cut", ON, "full", "{\"return\": tr", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY) ": its answer is cut off", 1},
    {"other-type", ON, "full", "{\"return\": \"true\"}", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY), 1},
    {"number", ON, "full", "{\"return\": 1}", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY), 1},
    {"no-return", ON, "full", "{}", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY), 1},
    {"other-error", ON, "full", "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}}", YES,
     BZ_VERDICT_UNKNOWN, SILENT(MEMORY), 1},
    {"wrong-error", ON, "full", "{\"error\": [\"Property '\", \"' not found\"]}", YES, BZ_VERDICT_UNKNOWN, SILENT(MEMORY), 1},
};

typedef struct {
    const Case *test;
    int asked;
} Monitor;

static char *ask(const char *command, gpointer data, GError **error)
{
    static const char format[] = "{\"execute\": \"qom-get\", \"arguments\": {\"path\": \"/machine/unattached/device[0]\", "
                                 "\"property\": \"%s\"}}";
    Monitor *monitor = data;
    g_autofree char *memory = g_strdup_printf(format, MEMORY);
    g_autofree char *query = g_strdup_printf(format, QUERY);
    gboolean is_memory = strcmp(command, memory) == 0;
    const char *answer = is_memory ? monitor->test->memory : monitor->test->query;

    g_assert_true(is_memory || strcmp(command, query) == 0);
    monitor->asked++;
    if (!answer)
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_FAILED, "the monitor is gone");
    return g_strdup(answer);
}

static void test_case(gconstpointer data)
{
    const Case *test = data;
    Monitor monitor = {test, 0};
    g_autoptr(BzConfiguration) configuration = bz_configuration_load("/nonexistent", NULL);
    g_autofree char *reason = NULL;

    g_setenv("BZ_FAKE_KVM", test->kvm, TRUE);
    g_assert_cmpint(bz_verify_qemu(&test->features, configuration, ask, &monitor, &reason), ==, test->verdict);
    g_assert_cmpint(monitor.asked, ==, test->asked);
    if (!test->reason)
        g_assert_null(reason);
    else if (!reason || !g_str_has_prefix(reason, test->reason))
        g_assert_cmpstr(reason, ==, test->reason);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/verify/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    return g_test_run();
}
