/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was restored lately. Management applications ask for the XML of the same domains again and again, and the part of
 * it that is restored (libvirt/shorten.h) changes only when a domain is defined anew.
 *
 * Bounded: as many domains as a host has, each within a size that is common; when full it starts over.
 */
#pragma once
#include "libvirt/settings.h"

/* The restored form of that text, to be freed with g_free(); NULL when it is not known. Safe from any thread, as the next. */
char *bz_memo_get(const BzSettings *settings, const char *stored);

void bz_memo_put(const BzSettings *settings, const char *stored, const char *restored);
