/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of the guests as OpenMetrics text, in a file for node_exporter's textfile collector. */
#pragma once
#include "monitor/guests.h"

/* The text. Free with g_free(). */
char *bz_metrics_format(BzGuests *guests);

typedef struct BzMetrics BzMetrics;

/*
 * Keeps the file at path up to date: written anew in full, at most once a second, when something has changed. While it
 * cannot be written there is none; that is said once, and it is tried again every other second.
 */
BzMetrics *bz_metrics_new(const char *path, BzGuests *guests);
void bz_metrics_changed(BzMetrics *metrics);
/* Removes the file: numbers of a monitor that does not run are no longer true. */
void bz_metrics_free(BzMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzMetrics, bz_metrics_free)
