/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What vCPU threads have to tell, on its way to the endpoint's thread: the tracking state, and a bounded queue of what
 * happened to it. A vCPU never waits for a client: it copies a few hundred bytes under a lock nobody holds for longer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/tracking-message.h"
#include "qemu/answer.h"

struct bz_event {
    uint64_t at; /* microseconds since 1970 */
    bool is_report;
    struct bz_tracking tracking; /* when it is not */
    struct bz_report report;     /* when it is */
};

#define BZ_EVENTS_QUEUED 64

/* Begins the guest's tracking; offered: the guest may ask. */
void bz_events_start(bool offered);

/* From vCPU threads. wake is called after something was queued; it must not block. */
void bz_events_set_wake(void (*wake)(void));
void bz_events_discovered(void);
void bz_events_answered(const struct bz_zeroed *zeroed); /* with ranges or without */
void bz_events_refused(const char *reason);              /* a call for zeroed memory that failed */
void bz_events_reset(void);
void bz_events_loaded(void);

/* From the endpoint's thread. Takes the oldest; false when there is none. */
bool bz_events_take(struct bz_event *event);
/* Since the last time. */
uint64_t bz_events_lost(void);
/* As it is now; report->call is 0 when there was none in this generation. */
void bz_events_now(struct bz_tracking *tracking, struct bz_report *report);
