/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's own endpoint: what it says is checked, and taken for what it is, the word of one guest about itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "monitor/guest-data.h"
#include "monitor/guest.h"

#define FIRST_RETRY 20 /* ms; the file is there a moment before anybody listens */
#define LAST_RETRY 5000
#define EVENTS_LIMIT 1000 /* of one guest in a second: an endpoint of ours sends a tenth */

static void retry_later(BzGuest *guest);

char *bz_guest_endpoint_path(const BzGuest *guest)
{
    g_autofree char *name = g_strconcat(guest->identity.uuid, BZ_GUEST_SUFFIX, NULL);

    return g_build_filename(guest->guests->directory, name, NULL);
}

/* Takes what an endpoint says for what it is: the data of this guest, and nothing else. */
static gboolean is_its_own(const BzGuest *guest, JsonObject *data, struct bz_identity *identity)
{
    return data && bz_guest_data_identity(data, identity) && strcmp(identity->uuid, guest->identity.uuid) == 0;
}

static void distrust(BzGuest *guest, const char *why)
{
    g_autofree char *path = bz_guest_endpoint_path(guest);

    g_warning("%s: %s: the connection is closed", path, why);
    bz_qmp_link_free(g_steal_pointer(&guest->link));
    guest->tracking.tracker = BZ_TRACKER_PRELOAD;
    bz_guest_apply(guest, BZ_TRACKING_OBSCURE, why);
    guest->retry_after = LAST_RETRY;
    retry_later(guest);
}

/* Only after what the lost events would have said is known: who hears of them may ask at once. */
static void tell_lost(BzGuest *guest)
{
    struct bz_buffer event = {0};

    if (guest->lost == 0)
        return;
    bz_message_lost(&event, guest->lost, &guest->identity, bz_qmp_now());
    guest->guests->totals.events_lost += guest->lost;
    guest->lost = 0;
    bz_guests_emit(guest->guests, &event);
}

static void take_tracking(JsonNode *result, const GError *error, gpointer opaque)
{
    BzGuest *guest = opaque;
    JsonArray *array = result && JSON_NODE_HOLDS_ARRAY(result) ? json_node_get_array(result) : NULL;
    JsonNode *node = array && json_array_get_length(array) == 1 ? json_array_get_element(array, 0) : NULL;
    JsonObject *data = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    struct bz_tracking tracking;
    struct bz_identity identity;

    if (error)
        return; /* the connection's end, most likely, which is seen elsewhere */
    if (!is_its_own(guest, data, &identity) || !bz_guest_data_tracking(data, &tracking)) {
        distrust(guest, "the guest's endpoint does not tell its state");
        return;
    }
    guest->identity = identity;
    guest->retry_after = 0;
    bz_guest_set_tracking(guest, &tracking);
    node = json_object_get_member(data, "report");
    if (node && JSON_NODE_HOLDS_OBJECT(node) && !bz_guest_data_report(json_node_get_object(node), &guest->report))
        guest->report = (struct bz_report){0};
    tell_lost(guest);
}

static void query_tracking_of(BzGuest *guest)
{
    bz_qmp_link_execute(guest->link, "__bootzero_query-tracking", NULL, take_tracking, guest);
}

static void take_report(BzGuest *guest, JsonObject *data)
{
    struct bz_buffer event = {0};

    if (!bz_guest_data_report(data, &guest->report)) {
        distrust(guest, "the guest's endpoint sends a report that is none");
        return;
    }
    guest->guests->totals.reports++;
    bz_message_report(&event, &guest->report, &guest->identity, bz_qmp_now());
    bz_guests_emit(guest->guests, &event);
}

static void take_lost(BzGuest *guest, JsonObject *data)
{
    guint64 count;

    if (!bz_guest_data_lost(data, &count))
        return;
    guest->lost += count;
    query_tracking_of(guest);
}

static gboolean is_flooding(BzGuest *guest)
{
    gint64 second = g_get_monotonic_time() / G_USEC_PER_SEC;

    if (second != guest->second)
        guest->events = 0;
    guest->second = second;
    return ++guest->events > EVENTS_LIMIT;
}

static void on_event(BzQmpLink *link, const char *name, JsonObject *data, gpointer opaque)
{
    BzGuest *guest = opaque;
    struct bz_identity identity;
    struct bz_tracking tracking;

    if (is_flooding(guest))
        distrust(guest, "the guest's endpoint sends events without pause");
    else if (!is_its_own(guest, data, &identity))
        distrust(guest, "the guest's endpoint sends events of another guest");
    else if (strcmp(name, "__bootzero_ZEROED_MEMORY_REPORTED") == 0)
        take_report(guest, data);
    else if (strcmp(name, "__bootzero_EVENTS_LOST") == 0)
        take_lost(guest, data);
    else if (strcmp(name, "__bootzero_TRACKING_CHANGE") != 0)
        return; /* of a newer version */
    else if (bz_guest_data_tracking(data, &tracking))
        bz_guest_set_tracking(guest, &tracking);
    else
        distrust(guest, "the guest's endpoint sends a state that is none");
}

/*
 * The process has ended, most likely: a new connection is refused then, and that tells. One that did not last is not
 * made again at once, or an endpoint that ends each would keep us busy.
 */
static void on_closed(BzQmpLink *link, const char *why, gpointer opaque)
{
    BzGuest *guest = opaque;

    bz_qmp_link_free(g_steal_pointer(&guest->link));
    if (g_get_monotonic_time() - guest->connected < G_USEC_PER_SEC)
        retry_later(guest);
    else
        bz_guest_connect(guest);
}

static gboolean on_retry(gpointer data)
{
    BzGuest *guest = data;

    guest->retry = 0;
    bz_guest_connect(guest);
    return G_SOURCE_REMOVE;
}

static void retry_later(BzGuest *guest)
{
    guest->retry_after = guest->retry_after ? MIN(guest->retry_after * 2, LAST_RETRY) : FIRST_RETRY;
    guest->retry = g_timeout_add(guest->retry_after, on_retry, guest);
}

/*
 * Nobody serves the socket. A guest that was connected has ended; but the file may be another one's by now, who has
 * bound it and does not listen yet, so it is looked at for a while. As bz_guest_connect().
 */
static gboolean endpoint_is_dead(BzGuest *guest, gboolean has_file)
{
    if (guest->pid) {
        if (guest->is_told)
            bz_guest_begin_anew(guest);
        guest->pid = 0;
        guest->retry_after = 0;
    }
    if (has_file && guest->retry_after < LAST_RETRY / 10) {
        retry_later(guest);
    } else if (!guest->is_told) {
        bz_guest_end(guest);
        return FALSE;
    }
    return TRUE;
}

/* Another process than before serves the socket: its guest is not the one we spoke of. */
static void begin_process(BzGuest *guest)
{
    gint pid = bz_qmp_link_pid(guest->link);

    if (guest->pid && guest->pid != pid && guest->is_told)
        bz_guest_begin_anew(guest);
    guest->pid = pid;
}

/* FALSE when the guest has ended, and is no more. */
gboolean bz_guest_connect(BzGuest *guest)
{
    static const BzQmpLinkType type = {on_event, on_closed};
    g_autofree char *path = bz_guest_endpoint_path(guest);
    g_autoptr(GError) error = NULL;

    if (guest->link || guest->retry)
        return TRUE;
    /* By a descriptor of the file itself, whatever comes to its path: a link could lead root to any socket. */
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        g_autofree char *socket = g_strdup_printf("/proc/self/fd/%d", fd);
        guest->link = bz_qmp_link_new(socket, &type, guest, &error);
        close(fd);
    } else {
        g_set_error_literal(&error, G_IO_ERROR, g_io_error_from_errno(errno), g_strerror(errno));
    }
    if (guest->link) {
        guest->connected = g_get_monotonic_time();
        begin_process(guest);
        query_tracking_of(guest);
        return TRUE;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        return endpoint_is_dead(guest, TRUE);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return endpoint_is_dead(guest, FALSE);

    g_autofree char *reason = g_strdup_printf("cannot connect to the guest's endpoint %s: %s", path, error->message);
    guest->tracking.tracker = BZ_TRACKER_PRELOAD;
    bz_guest_apply(guest, BZ_TRACKING_OBSCURE, reason);
    retry_later(guest);
    return TRUE;
}

