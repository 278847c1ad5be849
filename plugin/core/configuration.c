/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/configuration.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

#define GROUP "bootzero"
#define TIMEOUT_DEFAULT 10
#define TIMEOUT_LIMIT 600

const char *bz_provider_to_string(BzProvider provider)
{
    switch (provider) {
    case BZ_PROVIDER_NONE:
        return "none";
    case BZ_PROVIDER_AUTO:
        return "auto";
    case BZ_PROVIDER_QEMU:
        return "qemu";
    case BZ_PROVIDER_PRELOAD:
        return "preload";
    }
    return "none";
}

gboolean bz_provider_from_string(const char *text, BzProvider *provider)
{
    static const BzProvider wishes[] = {BZ_PROVIDER_AUTO, BZ_PROVIDER_QEMU, BZ_PROVIDER_PRELOAD};

    for (gsize i = 0; i < G_N_ELEMENTS(wishes); i++) {
        if (strcmp(text, bz_provider_to_string(wishes[i])) == 0) {
            *provider = wishes[i];
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean set_provider(BzConfiguration *configuration, const char *value)
{
    return bz_provider_from_string(value, &configuration->provider);
}

/* The name ends up in a -global argument: whatever QEMU could take for something else stays out. */
static gboolean set_property(char **slot, const char *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    if (!g_ascii_islower(value[0]) || value[strspn(value, allowed)] != '\0')
        return FALSE;
    g_free(*slot);
    *slot = g_strdup(value);
    return TRUE;
}

static gboolean set_ext_query_caps_property(BzConfiguration *configuration, const char *value)
{
    return set_property(&configuration->ext_query_caps_property, value);
}

static gboolean set_boot_zeroed_mem_property(BzConfiguration *configuration, const char *value)
{
    return set_property(&configuration->boot_zeroed_mem_property, value);
}

static gboolean set_provider_library(BzConfiguration *configuration, const char *value)
{
    /*
     * ld.so splits LD_PRELOAD at spaces and colons, and has no way to quote them. By its name the library is told from
     * the user's own ones there.
     */
    if (!g_path_is_absolute(value) || strpbrk(value, ": \t\n") || !g_str_has_suffix(value, "/" BZ_PROVIDER_LIBRARY_NAME))
        return FALSE;
    g_free(configuration->provider_library);
    configuration->provider_library = g_strdup(value);
    return TRUE;
}

static gboolean set_seconds(guint *slot, const char *value, guint64 limit)
{
    guint64 seconds;

    if (!g_ascii_string_to_unsigned(value, 10, 1, limit, &seconds, NULL))
        return FALSE;
    *slot = (guint)seconds;
    return TRUE;
}

static gboolean set_probe_timeout(BzConfiguration *configuration, const char *value)
{
    return set_seconds(&configuration->probe_timeout, value, TIMEOUT_LIMIT);
}

static gboolean set_track_seconds(BzConfiguration *configuration, const char *value)
{
    return set_seconds(&configuration->track_seconds, value, BZ_TRACK_SECONDS_MAX);
}

static gboolean set_cache_directory(BzConfiguration *configuration, const char *value)
{
    if (!g_path_is_absolute(value))
        return FALSE;
    g_free(configuration->cache_directory);
    configuration->cache_directory = g_strdup(value);
    return TRUE;
}

static gboolean set_runtime_directory(BzConfiguration *configuration, const char *value)
{
    gsize length = strlen(value);

    /* BOOTZERO, where it goes to, has commas between its words. */
    if (!g_path_is_absolute(value) || strchr(value, ',') || length > BZ_RUNTIME_DIRECTORY_LIMIT)
        return FALSE;
    while (length > 1 && value[length - 1] == '/')
        length--;
    g_free(configuration->runtime_directory);
    configuration->runtime_directory = g_strndup(value, length);
    return TRUE;
}

static void set_default_runtime_directory(BzConfiguration *configuration)
{
    g_autofree char *of_user = g_build_filename(g_get_user_runtime_dir(), "bootzero", NULL);

    if (geteuid() == 0 || !set_runtime_directory(configuration, of_user))
        set_runtime_directory(configuration, BZ_RUNTIME_DIR);
}

static const struct {
    const char *key;
    const char *allowed;
    gboolean (*set)(BzConfiguration *configuration, const char *value);
} settings[] = {
    {"provider", "auto, qemu or preload", set_provider},
    {"ext-query-caps-property", "the name of a CPU property: a-z, 0-9 and '-'", set_ext_query_caps_property},
    {"boot-zeroed-mem-property", "the name of a CPU property: a-z, 0-9 and '-'", set_boot_zeroed_mem_property},
    {"provider-library", "an absolute path without spaces and colons to a " BZ_PROVIDER_LIBRARY_NAME, set_provider_library},
    {"probe-timeout", "a number of seconds from 1 to 600", set_probe_timeout},
    {"cache-directory", "an absolute path", set_cache_directory},
    {"runtime-directory", "an absolute path of at most 64 bytes without commas", set_runtime_directory},
    {"track-seconds", "a number of seconds from 1 to " G_STRINGIFY(BZ_TRACK_SECONDS_MAX), set_track_seconds},
};

static gboolean apply(BzConfiguration *configuration, const char *path, GKeyFile *file, const char *key, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (strcmp(key, settings[i].key) != 0)
            continue;

        g_autoptr(GError) cause = NULL;
        g_autofree char *value = g_key_file_get_string(file, GROUP, key, &cause);
        if (!value) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s: %s: %s", path, key, cause->message);
            return FALSE;
        }
        g_strchomp(value);
        if (!settings[i].set(configuration, value)) {
            g_autofree char *shown = bz_text_escape(value, 80);
            g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s: invalid value for '%s': '%s': must be %s", path, key, shown,
                        settings[i].allowed);
            return FALSE;
        }
        return TRUE;
    }

    GString *known = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        g_string_append_printf(known, "%s%s", i ? ", " : "", settings[i].key);
    g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s: unknown key '%s' in [" GROUP "]: must be one of %s", path, key,
                known->str);
    g_string_free(known, TRUE);
    return FALSE;
}

static gboolean apply_all(BzConfiguration *configuration, const char *path, GKeyFile *file, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

    for (char **group = groups; *group; group++) {
        if (strcmp(*group, GROUP) != 0) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s: unknown group [%s]: must be [" GROUP "]", path, *group);
            return FALSE;
        }
        g_auto(GStrv) keys = g_key_file_get_keys(file, GROUP, NULL, NULL);
        for (char **key = keys; key && *key; key++) {
            if (!apply(configuration, path, file, *key, error))
                return FALSE;
        }
    }
    return TRUE;
}

BzConfiguration *bz_configuration_load(const char *path, GError **error)
{
    g_autoptr(BzConfiguration) configuration = g_new0(BzConfiguration, 1);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) cause = NULL;
    gboolean must_exist = FALSE;

    configuration->provider = BZ_PROVIDER_AUTO;
    configuration->ext_query_caps_property = g_strdup("hv-ext-query-caps");
    configuration->boot_zeroed_mem_property = g_strdup("hv-boot-zeroed-mem");
    configuration->provider_library = g_strdup(BZ_PROVIDER_LIBRARY);
    configuration->probe_timeout = TIMEOUT_DEFAULT;
    configuration->track_seconds = BZ_TRACK_SECONDS;
    configuration->cache_directory = g_strdup(BZ_CACHE_DIR);
    set_default_runtime_directory(configuration);

    if (!path) {
        path = secure_getenv("BOOTZERO_CONFIG");
        must_exist = path != NULL;
    }
    if (!path)
        path = BZ_CONFIG_FILE;

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_KEEP_TRANSLATIONS, &cause)) {
        if (g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT) && !must_exist)
            return g_steal_pointer(&configuration);
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s%s: %s", path, must_exist ? " (named by BOOTZERO_CONFIG)" : "",
                    cause->message);
        return NULL;
    }
    if (!apply_all(configuration, path, file, error))
        return NULL;
    return g_steal_pointer(&configuration);
}

void bz_configuration_free(BzConfiguration *configuration)
{
    if (!configuration)
        return;
    g_free(configuration->ext_query_caps_property);
    g_free(configuration->boot_zeroed_mem_property);
    g_free(configuration->provider_library);
    g_free(configuration->cache_directory);
    g_free(configuration->runtime_directory);
    g_free(configuration);
}
