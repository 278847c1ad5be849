/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/metrics.h"

#include <glib/gstdio.h>

#define RETRY_SECONDS 2

struct BzMetrics {
    char *path;
    BzGuests *guests;
    guint timer;
    gboolean told_failure;
};

typedef struct {
    guint by_state[BZ_N_STATES];
    GHashTable *declined; /* reason -> how many */
    GString *bytes, *seconds;
} Collected;

/* A label's value: OpenMetrics escapes three characters. */
static void put_label(GString *out, const char *name, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    g_string_append_printf(out, "%s=\"", name);
    for (const char *c = valid; *c; c++) {
        if (*c == '\n')
            g_string_append(out, "\\n");
        else if (*c == '"' || *c == '\\')
            g_string_append_printf(out, "\\%c", *c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static void put_guest(GString *out, const char *metric, const struct bz_identity *identity)
{
    g_string_append_printf(out, "%s{", metric);
    put_label(out, "domain", identity->name);
    g_string_append_c(out, ',');
    put_label(out, "uuid", identity->uuid);
    g_string_append(out, "} ");
}

static void collect(const struct bz_identity *identity, const struct bz_tracking *tracking,
                    const struct bz_report *guest_report, gpointer opaque)
{
    Collected *collected = opaque;

    collected->by_state[tracking->state]++;
    if (tracking->state == BZ_STATE_DECLINED) {
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(collected->declined, tracking->reason)) + 1;
        g_hash_table_replace(collected->declined, g_strdup(tracking->reason), GUINT_TO_POINTER(count));
    }
    if (guest_report->call == 0)
        return;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    put_guest(collected->bytes, "bootzero_guest_reported_bytes", identity);
    g_string_append_printf(collected->bytes, "%" G_GUINT64_FORMAT "\n", guest_report->zeroed_bytes);
    put_guest(collected->seconds, "bootzero_guest_scan_seconds", identity);
    g_ascii_formatd(number, sizeof number, "%.9f", (double)guest_report->scan_ns / 1e9);
    g_string_append_printf(collected->seconds, "%s\n", number);
}

static void put_family(GString *out, const char *name, const char *type, const char *unit, const char *help)
{
    g_string_append_printf(out, "# TYPE %s %s\n", name, type);
    if (unit)
        g_string_append_printf(out, "# UNIT %s %s\n", name, unit);
    g_string_append_printf(out, "# HELP %s %s\n", name, help);
}

static void put_states(GString *out, const Collected *collected)
{
    put_family(out, "bootzero_guests", "gauge", NULL, "Running guests by tracking state.");
    for (guint state = 0; state < BZ_STATE_GONE; state++)
        g_string_append_printf(out, "bootzero_guests{state=\"%s\"} %u\n", bz_state_name(state),
                               collected->by_state[state]);
}

static void put_declined(GString *out, const Collected *collected)
{
    g_autoptr(GList) reasons = g_list_sort(g_hash_table_get_keys(collected->declined), (GCompareFunc)g_strcmp0);

    put_family(out, "bootzero_guests_declined", "gauge", NULL, "Guests that asked and got no range, by reason.");
    for (GList *reason = reasons; reason; reason = reason->next) {
        g_string_append(out, "bootzero_guests_declined{");
        put_label(out, "reason", reason->data);
        g_string_append_printf(out, "} %u\n", GPOINTER_TO_UINT(g_hash_table_lookup(collected->declined, reason->data)));
    }
}

char *bz_metrics_format(BzGuests *guests)
{
    Collected collected = {.declined = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                           .bytes = g_string_new(NULL), .seconds = g_string_new(NULL)};
    BzGuestsTotals totals = bz_guests_totals(guests);
    GString *out = g_string_new(NULL);

    bz_guests_foreach(guests, collect, &collected);
    put_states(out, &collected);
    put_declined(out, &collected);
    put_family(out, "bootzero_guest_reported_bytes", "gauge", "bytes", "Memory in the last answer to the guest.");
    g_string_append(out, collected.bytes->str);
    put_family(out, "bootzero_guest_scan_seconds", "gauge", "seconds", "Time the last answer took to find.");
    g_string_append(out, collected.seconds->str);
    put_family(out, "bootzero_reports", "counter", NULL, "Answers with ranges that were seen.");
    g_string_append_printf(out, "bootzero_reports_total %" G_GUINT64_FORMAT "\n", totals.reports);
    put_family(out, "bootzero_events_lost", "counter", NULL, "Events that guests sent too fast to be passed on.");
    g_string_append_printf(out, "bootzero_events_lost_total %" G_GUINT64_FORMAT "\n", totals.events_lost);
    g_string_append(out, "# EOF\n");
    g_hash_table_unref(collected.declined);
    g_string_free(collected.bytes, TRUE);
    g_string_free(collected.seconds, TRUE);
    return g_string_free(out, FALSE);
}

/* --- the file --- */

/* Written beside it and renamed: a reader, or a full disk, never sees half of it. */
static gboolean write_file(const BzMetrics *metrics, const char *text, GError **error)
{
    return g_file_set_contents_full(metrics->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

static gboolean write_now(gpointer data)
{
    BzMetrics *metrics = data;
    g_autofree char *text = bz_metrics_format(metrics->guests);
    g_autoptr(GError) error = NULL;
    gboolean good = write_file(metrics, text, &error);

    /* Numbers that are no longer true are worse than none; and without them there may be space. */
    if (!good && g_unlink(metrics->path) == 0) {
        g_clear_error(&error);
        good = write_file(metrics, text, &error);
    }
    metrics->timer = 0;
    if (!good && !metrics->told_failure)
        g_warning("there are no metrics: %s", error->message);
    else if (good && metrics->told_failure)
        g_message("metrics can be written again");
    metrics->told_failure = !good;
    if (!good)
        metrics->timer = g_timeout_add_seconds(RETRY_SECONDS, write_now, metrics);
    return G_SOURCE_REMOVE;
}

BzMetrics *bz_metrics_new(const char *path, BzGuests *guests)
{
    BzMetrics *metrics = g_new0(BzMetrics, 1);

    metrics->path = g_strdup(path);
    metrics->guests = guests;
    write_now(metrics);
    return metrics;
}

void bz_metrics_changed(BzMetrics *metrics)
{
    if (!metrics->timer)
        metrics->timer = g_timeout_add_seconds(1, write_now, metrics);
}

void bz_metrics_free(BzMetrics *metrics)
{
    if (!metrics)
        return;
    g_clear_handle_id(&metrics->timer, g_source_remove);
    g_unlink(metrics->path);
    g_free(metrics->path);
    g_free(metrics);
}
