/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/probe-cache.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/trust.h"

#define FAILURE_LIFETIME (60 * G_USEC_PER_SEC)
#define FILE_LIMIT (256 * 1024)
#define GROUP "probe"

/* One emulator in one state. Exactly one of running, probe and failure is set. */
typedef struct {
    gboolean running; /* a thread is asking it: the others wait */
    BzQemuProbe *probe;
    GError *failure;
    gint64 expires; /* of failure, monotonic */
} Entry;

static GMutex lock;
static GCond changed;
static GHashTable *entries; /* key -> Entry, under lock */

static void entry_free(gpointer data)
{
    Entry *entry = data;

    bz_qemu_probe_free(entry->probe);
    g_clear_error(&entry->failure);
    g_free(entry);
}

static char *state_of(const struct stat *st)
{
    return g_strdup_printf("%lld %lld.%09ld", (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static char *file_for(const char *path, const BzConfiguration *configuration)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
    g_autofree char *name = g_strdup_printf("probe-%.32s", digest);

    return g_build_filename(configuration->cache_directory, name, NULL);
}

/* The content of a file that nobody untrusted can have written, or NULL. */
static char *read_trusted(const char *file, gsize *length)
{
    g_autofree char *resolved = realpath(file, NULL);
    g_autofree char *content = NULL;
    struct stat st;

    if (!resolved || !bz_path_is_trusted(resolved, NULL))
        return NULL;
    int fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_LIMIT) {
        content = g_malloc((gsize)st.st_size + 1);
        ssize_t n = read(fd, content, (size_t)st.st_size);
        if (n < 0)
            g_clear_pointer(&content, g_free);
        else
            *length = (gsize)n;
    }
    close(fd);
    return g_steal_pointer(&content);
}

static gboolean value_is(GKeyFile *store, const char *key, const char *expected)
{
    g_autofree char *value = g_key_file_get_string(store, GROUP, key, NULL);

    return g_strcmp0(value, expected) == 0;
}

static BzQemuProbe *load(const char *path, const char *state, const BzConfiguration *configuration)
{
    g_autofree char *file = file_for(path, configuration);
    g_autoptr(GKeyFile) store = g_key_file_new();
    g_autoptr(BzQemuProbe) probe = bz_qemu_probe_new();
    gsize length = 0;
    g_autofree char *content = read_trusted(file, &length);

    if (!content || !g_key_file_load_from_data(store, content, length, G_KEY_FILE_NONE, NULL) ||
        !value_is(store, "bootzero", BZ_VERSION) || !value_is(store, "path", path) || !value_is(store, "state", state))
        return NULL;
    probe->path = g_strdup(path);
    probe->version = g_key_file_get_string(store, GROUP, "version", NULL);
    probe->target = g_key_file_get_string(store, GROUP, "target", NULL);
    probe->properties = g_key_file_get_string_list(store, GROUP, "properties", NULL, NULL);
    if (!probe->version || !probe->target || !probe->properties || !g_key_file_get_boolean(store, GROUP, "complete", NULL))
        return NULL;
    probe->cpu_type = g_strdup(bz_qemu_cpu_type(probe->target));
    return g_steal_pointer(&probe);
}

static void save(const BzQemuProbe *probe, const char *path, const char *state, const BzConfiguration *configuration)
{
    g_autofree char *file = file_for(path, configuration);
    g_autoptr(GKeyFile) store = g_key_file_new();
    gsize length;

    if (g_mkdir_with_parents(configuration->cache_directory, 0755) < 0)
        return;
    g_key_file_set_string(store, GROUP, "bootzero", BZ_VERSION);
    g_key_file_set_string(store, GROUP, "path", path);
    g_key_file_set_string(store, GROUP, "state", state);
    g_key_file_set_string(store, GROUP, "version", probe->version);
    g_key_file_set_string(store, GROUP, "target", probe->target);
    g_key_file_set_string_list(store, GROUP, "properties", (const char *const *)probe->properties,
                               g_strv_length(probe->properties));
    /* Last: a file cut short lacks it. */
    g_key_file_set_boolean(store, GROUP, "complete", TRUE);

    g_autofree char *content = g_key_file_to_data(store, &length, NULL);
    if (!g_file_set_contents_full(file, content, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0644, NULL))
        g_debug("cannot write %s", file);
}

/* Called without the lock: asks the files, then the emulator. */
static BzQemuProbe *find(const char *path, const char *state, const BzConfiguration *configuration, BzProber prober,
                         GError **error)
{
    BzQemuProbe *probe = load(path, state, configuration);
    struct stat st;

    if (probe)
        return probe;
    probe = prober(path, configuration, error);
    if (!probe)
        return NULL;

    /* An answer of a file that was replaced meanwhile belongs to no known state. */
    if (stat(path, &st) == 0) {
        g_autofree char *now = state_of(&st);
        if (strcmp(now, state) == 0)
            save(probe, path, state, configuration);
    }
    return probe;
}

BzQemuProbe *bz_probe_cache_get(const char *path, const struct stat *st, const BzConfiguration *configuration,
                                BzProber prober, GError **error)
{
    g_autofree char *state = state_of(st);
    g_autofree char *key = g_strconcat(path, "\n", state, NULL);
    BzQemuProbe *probe = NULL;
    Entry *entry;

    g_mutex_lock(&lock);
    if (!entries)
        entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    while ((entry = g_hash_table_lookup(entries, key)) && entry->running)
        g_cond_wait(&changed, &lock);
    if (entry && entry->failure && entry->expires <= g_get_monotonic_time()) {
        g_hash_table_remove(entries, key);
        entry = NULL;
    }

    if (!entry) {
        g_autoptr(GError) failure = NULL;
        entry = g_new0(Entry, 1);
        entry->running = TRUE;
        g_hash_table_insert(entries, g_strdup(key), entry);
        g_mutex_unlock(&lock);

        probe = find(path, state, configuration, prober, &failure);

        g_mutex_lock(&lock);
        entry->running = FALSE;
        entry->probe = probe;
        entry->failure = g_steal_pointer(&failure);
        entry->expires = g_get_monotonic_time() + FAILURE_LIFETIME;
        g_cond_broadcast(&changed);
    }

    if (entry->probe)
        probe = bz_qemu_probe_ref(entry->probe);
    else
        g_propagate_error(error, g_error_copy(entry->failure));
    g_mutex_unlock(&lock);
    return probe;
}

void bz_probe_cache_forget(void)
{
    g_mutex_lock(&lock);
    g_clear_pointer(&entries, g_hash_table_unref);
    g_mutex_unlock(&lock);
}
