/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/tracking-message.h"

#include <inttypes.h>
#include <string.h>

#include "core/qmp-session.h"

void bz_message_put_reason(struct bz_buffer *out, const char *reason)
{
    if (reason == NULL || reason[0] == '\0')
        return;
    bz_buffer_printf(out, "\"reason\": ");
    bz_buffer_json_string(out, reason);
    bz_buffer_printf(out, ", ");
}

void bz_message_put_domain(struct bz_buffer *out, const struct bz_identity *identity)
{
    bz_buffer_printf(out, "\"domain\": {\"name\": ");
    bz_buffer_json_string(out, identity->name);
    bz_buffer_printf(out, ", \"uuid\": ");
    bz_buffer_json_string(out, identity->uuid);
    bz_buffer_printf(out, "}");
}

static void put_tracking(struct bz_buffer *out, const struct bz_tracking *tracking)
{
    bz_buffer_printf(out, "\"state\": \"%s\", ", bz_state_name(tracking->state));
    bz_message_put_reason(out, tracking->reason);
    bz_buffer_printf(out, "\"generation\": %" PRIu64 ", \"provider\": \"%s\", ", tracking->generation,
                     bz_tracker_name(tracking->tracker));
}

static void put_backends(struct bz_buffer *out, const char *backends)
{
    static const char separators[] = ", +";
    const char *comma = "";

    bz_buffer_printf(out, "\"backends\": [");
    for (const char *at = backends + strspn(backends, separators); *at; at += strspn(at, separators)) {
        char name[sizeof(((struct bz_report *)NULL)->backends)];
        size_t length = strcspn(at, separators);
        if (length >= sizeof name)
            break;
        memcpy(name, at, length);
        name[length] = '\0';
        bz_buffer_printf(out, "%s", comma);
        bz_buffer_json_string(out, name);
        at += length;
        comma = ", ";
    }
    bz_buffer_printf(out, "]");
}

static void put_report(struct bz_buffer *out, const struct bz_report *report)
{
    bz_buffer_printf(out, "\"call\": %" PRIu64 ", \"ranges\": %" PRIu64 ", \"zeroed-bytes\": %" PRIu64 ", \"ram-bytes\": %"
                          PRIu64 ", \"scan-ns\": %" PRIu64 ", \"truncated\": %s, ", report->call, report->ranges,
                     report->zeroed_bytes, report->ram_bytes, report->scan_ns, report->truncated ? "true" : "false");
    bz_message_put_reason(out, report->reason);
    put_backends(out, report->backends);
}

/* Ends the data of an event with its domain. */
static void end_event(struct bz_buffer *out, const char *name, struct bz_buffer *data,
                      const struct bz_identity *identity, uint64_t at)
{
    bz_message_put_domain(data, identity);
    bz_buffer_printf(data, "}");
    if (data->failed)
        out->failed = true;
    else
        bz_qmp_event(out, name, data->data, at);
    bz_buffer_clear(data);
}

void bz_message_change(struct bz_buffer *out, const struct bz_tracking *tracking, const struct bz_identity *identity,
                       uint64_t at)
{
    struct bz_buffer data = { 0 };

    bz_buffer_printf(&data, "{");
    put_tracking(&data, tracking);
    end_event(out, "__bootzero_TRACKING_CHANGE", &data, identity, at);
}

void bz_message_report(struct bz_buffer *out, const struct bz_report *report, const struct bz_identity *identity,
                       uint64_t at)
{
    struct bz_buffer data = { 0 };

    bz_buffer_printf(&data, "{");
    put_report(&data, report);
    bz_buffer_printf(&data, ", ");
    end_event(out, "__bootzero_ZEROED_MEMORY_REPORTED", &data, identity, at);
}

void bz_message_lost(struct bz_buffer *out, uint64_t count, const struct bz_identity *identity, uint64_t at)
{
    struct bz_buffer data = { 0 };

    bz_buffer_printf(&data, "{\"count\": %" PRIu64 ", ", count);
    end_event(out, "__bootzero_EVENTS_LOST", &data, identity, at);
}

void bz_message_tracking(struct bz_buffer *out, const struct bz_tracking *tracking, const struct bz_report *report,
                         const struct bz_identity *identity)
{
    bz_buffer_printf(out, "{");
    put_tracking(out, tracking);
    if (report->call) {
        bz_buffer_printf(out, "\"report\": {");
        put_report(out, report);
        bz_buffer_printf(out, "}, ");
    }
    bz_message_put_domain(out, identity);
    bz_buffer_printf(out, "}");
}
