/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "monitor/guest-data.h"
#include "monitor/guest.h"

static BzGuest *find_guest(BzGuests *guests, const char *domain)
{
    g_autofree char *uuid = g_ascii_strdown(domain, -1);
    g_autoptr(GPtrArray) list = bz_guests_list(guests);

    for (guint i = 0; i < list->len; i++) {
        BzGuest *guest = list->pdata[i];
        if (strcmp(guest->identity.name, domain) == 0 || strcmp(guest->identity.uuid, uuid) == 0)
            return guest;
    }
    return NULL;
}

static enum bz_qmp_outcome query_tracking(void *server, struct bz_qmp_session *session, const char *domain,
                                          struct bz_buffer *out)
{
    g_autoptr(GPtrArray) list = bz_guests_list(server);
    BzGuest *only = domain ? find_guest(server, domain) : NULL;
    const char *comma = "";

    if (domain && !only) {
        bz_buffer_printf(out, "There is no running guest '%s'", domain);
        return BZ_QMP_ERROR;
    }
    bz_buffer_printf(out, "[");
    for (guint i = 0; i < list->len; i++) {
        const BzGuest *guest = list->pdata[i];
        if (only && guest != only)
            continue;
        bz_buffer_printf(out, "%s", comma);
        bz_message_tracking(out, &guest->tracking, &guest->report, &guest->identity);
        comma = ", ";
    }
    bz_buffer_printf(out, "]");
    return BZ_QMP_RETURN;
}

typedef struct {
    BzGuests *guests;
    guint64 client;
    char *uuid;
} RangesQuery;

static void pass_ranges_on(JsonNode *result, const GError *error, gpointer opaque)
{
    g_autofree RangesQuery *query = opaque;
    g_autofree char *uuid = query->uuid;
    JsonObject *data = result && JSON_NODE_HOLDS_OBJECT(result) ? json_node_get_object(result) : NULL;
    struct bz_identity identity;

    if (error) {
        bz_qmp_server_answer(query->guests->server, query->client, BZ_QMP_ERROR, error->message);
    } else if (data && bz_guest_data_identity(data, &identity) && strcmp(identity.uuid, uuid) == 0) {
        g_autofree char *text = json_to_string(result, FALSE);
        bz_qmp_server_answer(query->guests->server, query->client, BZ_QMP_RETURN, text);
    } else {
        bz_qmp_server_answer(query->guests->server, query->client, BZ_QMP_ERROR,
                             "the guest's endpoint does not tell its ranges");
    }
}

static enum bz_qmp_outcome query_zeroed_ranges(void *server, struct bz_qmp_session *session, const char *domain,
                                               struct bz_buffer *out)
{
    BzGuests *guests = server;
    BzGuest *guest = domain ? find_guest(guests, domain) : NULL;
    RangesQuery *query;

    if (!domain) {
        bz_buffer_printf(out, "Parameter 'domain' is missing");
        return BZ_QMP_ERROR;
    }
    if (!guest) {
        bz_buffer_printf(out, "There is no running guest '%s'", domain);
        return BZ_QMP_ERROR;
    }
    if (!guest->link) {
        bz_buffer_printf(out, "The memory of '%s' cannot be looked at: its provider is '%s', its state '%s'",
                         guest->identity.name, bz_tracker_name(guest->tracking.tracker),
                         bz_state_name(guest->tracking.state));
        return BZ_QMP_ERROR;
    }
    query = g_new(RangesQuery, 1);
    *query = (RangesQuery){guests, bz_qmp_server_client(guests->server, session), g_strdup(guest->identity.uuid)};
    bz_qmp_link_execute(guest->link, "__bootzero_query-zeroed-ranges", NULL, pass_ranges_on, query);
    return BZ_QMP_LATER;
}

const struct bz_qmp_server_type bz_host_endpoint_type = {query_tracking, query_zeroed_ranges};
