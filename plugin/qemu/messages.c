/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/messages.h"

#include <inttypes.h>
#include <string.h>

#include "core/qmp-session.h"

static void put_text(struct bz_buffer *out, const char *member, const char *text)
{
    bz_buffer_printf(out, "\"%s\": ", member);
    bz_buffer_json_string(out, text);
    bz_buffer_printf(out, ", ");
}

static void put_reason(struct bz_buffer *out, const char *reason)
{
    if (reason && reason[0])
        put_text(out, "reason", reason);
}

/* Always the last member. */
static void put_domain(struct bz_buffer *out, const struct bz_identity *identity)
{
    bz_buffer_printf(out, "\"domain\": {\"name\": ");
    bz_buffer_json_string(out, identity->name);
    bz_buffer_printf(out, ", \"uuid\": \"%s\"}", identity->uuid);
}

static void put_tracking(struct bz_buffer *out, const struct bz_tracking *tracking)
{
    bz_buffer_printf(out, "\"state\": \"%s\", ", bz_state_name(tracking->state));
    put_reason(out, tracking->reason);
    bz_buffer_printf(out, "\"generation\": %" PRIu64 ", \"provider\": \"%s\", ", tracking->generation,
                     bz_tracker_name(tracking->tracker));
}

/* ["a", "b"] of "a, b" */
static void put_backends(struct bz_buffer *out, const char *backends)
{
    const char *comma = "";

    bz_buffer_printf(out, "\"backends\": [");
    for (const char *at = backends + strspn(backends, ", +"); *at; at += strspn(at, ", +")) {
        char name[80];
        size_t length = strcspn(at, ", +");
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
    put_reason(out, report->reason);
    put_backends(out, report->backends);
}

void bz_message_event(struct bz_buffer *out, const struct bz_event *event, const struct bz_identity *identity)
{
    struct bz_buffer data = { 0 };

    bz_buffer_printf(&data, "{");
    if (event->is_report) {
        put_report(&data, &event->report);
        bz_buffer_printf(&data, ", ");
    } else {
        put_tracking(&data, &event->tracking);
    }
    put_domain(&data, identity);
    bz_buffer_printf(&data, "}");
    if (!data.failed)
        bz_qmp_event(out, event->is_report ? "__bootzero_ZEROED_MEMORY_REPORTED" : "__bootzero_TRACKING_CHANGE",
                     data.data, event->at);
    bz_buffer_clear(&data);
}

void bz_message_lost(struct bz_buffer *out, uint64_t count, const struct bz_identity *identity)
{
    struct bz_buffer data = { 0 };

    bz_buffer_printf(&data, "{\"count\": %" PRIu64 ", ", count);
    put_domain(&data, identity);
    bz_buffer_printf(&data, "}");
    if (!data.failed)
        bz_qmp_event(out, "__bootzero_EVENTS_LOST", data.data, bz_qmp_now());
    bz_buffer_clear(&data);
}

void bz_message_tracking(struct bz_buffer *out, const struct bz_tracking *tracking, const struct bz_report *report,
                         const struct bz_identity *identity)
{
    bz_buffer_printf(out, "[{");
    put_tracking(out, tracking);
    if (report->call) {
        bz_buffer_printf(out, "\"report\": {");
        put_report(out, report);
        bz_buffer_printf(out, "}, ");
    }
    put_domain(out, identity);
    bz_buffer_printf(out, "}]");
}

void bz_message_zeroed_ranges(struct bz_buffer *out, const struct bz_zeroed *zeroed, const struct bz_memory_map *map,
                              const struct bz_identity *identity)
{
    bz_buffer_printf(out, "{\"ranges\": [");
    for (unsigned i = 0; i < zeroed->ranges.n_kept; i++)
        bz_buffer_printf(out, "%s{\"start\": %" PRIu64 ", \"size\": %" PRIu64 "}", i ? ", " : "",
                         zeroed->ranges.kept[i].page << BZ_HV_PAGE_SHIFT,
                         zeroed->ranges.kept[i].count << BZ_HV_PAGE_SHIFT);
    bz_buffer_printf(out, "], \"memory\": [");
    for (unsigned i = 0; i < map->count; i++) {
        bz_buffer_printf(out, "%s{", i ? ", " : "");
        put_reason(out, map->parts[i].reason);
        bz_buffer_printf(out, "\"start\": %" PRIu64 ", \"size\": %" PRIu64 "}", map->parts[i].start, map->parts[i].size);
    }
    bz_buffer_printf(out, "], \"zeroed-bytes\": %" PRIu64 ", \"ram-bytes\": %" PRIu64 ", \"scan-ns\": %" PRIu64
                          ", \"truncated\": %s, ",
                     bz_ranges_total(&zeroed->ranges) << BZ_HV_PAGE_SHIFT, zeroed->boot_bytes, zeroed->scan_ns,
                     zeroed->ranges.n_left_out > 0 ? "true" : "false");
    put_reason(out, zeroed->reason);
    put_domain(out, identity);
    bz_buffer_printf(out, "}");
}
