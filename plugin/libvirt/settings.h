/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration, kept between calls and read again when its file changes. */
#pragma once
#include "core/configuration.h"

typedef struct {
    BzConfiguration *configuration;
    guint generation; /* another number for each reading of the file, from 1 */
} BzSettings;

/*
 * What the file says now. The caller holds a reference: another thread may see a newer file meanwhile.
 * NULL with the error of bz_configuration_load() while the file is broken. Safe from any thread.
 */
BzSettings *bz_settings_get(GError **error);
void bz_settings_unref(BzSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzSettings, bz_settings_unref)
