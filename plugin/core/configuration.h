/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/bootzero/bootzero.conf, a GKeyFile:
 *
 *   [bootzero]
 *   provider = auto | qemu | preload
 *   ext-query-caps-property = hv-ext-query-caps      names of the CPU properties of the qemu provider
 *   boot-zeroed-mem-property = hv-boot-zeroed-mem
 *   provider-library = LIBDIR/bootzero/bootzero-qemu.so   of the preload provider; no spaces, no colons (LD_PRELOAD)
 *   probe-timeout = 10                               seconds an emulator has to answer the probe, 1 to 600
 *   cache-directory = /var/cache/bootzero
 *   runtime-directory = /run/bootzero                sockets of the QMP endpoints; $XDG_RUNTIME_DIR/bootzero for who is
 *                                                    not root. No commas; no more than BZ_RUNTIME_DIRECTORY_LIMIT bytes
 *   track-seconds = 300                              that a guest has for its question, where its memory was populated in
 *                                                    advance (provider preload), 1 to 86400
 *
 * Every key is optional. An unknown key, group or value is an error: a misspelt key must not pass for the default.
 */
#pragma once
#include <glib.h>

#include "core/track-seconds.h"

/* What a Unix socket's path leaves when "/UUID.qmp" comes behind it. */
#define BZ_RUNTIME_DIRECTORY_LIMIT 64

/* The provider's file name, in whatever folder. */
#define BZ_PROVIDER_LIBRARY_NAME "bootzero-qemu.so"

typedef enum {
    BZ_PROVIDER_NONE, /* the guest cannot have it here */
    BZ_PROVIDER_AUTO, /* only as a wish, never as a choice */
    BZ_PROVIDER_QEMU,
    BZ_PROVIDER_PRELOAD,
} BzProvider;

/* "none", "auto", "qemu", "preload". Static storage. */
const char *bz_provider_to_string(BzProvider provider);
/* Takes auto, qemu and preload: what a user may wish for. */
gboolean bz_provider_from_string(const char *text, BzProvider *provider);

typedef struct {
    BzProvider provider;
    char *ext_query_caps_property;
    char *boot_zeroed_mem_property;
    char *provider_library;
    guint probe_timeout; /* seconds */
    char *cache_directory;
    char *runtime_directory; /* without a slash at its end; NULL for guests without an endpoint (in tests) */
    guint track_seconds;
} BzConfiguration;

/*
 * Reads the file at path. NULL stands for the one the environment variable BOOTZERO_CONFIG names (not in a setuid
 * program; it has to exist), else for the built-in place. A file that does not exist gives the defaults.
 * Errors name file, key, value and what is allowed: BZ_ERROR_FAILED.
 */
BzConfiguration *bz_configuration_load(const char *path, GError **error);
void bz_configuration_free(BzConfiguration *configuration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzConfiguration, bz_configuration_free)
