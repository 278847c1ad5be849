/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of a QMP endpoint in a GLib main loop. The other end is not trusted: what it sends is bounded, and a mistake
 * ends the connection. (core/qmp-client.h is for threads without a main loop.)
 */
#pragma once
#include <json-glib/json-glib.h>

typedef struct BzQmpLink BzQmpLink;

/*
 * result is what the command returned; NULL when it failed, and error tells why. Both stay the link's. Each command
 * gets its reply, and when the link ends a failed one; then the link must not be freed in it.
 */
typedef void (*BzQmpLinkReply)(JsonNode *result, const GError *error, gpointer opaque);

typedef struct {
    /* An event. data is NULL when it had none. */
    void (*event)(BzQmpLink *link, const char *name, JsonObject *data, gpointer opaque);
    /* The other side has ended the connection, or broken the protocol; why is a clause. The link may be freed in it. */
    void (*closed)(BzQmpLink *link, const char *why, gpointer opaque);
} BzQmpLinkType;

/*
 * Connects; never waits. Negotiates by itself: commands may be given at once. NULL with G_IO_ERROR:
 * G_IO_ERROR_CONNECTION_REFUSED when nobody serves the socket (any more), G_IO_ERROR_NOT_FOUND when there is none.
 */
BzQmpLink *bz_qmp_link_new(const char *path, const BzQmpLinkType *type, gpointer opaque, GError **error);
/* closed is not called. */
void bz_qmp_link_free(BzQmpLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzQmpLink, bz_qmp_link_free)

/* The process that listens at the other end; 0 when that is not known. */
gint bz_qmp_link_pid(BzQmpLink *link);

/* Sends a command; domain is its argument of that name, or NULL. reply is called once, not before this returns. */
void bz_qmp_link_execute(BzQmpLink *link, const char *command, const char *domain, BzQmpLinkReply reply,
                         gpointer opaque);
