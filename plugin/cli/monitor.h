/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands' side of the host's QMP endpoint, virtbootzerod. */
#pragma once
#include <json-glib/json-glib.h>

#include "core/qmp-link.h"

/* Connects to the endpoint the configuration names. Errors: BZ_ERROR_FAILED, with what to do. */
BzQmpLink *bz_monitor_connect(const BzQmpLinkType *type, gpointer opaque, GError **error);

/* Asks one question, and waits. What the command returned: free with json_node_unref(). Errors: BZ_ERROR_FAILED. */
JsonNode *bz_monitor_query(const char *command, const char *domain, GError **error);

/* "1.5 GiB": three digits at most. Free with g_free(). */
char *bz_monitor_size(guint64 bytes);
