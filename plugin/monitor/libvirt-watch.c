/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two threads. The worker connects, lists, and asks about domains: each of these may block. The main loop's thread gets
 * libvirt's events (libvirt-glib puts libvirt's event loop into GLib's) and never asks anything itself: what needs an
 * answer goes to the worker as a task, and comes back as a finding.
 */
#include "monitor/libvirt-watch.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "core/domain.h"
#include "core/error.h"

#define RETRY_SECONDS 2
#define KEEPALIVE_SECONDS 5

struct BzLibvirtWatch {
    char *uri;
    const BzConfiguration *configuration;
    BzGuests *guests;
    GThread *worker;
    GAsyncQueue *tasks; /* Task */
    gint stopping;      /* atomic */
    virConnectPtr connection; /* the worker's */
    int lifecycle, qemu_event; /* callbacks; -1 for none */
    gboolean told_failure;
};

typedef enum { TASK_EXAMINE, TASK_RECONNECT, TASK_STOP } TaskKind;

typedef struct {
    TaskKind kind;
    virDomainPtr domain; /* EXAMINE */
    gboolean is_fresh, is_loaded;
} Task;

typedef enum { FOUND_RUNNING, FOUND_ENDED, FOUND_EVENT, FOUND_LIST, FOUND_NOTHING } FindingKind;

typedef struct {
    BzLibvirtWatch *watch;
    FindingKind kind;
    char *name, *uuid, *problem, *doubt;
    BzDomainSeen seen;
    enum bz_tracking_event event;
    GHashTable *uuids;
} Finding;

static void task_free(gpointer data)
{
    Task *task = data;

    if (task->domain)
        virDomainFree(task->domain);
    g_free(task);
}

/* --- from the worker to the main loop --- */

static void finding_free(gpointer data)
{
    Finding *finding = data;

    g_free(finding->name);
    g_free(finding->uuid);
    g_free(finding->problem);
    g_free(finding->doubt);
    g_clear_pointer(&finding->uuids, g_hash_table_unref);
    g_free(finding);
}

static gboolean deliver(gpointer data)
{
    Finding *finding = data;
    BzGuests *guests = finding->watch->guests;

    if (g_atomic_int_get(&finding->watch->stopping))
        return G_SOURCE_REMOVE;
    switch (finding->kind) {
    case FOUND_RUNNING:
        finding->seen.name = finding->name;
        finding->seen.uuid = finding->uuid;
        finding->seen.problem = finding->problem;
        finding->seen.doubt = finding->doubt;
        bz_guests_domain_runs(guests, &finding->seen);
        break;
    case FOUND_ENDED:
        bz_guests_domain_ended(guests, finding->uuid);
        break;
    case FOUND_EVENT:
        bz_guests_domain_event(guests, finding->uuid, finding->event);
        break;
    case FOUND_LIST:
        bz_guests_libvirt_has(guests, finding->uuids);
        break;
    case FOUND_NOTHING:
        bz_guests_libvirt_lost(guests);
        break;
    }
    return G_SOURCE_REMOVE;
}

static Finding *finding_new(BzLibvirtWatch *watch, FindingKind kind, virDomainPtr domain)
{
    Finding *finding = g_new0(Finding, 1);
    char uuid[VIR_UUID_STRING_BUFLEN];

    finding->watch = watch;
    finding->kind = kind;
    if (domain && virDomainGetUUIDString(domain, uuid) == 0)
        finding->uuid = g_strdup(uuid);
    if (domain)
        finding->name = g_strdup(virDomainGetName(domain));
    return finding;
}

/* All findings come this way, from either thread, so that they keep their order. */
static void report(Finding *finding)
{
    g_main_context_invoke_full(NULL, G_PRIORITY_DEFAULT, deliver, finding, finding_free);
}

/* --- the worker: asking --- */

static const char *last_error(void)
{
    virErrorPtr error = virGetLastError();

    return error && error->message ? error->message : "unknown error";
}

static char *ask_monitor(const char *command, gpointer domain, GError **error)
{
    char *answer = NULL;

    if (virDomainQemuMonitorCommand(domain, command, &answer, VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT) < 0)
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_FAILED, last_error());
    return answer;
}

/* A file that was left over by a guest that was killed is none. */
static gboolean has_endpoint(BzLibvirtWatch *watch, const char *uuid)
{
    g_autofree char *path = g_strdup_printf("%s/%s.qmp", watch->configuration->runtime_directory, uuid);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, NULL);

    return socket && g_socket_connect(socket, address, NULL, NULL);
}

static void examine(BzLibvirtWatch *watch, const Task *task)
{
    Finding *finding = finding_new(watch, FOUND_RUNNING, task->domain);
    char *xml = virDomainGetXMLDesc(task->domain, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(BzDomain) domain = NULL;

    if (!finding->uuid || !finding->name) {
        finding_free(finding);
        free(xml);
        return;
    }
    finding->seen.is_fresh = task->is_fresh;
    finding->seen.is_loaded = task->is_loaded;
    if (xml)
        domain = bz_domain_parse(xml, watch->configuration, &error);
    if (domain) {
        finding->seen.wants = domain->features.boot_zeroed_memory == BZ_STATE_ON;
        /* Only those without an endpoint: libvirt marks a domain that was asked this way as tainted. */
        if (finding->seen.wants && !has_endpoint(watch, finding->uuid))
            finding->seen.qemu =
                bz_verify_qemu(&domain->features, watch->configuration, ask_monitor, task->domain, &finding->doubt);
    } else {
        finding->problem = g_strdup_printf("its definition cannot be read: %s", error ? error->message : last_error());
    }
    free(xml);
    report(finding);
}

static void examine_all(BzLibvirtWatch *watch)
{
    Finding *list = finding_new(watch, FOUND_LIST, NULL);
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(watch->connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    char uuid[VIR_UUID_STRING_BUFLEN];

    list->uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < n; i++)
        if (virDomainGetUUIDString(domains[i], uuid) == 0)
            g_hash_table_add(list->uuids, g_strdup(uuid));
    if (n < 0)
        finding_free(list);
    else
        report(list);
    for (int i = 0; i < n; i++) {
        Task task = {.domain = domains[i]};
        if (!g_atomic_int_get(&watch->stopping))
            examine(watch, &task);
        virDomainFree(domains[i]);
    }
    free(domains);
}

/* --- events, in the main loop --- */

static void examine_later(BzLibvirtWatch *watch, virDomainPtr domain, gboolean is_loaded)
{
    Task *task = g_new0(Task, 1);

    virDomainRef(domain);
    *task = (Task){TASK_EXAMINE, domain, TRUE, is_loaded};
    g_async_queue_push(watch->tasks, task);
}

static void report_event(BzLibvirtWatch *watch, virDomainPtr domain, enum bz_tracking_event event)
{
    Finding *finding = finding_new(watch, FOUND_EVENT, domain);

    finding->event = event;
    if (finding->uuid)
        report(finding);
    else
        finding_free(finding);
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *opaque)
{
    BzLibvirtWatch *watch = opaque;

    switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
        if (detail == VIR_DOMAIN_EVENT_STARTED_WAKEUP)
            break;
        examine_later(watch, domain, detail != VIR_DOMAIN_EVENT_STARTED_BOOTED);
        break;
    case VIR_DOMAIN_EVENT_RESUMED:
    case VIR_DOMAIN_EVENT_SUSPENDED:
        /* of the same process: a snapshot was loaded into it */
        if (event == VIR_DOMAIN_EVENT_RESUMED ? detail == VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT
                                              : detail == VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT)
            report_event(watch, domain, BZ_TRACKING_LOAD);
        break;
    case VIR_DOMAIN_EVENT_STOPPED: {
        Finding *finding = finding_new(watch, FOUND_ENDED, domain);
        if (finding->uuid)
            report(finding);
        else
            finding_free(finding);
        break;
    }
    }
    return 0;
}

static void on_qemu_event(virConnectPtr connection, virDomainPtr domain, const char *event, long long seconds,
                          unsigned int micros, const char *details, void *opaque)
{
    if (strcmp(event, "RESET") == 0)
        report_event(opaque, domain, BZ_TRACKING_RESET);
}

static void on_close(virConnectPtr connection, int reason, void *opaque)
{
    BzLibvirtWatch *watch = opaque;
    Task *task = g_new0(Task, 1);

    task->kind = TASK_RECONNECT;
    g_async_queue_push(watch->tasks, task);
}

/* --- the worker: connecting --- */

static gboolean register_events(BzLibvirtWatch *watch)
{
    watch->lifecycle = virConnectDomainEventRegisterAny(watch->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                        VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), watch, NULL);
    watch->qemu_event = virConnectDomainQemuMonitorEventRegister(watch->connection, NULL, "RESET", on_qemu_event, watch,
                                                                 NULL, 0);
    return watch->lifecycle >= 0 && watch->qemu_event >= 0 &&
           virConnectRegisterCloseCallback(watch->connection, on_close, watch, NULL) == 0 &&
           virConnectSetKeepAlive(watch->connection, KEEPALIVE_SECONDS, 3) >= 0;
}

static void disconnect(BzLibvirtWatch *watch)
{
    if (!watch->connection)
        return;
    virConnectUnregisterCloseCallback(watch->connection, on_close);
    if (watch->lifecycle >= 0)
        virConnectDomainEventDeregisterAny(watch->connection, watch->lifecycle);
    if (watch->qemu_event >= 0)
        virConnectDomainQemuMonitorEventDeregister(watch->connection, watch->qemu_event);
    virConnectClose(watch->connection);
    watch->connection = NULL;
}

/* A failure is told once, until it works again. */
static gboolean reconnect(BzLibvirtWatch *watch)
{
    disconnect(watch);
    watch->lifecycle = watch->qemu_event = -1;
    watch->connection = virConnectOpen(watch->uri);
    if (watch->connection && register_events(watch)) {
        if (watch->told_failure)
            g_message("libvirt can be reached again");
        watch->told_failure = FALSE;
        examine_all(watch);
        return TRUE;
    }
    if (!watch->told_failure)
        g_warning("libvirt cannot be reached, guests with the qemu provider cannot be watched: %s", last_error());
    watch->told_failure = TRUE;
    disconnect(watch);
    return FALSE;
}

static Task *next_task(BzLibvirtWatch *watch, gboolean connected)
{
    if (connected)
        return g_async_queue_pop(watch->tasks);
    return g_async_queue_timeout_pop(watch->tasks, RETRY_SECONDS * G_USEC_PER_SEC);
}

static gpointer work(gpointer data)
{
    BzLibvirtWatch *watch = data;
    gboolean connected = reconnect(watch);

    while (!g_atomic_int_get(&watch->stopping)) {
        Task *task = next_task(watch, connected);
        if (!task) {
            connected = reconnect(watch);
            continue;
        }
        if (task->kind == TASK_EXAMINE && connected) {
            examine(watch, task);
        } else if (task->kind == TASK_RECONNECT && connected) {
            report(finding_new(watch, FOUND_NOTHING, NULL));
            disconnect(watch);
            connected = FALSE;
        }
        task_free(task);
    }
    disconnect(watch);
    return NULL;
}

static void be_quiet(void *opaque, virErrorPtr error)
{
}

BzLibvirtWatch *bz_libvirt_watch_new(const char *uri, const BzConfiguration *configuration, BzGuests *guests)
{
    BzLibvirtWatch *watch = g_new0(BzLibvirtWatch, 1);

    virSetErrorFunc(NULL, be_quiet);
    gvir_event_register();
    watch->uri = g_strdup(uri);
    watch->configuration = configuration;
    watch->guests = guests;
    watch->tasks = g_async_queue_new_full(task_free);
    watch->worker = g_thread_new("libvirt", work, watch);
    return watch;
}

void bz_libvirt_watch_free(BzLibvirtWatch *watch)
{
    Task *task = g_new0(Task, 1);

    if (!watch)
        return;
    g_atomic_int_set(&watch->stopping, 1);
    task->kind = TASK_STOP;
    g_async_queue_push(watch->tasks, task);
    g_thread_join(watch->worker);
    g_async_queue_unref(watch->tasks);
    g_free(watch->uri);
    g_free(watch);
}
