/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A synchronous QMP conversation over a connected socket, for threads without a main loop. Everything in it, writing
 * included, ends at one deadline, and what the other end sends is bounded.
 */
#pragma once
#include <json-glib/json-glib.h>

#define BZ_QMP_ERROR (bz_qmp_error_quark())
GQuark bz_qmp_error_quark(void);

/* The messages are clauses, to be put behind the name of the other end. */
typedef enum {
    BZ_QMP_ERROR_TIMEOUT, /* "gave no answer to 'query-version'" */
    BZ_QMP_ERROR_CLOSED,  /* "closed its QMP monitor instead of answering ..." */
    BZ_QMP_ERROR_GARBAGE, /* "sent garbage: '...'" */
    BZ_QMP_ERROR_REFUSED, /* "refused 'query-version': " and the other end's words */
} BzQmpError;

typedef struct BzQmpClient BzQmpClient;

/* socket stays the caller's and is not closed. deadline in g_get_monotonic_time() microseconds. */
BzQmpClient *bz_qmp_client_new(int socket, gint64 deadline);
void bz_qmp_client_free(BzQmpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzQmpClient, bz_qmp_client_free)

/* Reads the greeting and leaves negotiation mode, with no capability. */
gboolean bz_qmp_client_handshake(BzQmpClient *client, GError **error);

/*
 * Runs a command; events that come meanwhile are dropped. arguments is an object or NULL; taken. Gives what is in
 * "return": free with json_node_unref().
 */
JsonNode *bz_qmp_client_execute(BzQmpClient *client, const char *command, JsonObject *arguments, GError **error);
