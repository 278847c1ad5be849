/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files behind guests.h share: the table, and one guest in it. */
#pragma once
#include <gio/gio.h>

#include "core/qmp-link.h"
#include "core/qmp-server.h"
#include "monitor/folder.h"
#include "monitor/guests.h"

/* Of the sockets in the runtime folder, behind the UUID. */
#define BZ_GUEST_SUFFIX ".qmp"

struct BzGuests {
    char *directory;
    BzFolder *folder;
    char *path; /* of the host's endpoint; NULL when its socket is somebody else's */
    BzQmpServer *server;
    GHashTable *by_uuid; /* uuid -> BzGuest */
    BzGuestsTotals totals;
    void (*changed)(gpointer);
    gpointer opaque;
};

typedef struct {
    BzGuests *guests;
    struct bz_identity identity;
    struct bz_tracking tracking;
    struct bz_report report;
    gboolean is_told;  /* subscribers know of it */
    BzQmpLink *link;   /* to its endpoint; NULL while there is none */
    guint retry;       /* source; 0 for none */
    guint retry_after; /* ms */
    gint64 connected;  /* when the link was made; monotonic, in microseconds */
    gint pid;          /* that served the endpoint when we were last connected; 0 before */
    guint64 lost;      /* events that subscribers have yet to be told of */
    gint64 second;     /* the one events are counted in */
    guint events;
} BzGuest;

/* Adds it when it is not there. */
BzGuest *bz_guest_find_or_add(BzGuests *guests, const char *uuid);
/* Those that subscribers know of, by name. Free with g_ptr_array_unref(). */
GPtrArray *bz_guests_list(BzGuests *guests);

/* Sets what is not learnt by an event of the table, and tells subscribers what is not as before. */
void bz_guest_set_tracking(BzGuest *guest, const struct bz_tracking *tracking);
/* The same for an event of the table. */
void bz_guest_apply(BzGuest *guest, enum bz_tracking_event event, const char *reason);
/* Its process has ended and another one has its place: tells the end, and knows nothing of it any more. */
void bz_guest_begin_anew(BzGuest *guest);
/* Tells that it is gone, and forgets it. */
void bz_guest_end(BzGuest *guest);
/* Sends an event to subscribers, and clears it. */
void bz_guests_emit(BzGuests *guests, struct bz_buffer *event);

/*
 * guest-endpoint.c: connects unless it is connected, or will try again. FALSE when the guest has ended, and is no more.
 */
gboolean bz_guest_connect(BzGuest *guest);
/* The path of its socket. Free with g_free(). */
char *bz_guest_endpoint_path(const BzGuest *guest);

/* host-endpoint.c: the commands of the host's endpoint; a BzGuests is their server. */
extern const struct bz_qmp_server_type bz_host_endpoint_type;
