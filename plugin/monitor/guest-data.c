/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/guest-data.h"

#include <string.h>

/* The member, when it is there and of this type; else NULL. */
static JsonNode *get(JsonObject *data, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(data, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node : NULL;
}

static const char *get_text(JsonObject *data, const char *name)
{
    JsonNode *node = get(data, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : NULL;
}

/* json-glib has 64 bits with a sign: more is not what a guest has of anything. */
static gboolean get_number(JsonObject *data, const char *name, guint64 *number)
{
    JsonNode *node = get(data, name, G_TYPE_INT64);

    if (!node || json_node_get_int(node) < 0)
        return FALSE;
    *number = (guint64)json_node_get_int(node);
    return TRUE;
}

gboolean bz_guest_data_identity(JsonObject *data, struct bz_identity *identity)
{
    JsonNode *node = json_object_get_member(data, "domain");
    JsonObject *domain = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = domain ? get_text(domain, "name") : NULL;
    const char *uuid = domain ? get_text(domain, "uuid") : NULL;

    if (!name || !uuid)
        return FALSE;
    g_strlcpy(identity->name, name, sizeof identity->name);
    g_strlcpy(identity->uuid, uuid, sizeof identity->uuid);
    return TRUE;
}

gboolean bz_guest_data_tracking(JsonObject *data, struct bz_tracking *tracking)
{
    static const enum bz_state told[] = {BZ_STATE_IS_OFF, BZ_STATE_ARMED, BZ_STATE_DISCOVERED, BZ_STATE_REPORTED,
                                         BZ_STATE_DECLINED};
    const char *state = get_text(data, "state");
    const char *reason = get_text(data, "reason");
    guint64 generation;

    if (!state || !bz_state_from_name(state, &tracking->state) || !get_number(data, "generation", &generation))
        return FALSE;
    tracking->tracker = BZ_TRACKER_PRELOAD;
    tracking->generation = generation;
    g_strlcpy(tracking->reason, reason ? reason : "", sizeof tracking->reason);
    for (gsize i = 0; i < G_N_ELEMENTS(told); i++)
        if (tracking->state == told[i])
            return TRUE;
    return FALSE;
}

static gboolean get_backends(JsonObject *data, struct bz_report *report)
{
    JsonNode *node = json_object_get_member(data, "backends");
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    if (!array)
        return FALSE;
    report->backends[0] = '\0';
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *item = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(item) || json_node_get_value_type(item) != G_TYPE_STRING)
            return FALSE;
        g_strlcat(report->backends, i ? " " : "", sizeof report->backends);
        g_strlcat(report->backends, json_node_get_string(item), sizeof report->backends);
    }
    return TRUE;
}

gboolean bz_guest_data_report(JsonObject *data, struct bz_report *report)
{
    JsonNode *truncated = get(data, "truncated", G_TYPE_BOOLEAN);
    const char *reason = get_text(data, "reason");

    *report = (struct bz_report){0};
    if (!truncated || !get_number(data, "call", &report->call) || !get_number(data, "ranges", &report->ranges) ||
        !get_number(data, "zeroed-bytes", &report->zeroed_bytes) || !get_number(data, "ram-bytes", &report->ram_bytes) ||
        !get_number(data, "scan-ns", &report->scan_ns) || !get_backends(data, report))
        return FALSE;
    report->truncated = json_node_get_boolean(truncated);
    g_strlcpy(report->reason, reason ? reason : "", sizeof report->reason);
    return report->call > 0;
}

gboolean bz_guest_data_lost(JsonObject *data, guint64 *count)
{
    return get_number(data, "count", count);
}
