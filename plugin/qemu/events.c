/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/events.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/qmp-session.h"

static struct {
    pthread_mutex_t mutex;
    void (*wake)(void);
    struct bz_tracking tracking;
    uint64_t calls; /* for zeroed memory that were answered */
    struct bz_report last;
    struct bz_event queue[BZ_EVENTS_QUEUED];
    unsigned first, count;
    bool is_new; /* something was queued since the lock was taken */
    uint64_t lost;
} events = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void lock(void)
{
    pthread_mutex_lock(&events.mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&events.mutex);
}

/*
 * The lock is held. NULL when the queue is full: then the thread has been woken before, and will count what it missed.
 */
static struct bz_event *queue_event(void)
{
    if (events.count == BZ_EVENTS_QUEUED) {
        events.lost++;
        return NULL;
    }
    events.is_new = true;
    struct bz_event *event = &events.queue[(events.first + events.count++) % BZ_EVENTS_QUEUED];
    event->at = bz_qmp_now();
    return event;
}

static void apply(enum bz_tracking_event what, const char *reason)
{
    uint64_t generation = events.tracking.generation;

    if (!bz_tracking_apply(&events.tracking, what, reason))
        return;
    if (events.tracking.generation != generation)
        events.last.call = 0;
    struct bz_event *event = queue_event();
    if (event) {
        event->is_report = false;
        event->tracking = events.tracking;
    }
}

/* For vCPU threads: a guest that asks in vain without pause wakes nobody. */
static void unlock_and_wake(void)
{
    void (*wake)(void) = events.is_new ? events.wake : NULL;

    events.is_new = false;
    unlock();
    if (wake)
        wake();
}

void bz_events_start(bool offered)
{
    lock();
    events.tracking.tracker = BZ_TRACKER_PRELOAD;
    if (offered)
        apply(BZ_TRACKING_START, NULL);
    else
        snprintf(events.tracking.reason, sizeof events.tracking.reason, "the guest is offered no boot-zeroed memory");
    unlock();
}

void bz_events_set_wake(void (*function)(void))
{
    lock();
    events.wake = function;
    unlock();
}

void bz_events_discovered(void)
{
    lock();
    apply(BZ_TRACKING_DISCOVER, NULL);
    unlock_and_wake();
}

static void take_report(const struct bz_zeroed *zeroed)
{
    struct bz_report *report = &events.last;

    *report = (struct bz_report){
        .call = events.calls,
        .ranges = zeroed->ranges.n_kept,
        .zeroed_bytes = bz_ranges_total(&zeroed->ranges) << BZ_HV_PAGE_SHIFT,
        .ram_bytes = zeroed->boot_bytes,
        .scan_ns = zeroed->scan_ns,
        .truncated = zeroed->ranges.n_left_out > 0,
    };
    snprintf(report->backends, sizeof report->backends, "%s", zeroed->backend);
    snprintf(report->reason, sizeof report->reason, "%s", zeroed->reason);
    struct bz_event *event = queue_event();
    if (event) {
        event->is_report = true;
        event->report = *report;
    }
}

void bz_events_answered(const struct bz_zeroed *zeroed)
{
    lock();
    events.calls++;
    if (zeroed->ranges.n_kept > 0) {
        apply(BZ_TRACKING_REPORT, NULL);
        take_report(zeroed);
    } else {
        apply(BZ_TRACKING_DECLINE, zeroed->reason[0] ? zeroed->reason : "no page of its memory is still zero");
    }
    unlock_and_wake();
}

void bz_events_refused(const char *reason)
{
    lock();
    events.calls++;
    apply(BZ_TRACKING_DECLINE, reason);
    unlock_and_wake();
}

void bz_events_reset(void)
{
    lock();
    apply(BZ_TRACKING_RESET, NULL);
    unlock_and_wake();
}

void bz_events_loaded(void)
{
    lock();
    apply(BZ_TRACKING_LOAD, NULL);
    unlock_and_wake();
}

bool bz_events_take(struct bz_event *event)
{
    lock();
    bool any = events.count > 0;
    if (any) {
        *event = events.queue[events.first];
        events.first = (events.first + 1) % BZ_EVENTS_QUEUED;
        events.count--;
    }
    unlock();
    return any;
}

uint64_t bz_events_lost(void)
{
    lock();
    uint64_t lost = events.lost;
    events.lost = 0;
    unlock();
    return lost;
}

void bz_events_now(struct bz_tracking *tracking, struct bz_report *report)
{
    lock();
    *tracking = events.tracking;
    *report = events.last;
    unlock();
}
