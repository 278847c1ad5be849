/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/qemu-probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/emulator.h"
#include "core/error.h"
#include "core/probe-cache.h"
#include "core/qmp-client.h"
#include "core/text.h"
#include "core/trust.h"

/* How long an emulator that closed its monitor may take to end, so that its exit status can be told. */
#define END_PATIENCE (G_USEC_PER_SEC / 2)

BzQemuProbe *bz_qemu_probe_new(void)
{
    return g_atomic_rc_box_new0(BzQemuProbe);
}

BzQemuProbe *bz_qemu_probe_ref(BzQemuProbe *probe)
{
    return g_atomic_rc_box_acquire(probe);
}

static void clear(gpointer data)
{
    BzQemuProbe *probe = data;

    g_free(probe->path);
    g_free(probe->version);
    g_free(probe->target);
    g_free(probe->cpu_type);
    g_strfreev(probe->properties);
}

void bz_qemu_probe_free(BzQemuProbe *probe)
{
    if (probe)
        g_atomic_rc_box_release_full(probe, clear);
}

gboolean bz_qemu_probe_has(const BzQemuProbe *probe, const char *property)
{
    return g_strv_contains((const char *const *)probe->properties, property);
}

gboolean bz_qemu_probe_is_at_least(const BzQemuProbe *probe, guint major, guint minor)
{
    char *end;
    guint64 have_major = g_ascii_strtoull(probe->version, &end, 10);
    guint64 have_minor = *end == '.' ? g_ascii_strtoull(end + 1, NULL, 10) : 0;

    return have_major > major || (have_major == major && have_minor >= minor);
}

const char *bz_qemu_cpu_type(const char *target)
{
    if (strcmp(target, "x86_64") == 0)
        return "x86_64-cpu";
    if (strcmp(target, "i386") == 0)
        return "i386-cpu";
    return NULL;
}

static gboolean is_x86_32(const char *arch)
{
    return strlen(arch) == 4 && arch[0] == 'i' && strcmp(arch + 2, "86") == 0;
}

char *bz_qemu_default_path(const char *arch)
{
    struct utsname host;

    if (uname(&host) < 0)
        return NULL;
    if (!arch)
        arch = host.machine;

    g_autofree char *name = g_strconcat("qemu-system-", is_x86_32(arch) ? "i386" : arch, NULL);
    char *path = g_find_program_in_path(name);

    /* Red Hat's only emulator, for the host's architecture. */
    if (!path && strcmp(arch, host.machine) == 0 && access("/usr/libexec/qemu-kvm", X_OK) == 0)
        path = g_strdup("/usr/libexec/qemu-kvm");
    return path;
}

static gboolean misunderstood(const char *command, GError **error)
{
    g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_GARBAGE, "gave an answer to '%s' that does not have QMP's form", command);
    return FALSE;
}

/* A member of an object of unknown content, when it has the type. */
static JsonNode *member(JsonNode *node, const char *name, JsonNodeType type)
{
    JsonNode *found = NULL;

    if (node && JSON_NODE_HOLDS_OBJECT(node))
        found = json_object_get_member(json_node_get_object(node), name);
    return found && JSON_NODE_TYPE(found) == type ? found : NULL;
}

static const char *string_member(JsonNode *node, const char *name)
{
    JsonNode *found = member(node, name, JSON_NODE_VALUE);

    return found && json_node_get_value_type(found) == G_TYPE_STRING ? json_node_get_string(found) : NULL;
}

static gboolean number_member(JsonNode *node, const char *name, gint64 *value)
{
    JsonNode *found = member(node, name, JSON_NODE_VALUE);

    if (!found || json_node_get_value_type(found) != G_TYPE_INT64)
        return FALSE;
    *value = json_node_get_int(found);
    return *value >= 0 && *value <= G_MAXINT;
}

static gboolean ask_version(BzQmpClient *client, BzQemuProbe *probe, GError **error)
{
    gint64 major, minor, micro;
    g_autoptr(JsonNode) answer = bz_qmp_client_execute(client, "query-version", NULL, error);

    if (!answer)
        return FALSE;
    JsonNode *qemu = member(answer, "qemu", JSON_NODE_OBJECT);
    if (!number_member(qemu, "major", &major) || !number_member(qemu, "minor", &minor) ||
        !number_member(qemu, "micro", &micro))
        return misunderstood("query-version", error);
    probe->version = g_strdup_printf("%d.%d.%d", (int)major, (int)minor, (int)micro);
    return TRUE;
}

static gboolean ask_target(BzQmpClient *client, BzQemuProbe *probe, GError **error)
{
    g_autoptr(JsonNode) answer = bz_qmp_client_execute(client, "query-target", NULL, error);

    if (!answer)
        return FALSE;
    const char *arch = string_member(answer, "arch");
    if (!arch)
        return misunderstood("query-target", error);
    probe->target = bz_text_escape(arch, 32);
    probe->cpu_type = g_strdup(bz_qemu_cpu_type(probe->target));
    return TRUE;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean ask_properties(BzQmpClient *client, BzQemuProbe *probe, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    JsonObject *arguments = json_object_new();
    /* The properties are those of the abstract type, which cannot be asked. */
    g_autofree char *type = g_strconcat("max-", probe->cpu_type, NULL);

    json_object_set_string_member(arguments, "typename", type);
    g_autoptr(JsonNode) answer = bz_qmp_client_execute(client, "device-list-properties", arguments, error);
    if (!answer)
        return FALSE;
    if (!JSON_NODE_HOLDS_ARRAY(answer))
        return misunderstood("device-list-properties", error);

    JsonArray *list = json_node_get_array(answer);
    for (guint i = 0; i < json_array_get_length(list); i++) {
        const char *name = string_member(json_array_get_element(list, i), "name");
        if (!name)
            return misunderstood("device-list-properties", error);
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    probe->properties = (GStrv)g_ptr_array_steal(names, NULL);
    return TRUE;
}

static gboolean converse(BzQmpClient *client, BzQemuProbe *probe, GError **error)
{
    if (!bz_qmp_client_handshake(client, error) || !ask_version(client, probe, error) || !ask_target(client, probe, error))
        return FALSE;
    if (probe->cpu_type)
        return ask_properties(client, probe, error);
    probe->properties = g_new0(char *, 1);
    return TRUE;
}

static BzQemuProbe *run(const char *path, const BzConfiguration *configuration, GError **error)
{
    g_autofree char *shown = bz_text_escape(path, 200);
    g_autoptr(BzQemuProbe) probe = bz_qemu_probe_new();
    g_autoptr(GError) cause = NULL;
    gint64 deadline = g_get_monotonic_time() + configuration->probe_timeout * G_USEC_PER_SEC;
    BzEmulator emulator;

    if (!bz_emulator_start(&emulator, path, configuration->probe_timeout + 1, &cause)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' %s", shown, cause->message);
        return NULL;
    }

    g_autoptr(BzQmpClient) client = bz_qmp_client_new(emulator.monitor, deadline);
    gboolean ok = converse(client, probe, &cause);
    gboolean closed = g_error_matches(cause, BZ_QMP_ERROR, BZ_QMP_ERROR_CLOSED);
    g_autofree char *end = bz_emulator_stop(&emulator, closed ? END_PATIENCE : 0);

    if (ok) {
        probe->path = g_strdup(path);
        return g_steal_pointer(&probe);
    }
    if (g_error_matches(cause, BZ_QMP_ERROR, BZ_QMP_ERROR_TIMEOUT))
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' %s within %u seconds of the start of its probe: "
                    "try it by hand, or raise probe-timeout in bootzero.conf", shown, cause->message,
                    configuration->probe_timeout);
    else if (closed && end)
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' %s", shown, end);
    else
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' %s: it is not a QEMU system emulator, or broken",
                    shown, cause->message);
    return NULL;
}

BzQemuProbe *bz_qemu_probe(const char *path, const BzConfiguration *configuration, GError **error)
{
    g_autofree char *shown = bz_text_escape(path, 200);
    g_autofree char *resolved = NULL;
    g_autoptr(GError) cause = NULL;
    struct stat st;

    if (!g_path_is_absolute(path)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' is not an absolute path", shown);
        return NULL;
    }
    resolved = realpath(path, NULL);
    if (!resolved || stat(resolved, &st) < 0) {
        if (errno == ENOENT)
            g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' does not exist: install it or correct "
                        "<emulator>", shown);
        else
            g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' cannot be found: %s", shown, g_strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' is not an executable file", shown);
        return NULL;
    }
    if (st.st_mode & (S_ISUID | S_ISGID)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' is not run to probe it: it has the setuid or "
                    "setgid bit", shown);
        return NULL;
    }
    if (!bz_path_is_trusted(resolved, &cause)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "emulator '%s' is not trusted: %s", shown, cause->message);
        return NULL;
    }
    return bz_probe_cache_get(resolved, &st, configuration, run, error);
}
