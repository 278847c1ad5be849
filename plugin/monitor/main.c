/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtbootzerod: one QMP endpoint for the tracking state of every guest of the host. */
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "core/configuration.h"
#include "monitor/guests.h"
#include "monitor/libvirt-watch.h"
#include "monitor/metrics.h"
#include "monitor/notify.h"

#define PROGRAM "virtbootzerod"

typedef struct {
    char *uri, *socket, *metrics_path;
    gboolean without_libvirt, version;
    BzMetrics *metrics;
} Monitor;

static void on_change(gpointer data)
{
    Monitor *monitor = data;

    if (monitor->metrics)
        bz_metrics_changed(monitor->metrics);
}

static gboolean on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

/* To the journal as <LEVEL>text, to a terminal without the level. */
static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    int priority = level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? 3 : level & G_LOG_LEVEL_WARNING ? 4 : 6;

    if (level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO))
        return G_LOG_WRITER_HANDLED;
    for (gsize i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].key, "MESSAGE") != 0)
            continue;
        if (g_getenv("JOURNAL_STREAM"))
            fprintf(stderr, "<%d>%s\n", priority, (const char *)fields[i].value);
        else
            fprintf(stderr, PROGRAM ": %s\n", (const char *)fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

/* A descriptor a guest: the usual 1024 are not enough. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int refuse(const char *message)
{
    fprintf(stderr, "error: %s\n", message);
    return 1;
}

static int run(Monitor *monitor)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BzConfiguration) configuration = bz_configuration_load(NULL, &error);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(BzGuests) guests = NULL;
    g_autoptr(BzLibvirtWatch) libvirt = NULL;
    g_autofree char *path = NULL;

    if (!configuration)
        return refuse(error->message);
    path = monitor->socket ? g_strdup(monitor->socket)
                           : g_build_filename(configuration->runtime_directory, "monitor.qmp", NULL);
    guests = bz_guests_new(configuration->runtime_directory, path, bz_notify_listen_fd(), on_change, monitor, &error);
    if (!guests)
        return refuse(error->message);
    if (monitor->metrics_path)
        monitor->metrics = bz_metrics_new(monitor->metrics_path, guests);
    if (!monitor->without_libvirt)
        libvirt = bz_libvirt_watch_new(monitor->uri, configuration, guests);

    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_unix_signal_add(SIGINT, on_signal, loop);
    bz_notify("READY=1");
    g_main_loop_run(loop);
    bz_notify("STOPPING=1");
    g_clear_pointer(&libvirt, bz_libvirt_watch_free);
    g_clear_pointer(&monitor->metrics, bz_metrics_free);
    return 0;
}

int main(int argc, char **argv)
{
    Monitor monitor = {0};
    const GOptionEntry entries[] = {
        {"connect", 'c', 0, G_OPTION_ARG_STRING, &monitor.uri, "libvirt to watch, as in virsh", "URI"},
        {"without-libvirt", 0, 0, G_OPTION_ARG_NONE, &monitor.without_libvirt, "Watch endpoints of guests alone", NULL},
        {"socket", 0, 0, G_OPTION_ARG_FILENAME, &monitor.socket, "Listen at PATH", "PATH"},
        {"metrics", 0, 0, G_OPTION_ARG_FILENAME, &monitor.metrics_path, "Keep OpenMetrics text in PATH", "PATH"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &monitor.version, "Print the version and exit", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    int status;

    setlocale(LC_CTYPE, "");
    g_log_set_writer_func(write_log, NULL, NULL);
    g_option_context_set_summary(context, "One QMP endpoint for the boot-zeroed memory of every guest of this host.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        if (error)
            fprintf(stderr, "error: %s\n", error->message);
        else
            fprintf(stderr, "error: unexpected operand '%s'\n", argv[1]);
        fprintf(stderr, "Try '" PROGRAM " --help'.\n");
        return 2;
    }
    if (monitor.version) {
        printf(PROGRAM " %s\n", BZ_VERSION);
        return 0;
    }
    raise_descriptor_limit();
    status = run(&monitor);
    g_free(monitor.uri);
    g_free(monitor.socket);
    g_free(monitor.metrics_path);
    return status;
}
