/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/guest-data.h"

#include <string.h>

#include "core/members.h"

gboolean bz_guest_data_identity(JsonObject *data, struct bz_identity *identity)
{
    JsonObject *domain = bz_member_object(data, "domain");
    const char *name = domain ? bz_member_text(domain, "name") : NULL;
    const char *uuid = domain ? bz_member_text(domain, "uuid") : NULL;

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
    const char *state = bz_member_text(data, "state");
    const char *reason = bz_member_text(data, "reason");
    guint64 generation;

    if (!state || !bz_state_from_name(state, &tracking->state) || !bz_member_number(data, "generation", &generation))
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
    JsonArray *array = bz_member_array(data, "backends");

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
    const char *reason = bz_member_text(data, "reason");
    gboolean truncated;
    struct {
        const char *name;
        guint64 value;
    } numbers[] = {{"call", 0}, {"ranges", 0}, {"zeroed-bytes", 0}, {"ram-bytes", 0}, {"scan-ns", 0}};

    *report = (struct bz_report){0};
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!bz_member_number(data, numbers[i].name, &numbers[i].value))
            return FALSE;
    if (!bz_member_boolean(data, "truncated", &truncated) || !get_backends(data, report))
        return FALSE;
    report->call = numbers[0].value;
    report->ranges = numbers[1].value;
    report->zeroed_bytes = numbers[2].value;
    report->ram_bytes = numbers[3].value;
    report->scan_ns = numbers[4].value;
    report->truncated = truncated;
    g_strlcpy(report->reason, reason ? reason : "", sizeof report->reason);
    return report->call > 0;
}

gboolean bz_guest_data_lost(JsonObject *data, guint64 *count)
{
    return bz_member_number(data, "count", count);
}
