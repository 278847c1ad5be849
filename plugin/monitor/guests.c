/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/guests.h"

#include <string.h>

#include "monitor/guest.h"

static void guest_free(gpointer data)
{
    BzGuest *guest = data;

    bz_qmp_link_free(guest->link);
    g_clear_handle_id(&guest->retry, g_source_remove);
    g_free(guest);
}

BzGuest *bz_guest_find_or_add(BzGuests *guests, const char *uuid)
{
    BzGuest *guest = g_hash_table_lookup(guests->by_uuid, uuid);

    if (!guest) {
        guest = g_new0(BzGuest, 1);
        guest->guests = guests;
        g_strlcpy(guest->identity.uuid, uuid, sizeof guest->identity.uuid);
        g_hash_table_insert(guests->by_uuid, guest->identity.uuid, guest);
    }
    return guest;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    const BzGuest *one = *(BzGuest *const *)a, *other = *(BzGuest *const *)b;
    int order = strcmp(one->identity.name, other->identity.name);

    return order ? order : strcmp(one->identity.uuid, other->identity.uuid);
}

GPtrArray *bz_guests_list(BzGuests *guests)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer guest;

    g_hash_table_iter_init(&iter, guests->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &guest))
        if (((BzGuest *)guest)->is_told)
            g_ptr_array_add(list, guest);
    g_ptr_array_sort(list, by_name);
    return list;
}

/* --- telling --- */

void bz_guests_emit(BzGuests *guests, struct bz_buffer *event)
{
    bz_qmp_server_emit(guests->server, event);
    bz_buffer_clear(event);
    guests->changed(guests->opaque);
}

static void tell_change(BzGuest *guest)
{
    struct bz_buffer event = {0};

    guest->is_told = TRUE;
    bz_message_change(&event, &guest->tracking, &guest->identity, bz_qmp_now());
    bz_guests_emit(guest->guests, &event);
}

void bz_guest_set_tracking(BzGuest *guest, const struct bz_tracking *tracking)
{
    const struct bz_tracking before = guest->tracking;

    guest->tracking = *tracking;
    if (before.generation != tracking->generation)
        guest->report = (struct bz_report){0};
    if (!guest->is_told || before.state != tracking->state || before.generation != tracking->generation ||
        before.tracker != tracking->tracker || strcmp(before.reason, tracking->reason) != 0)
        tell_change(guest);
}

void bz_guest_apply(BzGuest *guest, enum bz_tracking_event event, const char *reason)
{
    struct bz_tracking tracking = guest->tracking;

    bz_tracking_apply(&tracking, event, reason);
    bz_guest_set_tracking(guest, &tracking);
}

void bz_guest_begin_anew(BzGuest *guest)
{
    bz_guest_apply(guest, BZ_TRACKING_END, NULL);
    guest->is_told = FALSE;
    guest->tracking = (struct bz_tracking){0};
    guest->report = (struct bz_report){0};
}

void bz_guest_end(BzGuest *guest)
{
    if (guest->is_told)
        bz_guest_apply(guest, BZ_TRACKING_END, NULL);
    g_hash_table_remove(guest->guests->by_uuid, guest->identity.uuid);
}

/* --- the folder --- */

static void look_at_file(const char *name, gpointer opaque)
{
    BzGuests *guests = opaque;
    g_autofree char *uuid = NULL;

    if (!g_str_has_suffix(name, BZ_GUEST_SUFFIX))
        return;
    uuid = g_strndup(name, strlen(name) - strlen(BZ_GUEST_SUFFIX));
    if (!g_uuid_string_is_valid(uuid))
        return;
    BzGuest *guest = bz_guest_find_or_add(guests, uuid);
    guest->retry_after = 0;
    bz_guest_connect(guest);
}

/* Under systemd the socket is not ours to make again. */
static void on_renewed(gpointer opaque)
{
    BzGuests *guests = opaque;
    g_autoptr(GError) error = NULL;

    if (!guests->path)
        g_warning("restart the socket's unit, too: it cannot be reached any more");
    else if (!g_file_test(guests->path, G_FILE_TEST_EXISTS) && !bz_qmp_server_listen(guests->server, guests->path, &error))
        g_warning("%s", error->message);
}

/* --- as a whole --- */

BzGuests *bz_guests_new(const char *directory, const char *path, int listen_fd, void (*changed)(gpointer),
                        gpointer opaque, GError **error)
{
    static const BzFolderType folder_type = {look_at_file, on_renewed};
    g_autoptr(BzGuests) guests = g_new0(BzGuests, 1);

    guests->directory = g_strdup(directory);
    guests->changed = changed;
    guests->opaque = opaque;
    guests->by_uuid = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, guest_free);
    guests->server = bz_qmp_server_new(&bz_host_endpoint_type, guests);
    /* the folder first: it may be that of the socket */
    guests->folder = bz_folder_new(directory, &folder_type, guests, error);
    if (!guests->folder)
        return NULL;
    if (listen_fd < 0)
        guests->path = g_strdup(path);
    if (listen_fd >= 0 ? !bz_qmp_server_listen_on(guests->server, listen_fd, error)
                       : !bz_qmp_server_listen(guests->server, path, error))
        return NULL;
    return g_steal_pointer(&guests);
}

void bz_guests_free(BzGuests *guests)
{
    if (!guests)
        return;
    bz_folder_free(guests->folder);
    g_hash_table_unref(guests->by_uuid);
    bz_qmp_server_free(guests->server);
    g_free(guests->directory);
    g_free(guests->path);
    g_free(guests);
}

/* --- from libvirt --- */

static void apply_verdict(BzGuest *guest, const BzDomainSeen *domain, struct bz_tracking *tracking)
{
    g_autofree char *path = NULL, *reason = NULL;

    switch (domain->qemu) {
    case BZ_VERDICT_HAS:
        tracking->tracker = BZ_TRACKER_QEMU;
        if (domain->is_fresh) {
            bz_tracking_apply(tracking, BZ_TRACKING_START, NULL);
            if (domain->is_loaded)
                bz_tracking_apply(tracking, BZ_TRACKING_LOAD, NULL);
        } else {
            bz_tracking_apply(tracking, BZ_TRACKING_OBSCURE, "the guest ran before it was watched");
        }
        break;
    case BZ_VERDICT_OFF:
        g_strlcpy(tracking->reason, domain->doubt, sizeof tracking->reason);
        g_warning("domain '%s' runs without boot_zeroed_memory, which it asks for: %s", domain->name, domain->doubt);
        break;
    case BZ_VERDICT_LACKS:
        path = bz_guest_endpoint_path(guest);
        reason = g_strdup_printf("QEMU does not have it by itself, and there is no endpoint %s", path);
        tracking->tracker = BZ_TRACKER_PRELOAD;
        bz_tracking_apply(tracking, BZ_TRACKING_OBSCURE, reason);
        break;
    case BZ_VERDICT_UNKNOWN:
        bz_tracking_apply(tracking, BZ_TRACKING_OBSCURE, domain->doubt);
        break;
    }
}

static void start_without_endpoint(BzGuest *guest, const BzDomainSeen *domain)
{
    struct bz_tracking tracking = {0};

    if (domain->problem) {
        bz_tracking_apply(&tracking, BZ_TRACKING_OBSCURE, domain->problem);
    } else if (!domain->wants) {
        g_strlcpy(tracking.reason, "the domain does not have boot_zeroed_memory", sizeof tracking.reason);
    } else {
        apply_verdict(guest, domain, &tracking);
    }
    bz_guest_set_tracking(guest, &tracking);
}

void bz_guests_domain_runs(BzGuests *guests, const BzDomainSeen *domain)
{
    BzGuest *guest = bz_guest_find_or_add(guests, domain->uuid);

    if (!bz_guest_connect(guest))
        guest = bz_guest_find_or_add(guests, domain->uuid);
    g_strlcpy(guest->identity.name, domain->name, sizeof guest->identity.name);
    /* An endpoint tells by itself. There it is before libvirt speaks of the guest. */
    if (!guest->link)
        start_without_endpoint(guest, domain);
}

void bz_guests_domain_ended(BzGuests *guests, const char *uuid)
{
    BzGuest *guest = g_hash_table_lookup(guests->by_uuid, uuid);

    /* An endpoint's end tells by itself; what libvirt says may come late, and be of the process before. */
    if (guest && !guest->link)
        bz_guest_end(guest);
}

void bz_guests_domain_event(BzGuests *guests, const char *uuid, enum bz_tracking_event event)
{
    BzGuest *guest = g_hash_table_lookup(guests->by_uuid, uuid);

    if (guest && guest->is_told && guest->tracking.tracker == BZ_TRACKER_QEMU)
        bz_guest_apply(guest, event, NULL);
}

void bz_guests_libvirt_lost(BzGuests *guests)
{
    g_autoptr(GPtrArray) list = bz_guests_list(guests);

    for (guint i = 0; i < list->len; i++) {
        BzGuest *guest = list->pdata[i];
        if (guest->tracking.tracker == BZ_TRACKER_QEMU)
            bz_guest_apply(guest, BZ_TRACKING_OBSCURE, "libvirt cannot be reached, so a reset would not be seen");
    }
}

void bz_guests_libvirt_has(BzGuests *guests, GHashTable *uuids)
{
    g_autoptr(GPtrArray) list = bz_guests_list(guests);

    for (guint i = 0; i < list->len; i++) {
        BzGuest *guest = list->pdata[i];
        if (!guest->link && !g_hash_table_contains(uuids, guest->identity.uuid))
            bz_guest_end(guest);
    }
}

void bz_guests_foreach(BzGuests *guests, BzGuestFunction function, gpointer opaque)
{
    g_autoptr(GPtrArray) list = bz_guests_list(guests);

    for (guint i = 0; i < list->len; i++) {
        const BzGuest *guest = list->pdata[i];
        function(&guest->identity, &guest->tracking, &guest->report, opaque);
    }
}

BzGuestsTotals bz_guests_totals(const BzGuests *guests)
{
    return guests->totals;
}
