/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of transitions: what it says, that it is sound, and that the documentation shows the same. */
#include <glib.h>
#include <string.h>

#include "core/tracking.h"

static void follow(struct bz_tracking *tracking, enum bz_tracking_event event, const char *reason, gboolean changes,
                   enum bz_state state, guint64 generation, const char *reason_then)
{
    g_assert_cmpint(bz_tracking_apply(tracking, event, reason), ==, changes);
    g_assert_cmpstr(bz_state_name(tracking->state), ==, bz_state_name(state));
    g_assert_cmpuint(tracking->generation, ==, generation);
    g_assert_cmpstr(tracking->reason, ==, reason_then);
}

static void preload(void)
{
    struct bz_tracking guest = {.tracker = BZ_TRACKER_PRELOAD};

    follow(&guest, BZ_TRACKING_RESET, NULL, FALSE, BZ_STATE_IS_OFF, 0, "");
    follow(&guest, BZ_TRACKING_START, NULL, TRUE, BZ_STATE_ARMED, 1, "");
    follow(&guest, BZ_TRACKING_START, NULL, FALSE, BZ_STATE_ARMED, 1, "");
    follow(&guest, BZ_TRACKING_DISCOVER, NULL, TRUE, BZ_STATE_DISCOVERED, 1, "");
    follow(&guest, BZ_TRACKING_DISCOVER, NULL, FALSE, BZ_STATE_DISCOVERED, 1, "");
    follow(&guest, BZ_TRACKING_REPORT, NULL, TRUE, BZ_STATE_REPORTED, 1, "");
    follow(&guest, BZ_TRACKING_DISCOVER, NULL, FALSE, BZ_STATE_REPORTED, 1, "");
    follow(&guest, BZ_TRACKING_REPORT, NULL, FALSE, BZ_STATE_REPORTED, 1, "");
    follow(&guest, BZ_TRACKING_DECLINE, "migrating", TRUE, BZ_STATE_DECLINED, 1, "migrating");
    follow(&guest, BZ_TRACKING_DECLINE, "migrating", FALSE, BZ_STATE_DECLINED, 1, "migrating");
    follow(&guest, BZ_TRACKING_DECLINE, "userfaultfd", TRUE, BZ_STATE_DECLINED, 1, "userfaultfd");
    follow(&guest, BZ_TRACKING_RESET, NULL, TRUE, BZ_STATE_ARMED, 2, "reset");
    follow(&guest, BZ_TRACKING_RESET, NULL, TRUE, BZ_STATE_ARMED, 3, "reset");
    follow(&guest, BZ_TRACKING_REPORT, NULL, TRUE, BZ_STATE_REPORTED, 3, "");
    follow(&guest, BZ_TRACKING_LOAD, NULL, TRUE, BZ_STATE_ARMED, 4, "other memory was loaded");
    follow(&guest, BZ_TRACKING_OBSCURE, "no endpoint", TRUE, BZ_STATE_UNKNOWN, 4, "no endpoint");
    follow(&guest, BZ_TRACKING_END, NULL, TRUE, BZ_STATE_GONE, 4, "");
    for (guint event = 0; event < BZ_N_TRACKING_EVENTS; event++)
        follow(&guest, event, "x", FALSE, BZ_STATE_GONE, 4, "");
}

static void qemu(void)
{
    struct bz_tracking guest = {.tracker = BZ_TRACKER_QEMU};
    const char *reset = "reset: QEMU has not tracked what the guest wrote";
    const char *load = "other memory was loaded: QEMU has not tracked it";

    follow(&guest, BZ_TRACKING_START, NULL, TRUE, BZ_STATE_ARMED, 1, "");
    follow(&guest, BZ_TRACKING_DISCOVER, NULL, FALSE, BZ_STATE_ARMED, 1, ""); /* nobody can have seen that */
    follow(&guest, BZ_TRACKING_RESET, NULL, TRUE, BZ_STATE_LOST, 2, reset);
    follow(&guest, BZ_TRACKING_RESET, NULL, TRUE, BZ_STATE_LOST, 3, reset);
    follow(&guest, BZ_TRACKING_START, NULL, FALSE, BZ_STATE_LOST, 3, reset);
    follow(&guest, BZ_TRACKING_LOAD, NULL, TRUE, BZ_STATE_LOST, 4, load);
    follow(&guest, BZ_TRACKING_END, NULL, TRUE, BZ_STATE_GONE, 4, "");

    /* the monitor came later: what was before is unknown; a reset makes it known, but not how many there were */
    guest = (struct bz_tracking){.tracker = BZ_TRACKER_QEMU};
    follow(&guest, BZ_TRACKING_OBSCURE, "came later", TRUE, BZ_STATE_UNKNOWN, 0, "came later");
    follow(&guest, BZ_TRACKING_RESET, NULL, TRUE, BZ_STATE_LOST, 0, reset);

    guest = (struct bz_tracking){.tracker = BZ_TRACKER_QEMU};
    follow(&guest, BZ_TRACKING_START, NULL, TRUE, BZ_STATE_ARMED, 1, "");
    follow(&guest, BZ_TRACKING_ABSENT, "QEMU has it off", TRUE, BZ_STATE_IS_OFF, 1, "QEMU has it off");
}

/* No two rows fit one case; nothing leaves gone; every state can be reached. */
static void sound(void)
{
    guint reached = 1u << BZ_STATE_IS_OFF;

    for (const struct bz_transition *a = bz_transitions; a->from; a++) {
        g_assert_false(a->from & (1u << BZ_STATE_GONE));
        reached |= 1u << a->to;
        for (const struct bz_transition *b = a + 1; b->from; b++) {
            gboolean same_tracker = a->tracker == b->tracker || !a->tracker || !b->tracker;
            g_assert_false(same_tracker && a->event == b->event && (a->from & b->from));
        }
    }
    g_assert_cmpuint(reached, ==, (1u << BZ_N_STATES) - 1);
}

static void names(void)
{
    enum bz_state state;
    enum bz_tracker tracker;

    for (guint i = 0; i < BZ_N_STATES; i++) {
        g_assert_true(bz_state_from_name(bz_state_name(i), &state));
        g_assert_cmpint(state, ==, i);
    }
    g_assert_null(bz_state_name(BZ_N_STATES));
    g_assert_false(bz_state_from_name("on", &state));
    g_assert_true(bz_tracker_from_name("qemu", &tracker));
    g_assert_cmpint(tracker, ==, BZ_TRACKER_QEMU);
    g_assert_false(bz_tracker_from_name("auto", &tracker));
    for (guint i = 0; i < BZ_N_TRACKING_EVENTS; i++)
        g_assert_nonnull(bz_tracking_event_name(i));
    g_assert_null(bz_tracking_event_name(BZ_N_TRACKING_EVENTS));
}

static void documentation(void)
{
    g_autofree char *path = g_build_filename(g_getenv("BOOTZERO_SOURCE"), "docs/architecture/tracking.md", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GString) table = g_string_new("| provider | event | from | to |\n|---|---|---|---|\n");

    for (const struct bz_transition *row = bz_transitions; row->from; row++) {
        const char *separator = "";
        g_string_append_printf(table, "| %s | %s | ", row->tracker ? bz_tracker_name(row->tracker) : "any",
                               bz_tracking_event_name(row->event));
        for (guint state = 0; state < BZ_N_STATES; state++) {
            if (!(row->from & (1u << state)))
                continue;
            g_string_append_printf(table, "%s%s", separator, bz_state_name(state));
            separator = ", ";
        }
        g_string_append_printf(table, " | %s |\n", bz_state_name(row->to));
    }
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    if (!strstr(text, table->str))
        g_error("%s does not have this table:\n\n%s", path, table->str);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tracking/preload", preload);
    g_test_add_func("/tracking/qemu", qemu);
    g_test_add_func("/tracking/sound", sound);
    g_test_add_func("/tracking/names", names);
    g_test_add_func("/tracking/documentation", documentation);
    return g_test_run();
}
