/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/guests.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/qmp-link.h"
#include "core/qmp-server.h"
#include "monitor/guest-data.h"

#define SUFFIX ".qmp"
#define FIRST_RETRY 20 /* ms; the file is there a moment before anybody listens */
#define LAST_RETRY 5000
#define EVENTS_LIMIT 1000 /* of one guest in a second: an endpoint of ours sends a tenth */

struct BzGuests {
    char *directory;
    GFileMonitor *folder;
    BzQmpServer *server;
    GHashTable *by_uuid; /* Guest */
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
    gint pid;          /* that served the endpoint when we were last connected; 0 before */
    guint64 lost;  /* events that subscribers have yet to be told of */
    gint64 second; /* the one events are counted in */
    guint events;
} Guest;

static void guest_free(gpointer data)
{
    Guest *guest = data;

    bz_qmp_link_free(guest->link);
    g_clear_handle_id(&guest->retry, g_source_remove);
    g_free(guest);
}

static Guest *find_or_add(BzGuests *guests, const char *uuid)
{
    Guest *guest = g_hash_table_lookup(guests->by_uuid, uuid);

    if (!guest) {
        guest = g_new0(Guest, 1);
        guest->guests = guests;
        g_strlcpy(guest->identity.uuid, uuid, sizeof guest->identity.uuid);
        g_hash_table_insert(guests->by_uuid, guest->identity.uuid, guest);
    }
    return guest;
}

/* --- telling --- */

static void emit(BzGuests *guests, struct bz_buffer *event)
{
    bz_qmp_server_emit(guests->server, event);
    bz_buffer_clear(event);
    guests->changed(guests->opaque);
}

static void tell_change(Guest *guest)
{
    struct bz_buffer event = {0};

    guest->is_told = TRUE;
    bz_message_change(&event, &guest->tracking, &guest->identity, bz_qmp_now());
    emit(guest->guests, &event);
}

/* Sets what is not learnt by an event of the table: what the guest's endpoint says, or a new domain's state. */
static void set_tracking(Guest *guest, const struct bz_tracking *tracking)
{
    const struct bz_tracking before = guest->tracking;

    guest->tracking = *tracking;
    if (before.generation != tracking->generation)
        guest->report = (struct bz_report){0};
    if (!guest->is_told || before.state != tracking->state || before.generation != tracking->generation ||
        before.tracker != tracking->tracker || strcmp(before.reason, tracking->reason) != 0)
        tell_change(guest);
}

static void apply(Guest *guest, enum bz_tracking_event event, const char *reason)
{
    struct bz_tracking tracking = guest->tracking;

    bz_tracking_apply(&tracking, event, reason);
    set_tracking(guest, &tracking);
}

/* Tells that it is gone, and forgets it. */
static void end_guest(Guest *guest)
{
    if (guest->is_told)
        apply(guest, BZ_TRACKING_END, NULL);
    g_hash_table_remove(guest->guests->by_uuid, guest->identity.uuid);
}

/* --- the guests' endpoints --- */

static gboolean connect_guest(Guest *guest);
static void retry_later(Guest *guest);

static char *endpoint_path(const Guest *guest)
{
    g_autofree char *name = g_strconcat(guest->identity.uuid, SUFFIX, NULL);

    return g_build_filename(guest->guests->directory, name, NULL);
}

/* Takes what an endpoint says for what it is: the data of this guest, and nothing else. */
static gboolean is_its_own(const Guest *guest, JsonObject *data, struct bz_identity *identity)
{
    return data && bz_guest_data_identity(data, identity) && strcmp(identity->uuid, guest->identity.uuid) == 0;
}

static void distrust(Guest *guest, const char *why)
{
    g_autofree char *path = endpoint_path(guest);

    g_warning("%s: %s: the connection is closed", path, why);
    bz_qmp_link_free(g_steal_pointer(&guest->link));
    guest->tracking.tracker = BZ_TRACKER_PRELOAD;
    apply(guest, BZ_TRACKING_OBSCURE, why);
    guest->retry_after = LAST_RETRY;
    retry_later(guest);
}

/* Only after what the lost events would have said is known: who hears of them may ask at once. */
static void tell_lost(Guest *guest)
{
    struct bz_buffer event = {0};

    if (guest->lost == 0)
        return;
    bz_message_lost(&event, guest->lost, &guest->identity, bz_qmp_now());
    guest->guests->totals.events_lost += guest->lost;
    guest->lost = 0;
    emit(guest->guests, &event);
}

static void take_tracking(JsonNode *result, const GError *error, gpointer opaque)
{
    Guest *guest = opaque;
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
    set_tracking(guest, &tracking);
    node = json_object_get_member(data, "report");
    if (node && JSON_NODE_HOLDS_OBJECT(node) && !bz_guest_data_report(json_node_get_object(node), &guest->report))
        guest->report = (struct bz_report){0};
    tell_lost(guest);
}

static void query_tracking_of(Guest *guest)
{
    bz_qmp_link_execute(guest->link, "__bootzero_query-tracking", NULL, take_tracking, guest);
}

static void take_report(Guest *guest, JsonObject *data)
{
    struct bz_buffer event = {0};

    if (!bz_guest_data_report(data, &guest->report)) {
        distrust(guest, "the guest's endpoint sends a report that is none");
        return;
    }
    guest->guests->totals.reports++;
    bz_message_report(&event, &guest->report, &guest->identity, bz_qmp_now());
    emit(guest->guests, &event);
}

static void take_lost(Guest *guest, JsonObject *data)
{
    guint64 count;

    if (!bz_guest_data_lost(data, &count))
        return;
    guest->lost += count;
    query_tracking_of(guest);
}

static gboolean is_flooding(Guest *guest)
{
    gint64 second = g_get_monotonic_time() / G_USEC_PER_SEC;

    if (second != guest->second)
        guest->events = 0;
    guest->second = second;
    return ++guest->events > EVENTS_LIMIT;
}

static void on_event(BzQmpLink *link, const char *name, JsonObject *data, gpointer opaque)
{
    Guest *guest = opaque;
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
        set_tracking(guest, &tracking);
    else
        distrust(guest, "the guest's endpoint sends a state that is none");
}

/* The process has ended, most likely: a new connection is refused then, and that tells. */
static void on_closed(BzQmpLink *link, const char *why, gpointer opaque)
{
    Guest *guest = opaque;

    bz_qmp_link_free(g_steal_pointer(&guest->link));
    connect_guest(guest);
}

static gboolean on_retry(gpointer data)
{
    Guest *guest = data;

    guest->retry = 0;
    connect_guest(guest);
    return G_SOURCE_REMOVE;
}

static void retry_later(Guest *guest)
{
    guest->retry_after = guest->retry_after ? MIN(guest->retry_after * 2, LAST_RETRY) : FIRST_RETRY;
    guest->retry = g_timeout_add(guest->retry_after, on_retry, guest);
}

/* Nobody serves the socket: a guest that was connected has ended, a new one may not listen yet. As connect_guest(). */
static gboolean endpoint_is_dead(Guest *guest)
{
    if (guest->pid) {
        end_guest(guest);
        return FALSE;
    }
    if (guest->retry_after < LAST_RETRY / 10) {
        retry_later(guest);
    } else if (!guest->is_told) {
        end_guest(guest); /* a file that was left over */
        return FALSE;
    }
    return TRUE;
}

/* Another process than before serves the socket: its guest is not the one we spoke of. */
static void begin_process(Guest *guest)
{
    gint pid = bz_qmp_link_pid(guest->link);

    if (guest->pid && guest->pid != pid && guest->is_told) {
        apply(guest, BZ_TRACKING_END, NULL);
        guest->is_told = FALSE;
        guest->tracking = (struct bz_tracking){0};
        guest->report = (struct bz_report){0};
    }
    guest->pid = pid;
}

/* FALSE when the guest has ended, and is no more. */
static gboolean connect_guest(Guest *guest)
{
    static const BzQmpLinkType type = {on_event, on_closed};
    g_autofree char *path = endpoint_path(guest);
    g_autoptr(GError) error = NULL;

    if (guest->link || guest->retry)
        return TRUE;
    guest->link = bz_qmp_link_new(path, &type, guest, &error);
    if (guest->link) {
        begin_process(guest);
        query_tracking_of(guest);
        return TRUE;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return endpoint_is_dead(guest);

    g_autofree char *reason = g_strdup_printf("cannot connect to the guest's endpoint %s: %s", path, error->message);
    guest->tracking.tracker = BZ_TRACKER_PRELOAD;
    apply(guest, BZ_TRACKING_OBSCURE, reason);
    retry_later(guest);
    return TRUE;
}

static void look_at_file(BzGuests *guests, const char *name)
{
    g_autofree char *uuid = NULL;

    if (!g_str_has_suffix(name, SUFFIX))
        return;
    uuid = g_strndup(name, strlen(name) - strlen(SUFFIX));
    if (!g_uuid_string_is_valid(uuid))
        return;
    Guest *guest = find_or_add(guests, uuid);
    guest->retry_after = 0;
    connect_guest(guest);
}

static void on_folder(GFileMonitor *folder, GFile *file, GFile *other, GFileMonitorEvent event, gpointer data)
{
    if (event == G_FILE_MONITOR_EVENT_CREATED) {
        g_autofree char *name = g_file_get_basename(file);
        look_at_file(data, name);
    }
}

/* As tmpfiles.d/bootzero.conf has it: QEMU's user, who is in group kvm, makes sockets there. */
static gboolean make_folder(const char *path, GError **error)
{
    const struct group *kvm = geteuid() == 0 ? getgrnam("kvm") : NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    if (g_mkdir_with_parents(path, 0755) == 0 && (!kvm || chown(path, 0, kvm->gr_gid) == 0) &&
        g_chmod(path, kvm ? 01771 : 0755) == 0)
        return TRUE;
    g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot make %s: %s", path, g_strerror(errno));
    return FALSE;
}

static gboolean watch_folder(BzGuests *guests, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(guests->directory);
    g_autoptr(GDir) dir = NULL;
    const char *name;

    if (!make_folder(guests->directory, error))
        return FALSE;
    guests->folder = g_file_monitor_directory(file, G_FILE_MONITOR_NONE, NULL, error);
    if (!guests->folder)
        return FALSE;
    g_signal_connect(guests->folder, "changed", G_CALLBACK(on_folder), guests);
    dir = g_dir_open(guests->directory, 0, error);
    if (!dir)
        return FALSE;
    while ((name = g_dir_read_name(dir)))
        look_at_file(guests, name);
    return TRUE;
}

/* --- the host's endpoint --- */

static int by_name(gconstpointer a, gconstpointer b)
{
    const Guest *one = *(Guest *const *)a, *other = *(Guest *const *)b;
    int order = strcmp(one->identity.name, other->identity.name);

    return order ? order : strcmp(one->identity.uuid, other->identity.uuid);
}

/* Those that are known well enough to be spoken of. */
static GPtrArray *list_guests(BzGuests *guests)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer guest;

    g_hash_table_iter_init(&iter, guests->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &guest))
        if (((Guest *)guest)->is_told)
            g_ptr_array_add(list, guest);
    g_ptr_array_sort(list, by_name);
    return list;
}

static Guest *find_guest(BzGuests *guests, const char *domain)
{
    g_autofree char *uuid = g_ascii_strdown(domain, -1);
    g_autoptr(GPtrArray) list = list_guests(guests);

    for (guint i = 0; i < list->len; i++) {
        Guest *guest = list->pdata[i];
        if (strcmp(guest->identity.name, domain) == 0 || strcmp(guest->identity.uuid, uuid) == 0)
            return guest;
    }
    return NULL;
}

static enum bz_qmp_outcome query_tracking(void *server, struct bz_qmp_session *session, const char *domain,
                                          struct bz_buffer *out)
{
    g_autoptr(GPtrArray) list = list_guests(server);
    Guest *only = domain ? find_guest(server, domain) : NULL;
    const char *comma = "";

    if (domain && !only) {
        bz_buffer_printf(out, "There is no running guest '%s'", domain);
        return BZ_QMP_ERROR;
    }
    bz_buffer_printf(out, "[");
    for (guint i = 0; i < list->len; i++) {
        const Guest *guest = list->pdata[i];
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
    Guest *guest = domain ? find_guest(guests, domain) : NULL;
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

static const struct bz_qmp_server_type server_type = {query_tracking, query_zeroed_ranges};

BzGuests *bz_guests_new(const char *directory, const char *path, int listen_fd, void (*changed)(gpointer), gpointer opaque,
                        GError **error)
{
    g_autoptr(BzGuests) guests = g_new0(BzGuests, 1);

    guests->directory = g_strdup(directory);
    guests->changed = changed;
    guests->opaque = opaque;
    guests->by_uuid = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, guest_free);
    guests->server = bz_qmp_server_new(&server_type, guests);
    /* the folder first: it may be that of the socket */
    if (!watch_folder(guests, error))
        return NULL;
    if (listen_fd >= 0 ? !bz_qmp_server_listen_on(guests->server, listen_fd, error)
                       : !bz_qmp_server_listen(guests->server, path, error))
        return NULL;
    return g_steal_pointer(&guests);
}

void bz_guests_free(BzGuests *guests)
{
    if (!guests)
        return;
    g_clear_object(&guests->folder);
    g_hash_table_unref(guests->by_uuid);
    bz_qmp_server_free(guests->server);
    g_free(guests->directory);
    g_free(guests);
}

/* --- from libvirt --- */

static void start_without_endpoint(Guest *guest, const BzDomainSeen *domain)
{
    struct bz_tracking tracking = {0};
    gboolean had_stopped_looking = guest->is_told && guest->tracking.tracker == BZ_TRACKER_QEMU;

    if (domain->problem) {
        bz_tracking_apply(&tracking, BZ_TRACKING_OBSCURE, domain->problem);
    } else if (!domain->wants) {
        g_strlcpy(tracking.reason, "the domain does not have boot_zeroed_memory", sizeof tracking.reason);
    } else if (domain->qemu_has) {
        tracking.tracker = BZ_TRACKER_QEMU;
        if (domain->is_fresh) {
            bz_tracking_apply(&tracking, BZ_TRACKING_START, NULL);
            if (domain->is_loaded)
                bz_tracking_apply(&tracking, BZ_TRACKING_LOAD, NULL);
        } else if (had_stopped_looking && guest->tracking.state == BZ_STATE_LOST) {
            return; /* and lost it stays, whatever happened meanwhile */
        } else {
            bz_tracking_apply(&tracking, BZ_TRACKING_OBSCURE, "the guest ran before it was watched");
        }
    } else if (domain->qemu_has_not) {
        g_strlcpy(tracking.reason, "QEMU has the property, but it is off", sizeof tracking.reason);
    } else {
        g_autofree char *path = endpoint_path(guest);
        g_autofree char *reason = g_strdup_printf("QEMU does not have it by itself, and there is no endpoint %s", path);
        tracking.tracker = BZ_TRACKER_PRELOAD;
        bz_tracking_apply(&tracking, BZ_TRACKING_OBSCURE, reason);
    }
    set_tracking(guest, &tracking);
}

void bz_guests_domain_runs(BzGuests *guests, const BzDomainSeen *domain)
{
    Guest *guest = find_or_add(guests, domain->uuid);

    if (!connect_guest(guest))
        guest = find_or_add(guests, domain->uuid);
    g_strlcpy(guest->identity.name, domain->name, sizeof guest->identity.name);
    /* An endpoint tells by itself. There it is before libvirt speaks of the guest. */
    if (!guest->link)
        start_without_endpoint(guest, domain);
}

void bz_guests_domain_ended(BzGuests *guests, const char *uuid)
{
    Guest *guest = g_hash_table_lookup(guests->by_uuid, uuid);

    if (guest)
        end_guest(guest);
}

void bz_guests_domain_event(BzGuests *guests, const char *uuid, enum bz_tracking_event event)
{
    Guest *guest = g_hash_table_lookup(guests->by_uuid, uuid);

    if (guest && guest->is_told && guest->tracking.tracker == BZ_TRACKER_QEMU)
        apply(guest, event, NULL);
}

void bz_guests_libvirt_lost(BzGuests *guests)
{
    g_autoptr(GPtrArray) list = list_guests(guests);

    for (guint i = 0; i < list->len; i++) {
        Guest *guest = list->pdata[i];
        if (guest->tracking.tracker == BZ_TRACKER_QEMU && guest->tracking.state != BZ_STATE_LOST)
            apply(guest, BZ_TRACKING_OBSCURE, "libvirt cannot be reached, so a reset would not be seen");
    }
}

void bz_guests_libvirt_has(BzGuests *guests, GHashTable *uuids)
{
    g_autoptr(GPtrArray) list = list_guests(guests);

    for (guint i = 0; i < list->len; i++) {
        Guest *guest = list->pdata[i];
        if (!guest->link && !g_hash_table_contains(uuids, guest->identity.uuid))
            end_guest(guest);
    }
}

void bz_guests_foreach(BzGuests *guests, BzGuestFunction function, gpointer opaque)
{
    g_autoptr(GPtrArray) list = list_guests(guests);

    for (guint i = 0; i < list->len; i++) {
        const Guest *guest = list->pdata[i];
        function(&guest->identity, &guest->tracking, &guest->report, opaque);
    }
}

BzGuestsTotals bz_guests_totals(const BzGuests *guests)
{
    return guests->totals;
}
