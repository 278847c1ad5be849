/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero watch [--json] [DOMAIN]: what happens, one line an event, until interrupted. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/monitor.h"
#include "core/error.h"
#include "core/members.h"
#include "core/text.h"

typedef struct {
    GMainLoop *loop;
    const char *domain; /* the only one to tell of; NULL for all */
    gboolean json;
    GError *error;
} Watch;

static gboolean is_wanted(const Watch *watch, JsonObject *domain)
{
    const char *name = bz_member_text(domain, "name"), *uuid = bz_member_text(domain, "uuid");

    return !watch->domain || g_strcmp0(name, watch->domain) == 0 ||
           (uuid && g_ascii_strcasecmp(uuid, watch->domain) == 0);
}

static void print_json(const char *name, JsonObject *data)
{
    g_autoptr(JsonObject) event = json_object_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
    g_autofree char *text = NULL;

    json_object_set_string_member(event, "time", time);
    json_object_set_string_member(event, "event", name);
    json_object_set_object_member(event, "data", json_object_ref(data));
    json_node_set_object(node, event);
    text = json_to_string(node, FALSE);
    printf("%s\n", text);
}

/* What is told of an event behind the guest's name. */
static char *describe(const char *name, JsonObject *data)
{
    const char *state = bz_member_text(data, "state"), *reason = bz_member_text(data, "reason");
    guint64 ranges = 0, bytes = 0, ns = 0, count = 0, generation = 0;

    if (strcmp(name, "__bootzero_TRACKING_CHANGE") == 0 && state) {
        g_autofree char *shown = reason ? bz_text_escape(reason, 200) : NULL;
        bz_member_number(data, "generation", &generation);
        return g_strdup_printf("%s, generation %" G_GUINT64_FORMAT "%s%s", state, generation, shown ? ": " : "",
                               shown ? shown : "");
    }
    if (strcmp(name, "__bootzero_ZEROED_MEMORY_REPORTED") == 0 && bz_member_number(data, "ranges", &ranges) &&
        bz_member_number(data, "zeroed-bytes", &bytes) && bz_member_number(data, "scan-ns", &ns)) {
        g_autofree char *size = bz_monitor_size(bytes);
        return g_strdup_printf("was told of %s in %" G_GUINT64_FORMAT " ranges, found in %.1f ms", size, ranges,
                               (double)ns / 1e6);
    }
    if (strcmp(name, "__bootzero_EVENTS_LOST") == 0 && bz_member_number(data, "count", &count))
        return g_strdup_printf("%" G_GUINT64_FORMAT " events came too fast and were lost", count);
    return NULL;
}

static void on_event(BzQmpLink *link, const char *name, JsonObject *data, gpointer opaque)
{
    Watch *watch = opaque;
    JsonObject *domain = data ? bz_member_object(data, "domain") : NULL;

    if (!domain || !is_wanted(watch, domain))
        return;
    if (watch->json) {
        print_json(name, data);
    } else {
        const char *guest = bz_member_text(domain, "name");
        g_autofree char *shown = bz_text_escape(guest ? guest : "?", 80);
        g_autofree char *text = describe(name, data);
        g_autoptr(GDateTime) now = g_date_time_new_now_local();
        g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
        if (!text)
            return; /* of a newer version */
        printf("%s  %s  %s\n", time, shown, text);
    }
    /* A reader that left ends the watch. */
    if (fflush(stdout) != 0)
        g_main_loop_quit(watch->loop);
}

static void on_closed(BzQmpLink *link, const char *why, gpointer opaque)
{
    Watch *watch = opaque;

    g_set_error(&watch->error, BZ_ERROR, BZ_ERROR_FAILED, "virtbootzerod %s", why);
    g_main_loop_quit(watch->loop);
}

int bz_command_watch(const BzCli *cli, int argc, char **argv)
{
    static const BzQmpLinkType type = {on_event, on_closed};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Watch watch = {.loop = loop};
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &watch.json, "One JSON object a line", NULL},
        {0},
    };
    g_autoptr(BzQmpLink) link = NULL;
    g_autoptr(GError) error = NULL;

    if (!bz_cli_parse(&argc, &argv, "[DOMAIN]", "Tells what happens to the guests' tracking state, until interrupted.",
                      entries, 1))
        return BZ_EXIT_USAGE;
    watch.domain = argc > 1 ? argv[1] : NULL;
    link = bz_monitor_connect(&type, &watch, &error);
    if (!link)
        return bz_cli_refuse(error);
    g_main_loop_run(loop);
    error = watch.error;
    return error ? bz_cli_refuse(error) : BZ_EXIT_OK;
}
