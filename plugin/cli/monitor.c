/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/monitor.h"

#include <gio/gio.h>

#include "core/configuration.h"
#include "core/error.h"

BzQmpLink *bz_monitor_connect(const BzQmpLinkType *type, gpointer opaque, GError **error)
{
    g_autoptr(BzConfiguration) configuration = bz_configuration_load(NULL, error);
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = NULL;
    BzQmpLink *link;

    if (!configuration)
        return NULL;
    path = g_build_filename(configuration->runtime_directory, "monitor.qmp", NULL);
    link = bz_qmp_link_new(path, type, opaque, &cause);
    if (!link && g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "may not connect to virtbootzerod at %s: be root, or in the group of "
                    "the socket", path);
    else if (!link)
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot reach virtbootzerod at %s: %s: start it, as root: "
                    "systemctl start virtbootzerod", path, cause->message);
    return link;
}

typedef struct {
    GMainLoop *loop;
    JsonNode *result;
    GError *error;
} Query;

static void take_reply(JsonNode *result, const GError *error, gpointer opaque)
{
    Query *query = opaque;

    query->result = result ? json_node_copy(result) : NULL;
    query->error = error ? g_error_copy(error) : NULL;
    g_main_loop_quit(query->loop);
}

static void ignore_event(BzQmpLink *link, const char *name, JsonObject *data, gpointer opaque)
{
}

/* The reply came before, as failed. */
static void ignore_end(BzQmpLink *link, const char *why, gpointer opaque)
{
}

JsonNode *bz_monitor_query(const char *command, const char *domain, GError **error)
{
    static const BzQmpLinkType type = {ignore_event, ignore_end};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(BzQmpLink) link = NULL;
    Query query = {.loop = loop};

    link = bz_monitor_connect(&type, NULL, error);
    if (!link)
        return NULL;
    bz_qmp_link_execute(link, command, domain, take_reply, &query);
    g_main_loop_run(loop);
    if (query.error)
        g_propagate_error(error, query.error);
    return query.result;
}

char *bz_monitor_size(guint64 bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    gsize unit = 0;

    while (value >= 999.5 && unit < G_N_ELEMENTS(units) - 1) {
        value /= 1024;
        unit++;
    }
    return g_strdup_printf(value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}
