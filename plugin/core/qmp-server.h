/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A QMP endpoint in a GLib main loop: Unix sockets around core/qmp-session.h. Clients do not wait for each other, and
 * one that does not read is dropped.
 */
#pragma once
#include <glib.h>

#include "core/qmp-session.h"

typedef struct BzQmpServer BzQmpServer;

/* opaque is what the functions of type get as server. */
BzQmpServer *bz_qmp_server_new(const struct bz_qmp_server_type *type, gpointer opaque);
/* Ends all connections, and removes the sockets that bz_qmp_server_listen() made. */
void bz_qmp_server_free(BzQmpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzQmpServer, bz_qmp_server_free)

/*
 * Listens at path, with mode 0660. A socket there that nobody serves is replaced; with one that is served, or with
 * anything else in the way: BZ_ERROR_FAILED.
 */
gboolean bz_qmp_server_listen(BzQmpServer *server, const char *path, GError **error);

/* Listens on a socket that somebody else has bound, as systemd does. Takes fd. */
gboolean bz_qmp_server_listen_on(BzQmpServer *server, int fd, GError **error);

/* Sends an event, as core/tracking-message.h writes it, to all clients that have negotiated. */
void bz_qmp_server_emit(BzQmpServer *server, const struct bz_buffer *event);

/*
 * For commands that are answered later: the client that session belongs to, and the answer to it. Nothing happens when
 * the client has left meanwhile.
 */
guint64 bz_qmp_server_client(BzQmpServer *server, const struct bz_qmp_session *session);
void bz_qmp_server_answer(BzQmpServer *server, guint64 client, enum bz_qmp_outcome outcome, const char *text);
