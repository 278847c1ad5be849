/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remembers what emulators said: in this process, and for the next ones in files of configuration->cache_directory,
 * one an emulator. Key: resolved path, size, mtime in nanoseconds; the files also carry bootzero's version.
 *
 * A file is believed only when root, or the user we run as, alone can have written it; one that is damaged, of another
 * version or about another state of the emulator is the same as none. That the cache cannot be written is no error.
 * A failure is remembered for a minute and only in this process, so that an emulator that hangs costs its time once.
 */
#pragma once
#include <sys/stat.h>

#include "core/qemu-probe.h"

typedef BzQemuProbe *(*BzProber)(const char *path, const BzConfiguration *configuration, GError **error);

/* path is resolved and st its state. Asks prober when nothing is remembered; its errors are passed on. */
BzQemuProbe *bz_probe_cache_get(const char *path, const struct stat *st, const BzConfiguration *configuration,
                                BzProber prober, GError **error);

/* Forgets what this process remembers; the files stay. For tests: nobody else may be in bz_probe_cache_get(). */
void bz_probe_cache_forget(void);
