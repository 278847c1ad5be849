/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's side of the monitor: which domains run, with and without the feature, and what happens to those with the
 * qemu provider. A thread of its own connects (again and again) and asks, since libvirt may take its time; events come
 * through the main loop. guests is only touched in the main loop.
 */
#pragma once
#include "core/configuration.h"
#include "monitor/guests.h"

typedef struct BzLibvirtWatch BzLibvirtWatch;

/* uri NULL stands for libvirt's default. Before any other use of libvirt. configuration has to outlive it. */
BzLibvirtWatch *bz_libvirt_watch_new(const char *uri, const BzConfiguration *configuration, BzGuests *guests);
/* Waits for the thread. */
void bz_libvirt_watch_free(BzLibvirtWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzLibvirtWatch, bz_libvirt_watch_free)
