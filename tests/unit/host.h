/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host for the programs: a stock emulator, a provider's library, and the configuration that names it. */
#pragma once
#include "fake-emulator.h"
#include "scratch.h"

typedef struct {
    Scratch scratch;
    char *configuration;
    char *emulator;
    char *library;
} Fixture;

static inline void set_up(Fixture *fixture, gconstpointer data)
{
    scratch_set_up(&fixture->scratch, NULL);
    fixture->emulator = scratch_file(&fixture->scratch, "emulator", FAKE_STOCK, 0755);
    fixture->library = scratch_file(&fixture->scratch, "bootzero-qemu.so", "", 0644);
    g_autofree char *settings =
        g_strdup_printf("[bootzero]\ncache-directory = %s/cache\nprobe-timeout = 30\nprovider-library = %s\n",
                        fixture->scratch.path, fixture->library);
    fixture->configuration = scratch_file(&fixture->scratch, "bootzero.conf", settings, 0644);
}

static inline void tear_down(Fixture *fixture, gconstpointer data)
{
    g_free(fixture->configuration);
    g_free(fixture->emulator);
    g_free(fixture->library);
    scratch_tear_down(&fixture->scratch, NULL);
}
