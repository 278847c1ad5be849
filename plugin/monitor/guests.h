/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What virtbootzerod knows of each guest, and what it says of it at the host's endpoint.
 *
 * It learns from two sides. A guest with the preload provider has an endpoint of its own in the runtime folder: the
 * folder is watched, and what the endpoint says is the state; when nobody serves it any more, the guest is gone. This
 * needs no libvirt. Of all other guests libvirt tells (libvirt-watch.h): whether the domain has the feature, when it
 * starts and ends, and for the qemu provider when it is reset.
 */
#pragma once
#include "core/configuration.h"
#include "core/tracking-message.h"
#include "core/verify.h"

typedef struct BzGuests BzGuests;

/* Counters for metrics, since the start of the monitor. */
typedef struct {
    guint64 reports;
    guint64 events_lost;
} BzGuestsTotals;

/* A running domain, as libvirt tells it. */
typedef struct {
    const char *name;
    const char *uuid;
    gboolean wants;        /* boot_zeroed_memory is on */
    BzVerdict qemu;        /* of one that wants it and has no endpoint: whether QEMU itself has it */
    const char *doubt;     /* the verdict's reason; NULL when QEMU has it, or was not asked */
    gboolean is_fresh;     /* seen starting; FALSE when it ran before we looked */
    gboolean is_loaded;    /* started from other memory: restore, incoming migration, snapshot */
    const char *problem;   /* why libvirt could not tell; NULL when it could */
} BzDomainSeen;

/*
 * Opens the host's endpoint: on listen_fd when it is not negative, which is taken, else at path. Watches the runtime
 * folder, which is made when it is not there. changed is called after anything has changed.
 */
BzGuests *bz_guests_new(const char *directory, const char *path, int listen_fd, void (*changed)(gpointer),
                        gpointer opaque, GError **error);
void bz_guests_free(BzGuests *guests);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzGuests, bz_guests_free)

/* From libvirt. */
void bz_guests_domain_runs(BzGuests *guests, const BzDomainSeen *domain);
void bz_guests_domain_ended(BzGuests *guests, const char *uuid);
/* RESET or LOAD; of no meaning for guests that have an endpoint, which tells by itself. */
void bz_guests_domain_event(BzGuests *guests, const char *uuid, enum bz_tracking_event event);
/* libvirt cannot be reached: what only it can tell becomes unknown. */
void bz_guests_libvirt_lost(BzGuests *guests);
/* These domains run, and no others: a set of UUIDs. Ends the others, unless they have an endpoint. */
void bz_guests_libvirt_has(BzGuests *guests, GHashTable *uuids);

/* For metrics. */
typedef void (*BzGuestFunction)(const struct bz_identity *identity, const struct bz_tracking *tracking,
                                const struct bz_report *report, gpointer opaque);
void bz_guests_foreach(BzGuests *guests, BzGuestFunction function, gpointer opaque); /* by name */
BzGuestsTotals bz_guests_totals(const BzGuests *guests);
