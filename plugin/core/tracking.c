/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/tracking.h"

#include <stdio.h>
#include <string.h>

#define OFF (1u << BZ_STATE_IS_OFF)
#define ARMED (1u << BZ_STATE_ARMED)
#define DISCOVERED (1u << BZ_STATE_DISCOVERED)
#define REPORTED (1u << BZ_STATE_REPORTED)
#define DECLINED (1u << BZ_STATE_DECLINED)
#define LOST (1u << BZ_STATE_LOST)
#define UNKNOWN (1u << BZ_STATE_UNKNOWN)
#define RUNNING (ARMED | DISCOVERED | REPORTED | DECLINED)

/*
 * The preload provider finds the truth anew at each call, so whatever happens to memory it is armed again. QEMU's own
 * tracking sees what QEMU writes, not what the guest writes: it is true of a first boot alone.
 */
const struct bz_transition bz_transitions[] = {
    { BZ_TRACKER_NONE, BZ_TRACKING_START, OFF | UNKNOWN, BZ_STATE_ARMED, NULL },
    { BZ_TRACKER_NONE, BZ_TRACKING_ABSENT, ARMED | UNKNOWN, BZ_STATE_IS_OFF, NULL },
    { BZ_TRACKER_PRELOAD, BZ_TRACKING_DISCOVER, ARMED, BZ_STATE_DISCOVERED, NULL },
    { BZ_TRACKER_PRELOAD, BZ_TRACKING_REPORT, RUNNING, BZ_STATE_REPORTED, NULL },
    { BZ_TRACKER_PRELOAD, BZ_TRACKING_DECLINE, RUNNING, BZ_STATE_DECLINED, NULL },
    { BZ_TRACKER_PRELOAD, BZ_TRACKING_RESET, RUNNING, BZ_STATE_ARMED, "reset" },
    { BZ_TRACKER_PRELOAD, BZ_TRACKING_LOAD, RUNNING, BZ_STATE_ARMED, "other memory was loaded" },
    { BZ_TRACKER_QEMU, BZ_TRACKING_RESET, ARMED | LOST | UNKNOWN, BZ_STATE_LOST,
      "reset: QEMU has not tracked what the guest wrote" },
    { BZ_TRACKER_QEMU, BZ_TRACKING_LOAD, ARMED | LOST | UNKNOWN, BZ_STATE_LOST,
      "other memory was loaded: QEMU has not tracked it" },
    { BZ_TRACKER_NONE, BZ_TRACKING_OBSCURE, OFF | RUNNING | LOST | UNKNOWN, BZ_STATE_UNKNOWN, NULL },
    { BZ_TRACKER_NONE, BZ_TRACKING_END, OFF | RUNNING | LOST | UNKNOWN, BZ_STATE_GONE, NULL },
    { 0 },
};

static const struct bz_transition *find(const struct bz_tracking *tracking, enum bz_tracking_event event)
{
    for (const struct bz_transition *row = bz_transitions; row->from; row++)
        if (row->event == event && (row->from & (1u << tracking->state)) &&
            (row->tracker == BZ_TRACKER_NONE || row->tracker == tracking->tracker))
            return row;
    return NULL;
}

/* The machine starts (again). An unknown count stays unknown. */
static bool begins_generation(const struct bz_tracking *before, enum bz_tracking_event event)
{
    if (event == BZ_TRACKING_START)
        return before->state == BZ_STATE_IS_OFF;
    return (event == BZ_TRACKING_RESET || event == BZ_TRACKING_LOAD) && before->generation > 0;
}

bool bz_tracking_apply(struct bz_tracking *tracking, enum bz_tracking_event event, const char *reason)
{
    const struct bz_transition *row = find(tracking, event);
    struct bz_tracking before = *tracking;

    if (row == NULL)
        return false;
    if (reason == NULL)
        reason = row->reason ? row->reason : "";
    tracking->state = row->to;
    if (begins_generation(&before, event))
        tracking->generation++;
    snprintf(tracking->reason, sizeof tracking->reason, "%s", reason);
    return tracking->state != before.state || tracking->generation != before.generation ||
           strcmp(tracking->reason, before.reason) != 0;
}

static const char *const state_names[] = { "off", "armed", "discovered", "reported", "declined", "lost", "unknown",
                                           "gone" };
static const char *const tracker_names[] = { "none", "qemu", "preload" };
static const char *const event_names[] = { "start", "absent", "discover", "report", "decline", "reset", "load",
                                           "obscure", "end" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_of(const char *const *names, size_t count, unsigned index)
{
    return index < count ? names[index] : NULL;
}

static bool index_of(const char *const *names, size_t count, const char *name, unsigned *index)
{
    for (*index = 0; *index < count; (*index)++)
        if (strcmp(names[*index], name) == 0)
            return true;
    return false;
}

const char *bz_state_name(enum bz_state state)
{
    return name_of(state_names, COUNT(state_names), state);
}

const char *bz_tracker_name(enum bz_tracker tracker)
{
    return name_of(tracker_names, COUNT(tracker_names), tracker);
}

const char *bz_tracking_event_name(enum bz_tracking_event event)
{
    return name_of(event_names, COUNT(event_names), event);
}

bool bz_state_from_name(const char *name, enum bz_state *state)
{
    unsigned index;
    bool known = index_of(state_names, COUNT(state_names), name, &index);

    if (known)
        *state = (enum bz_state)index;
    return known;
}

bool bz_tracker_from_name(const char *name, enum bz_tracker *tracker)
{
    unsigned index;
    bool known = index_of(tracker_names, COUNT(tracker_names), name, &index);

    if (known)
        *tracker = (enum bz_tracker)index;
    return known;
}
