/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tracking state of one guest, and the only ways it changes: one table for the guest's own endpoint and for
 * virtbootzerod. schema/bootzero.json says what the states mean, docs/architecture/tracking.md shows the table; a test
 * compares. Light: libc alone, since plugin/qemu links it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bz_state {
    BZ_STATE_IS_OFF,
    BZ_STATE_ARMED,
    BZ_STATE_DISCOVERED,
    BZ_STATE_REPORTED,
    BZ_STATE_DECLINED,
    BZ_STATE_LOST,
    BZ_STATE_UNKNOWN,
    BZ_STATE_GONE,
};
#define BZ_N_STATES (BZ_STATE_GONE + 1)

enum bz_tracker {
    BZ_TRACKER_NONE,
    BZ_TRACKER_QEMU,
    BZ_TRACKER_PRELOAD,
};

enum bz_tracking_event {
    BZ_TRACKING_START,    /* the guest starts, and is offered boot-zeroed memory */
    BZ_TRACKING_ABSENT,   /* a check showed that it is not */
    BZ_TRACKING_DISCOVER, /* the guest asked for the extended capabilities */
    BZ_TRACKING_REPORT,   /* the guest asked for zeroed memory and got ranges */
    BZ_TRACKING_DECLINE,  /* the guest asked for zeroed memory and got none */
    BZ_TRACKING_RESET,    /* the machine was reset; memory keeps its content */
    BZ_TRACKING_LOAD,     /* other memory was put in: restore, incoming migration, snapshot */
    BZ_TRACKING_OBSCURE,  /* the guest cannot be observed (any more) */
    BZ_TRACKING_END,      /* the process ended */
};
#define BZ_N_TRACKING_EVENTS (BZ_TRACKING_END + 1)

struct bz_transition {
    enum bz_tracker tracker; /* NONE stands for any */
    enum bz_tracking_event event;
    unsigned from; /* a bit for each state: 1u << state */
    enum bz_state to;
    const char *reason; /* static; NULL when it needs none, or the event brings it */
};

/* Ends with a row whose from is 0. What is in no row changes nothing. */
extern const struct bz_transition bz_transitions[];

struct bz_tracking {
    enum bz_tracker tracker;
    enum bz_state state;
    uint64_t generation; /* 0 when unknown */
    char reason[200];    /* "" when there is none */
};

/*
 * Applies the event. reason is what the event brings, or NULL; cut off when long. True when something that subscribers
 * see is not as before: state, generation, reason.
 */
bool bz_tracking_apply(struct bz_tracking *tracking, enum bz_tracking_event event, const char *reason);

/* Their names as in the schema; NULL outside the enum. */
const char *bz_state_name(enum bz_state state);
const char *bz_tracker_name(enum bz_tracker tracker);
const char *bz_tracking_event_name(enum bz_tracking_event event); /* "start", ... */
bool bz_state_from_name(const char *name, enum bz_state *state);
bool bz_tracker_from_name(const char *name, enum bz_tracker *tracker);
