/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds libvirt's functions in the process that loaded the plugin. The plugin is not linked to libvirt. */
#pragma once
#include <glib.h>
#include <libvirt/libvirt.h>

/*
 * The function of that name that comes after the plugin: libvirt's own. NULL when this libvirt has none.
 * slot, static and NULL at first, keeps it: one for each name. Safe from any thread.
 */
gpointer bz_next(gpointer *slot, const char *symbol);

/* libvirt's function, past the plugin's own. NULL, and no error, when this libvirt has none. */
#define ASK(failed, name, ...)                        \
    ({                                                \
        static gpointer slot;                         \
        __typeof__(&name) ask = bz_next(&slot, #name); \
                                                      \
        ask != NULL ? ask(__VA_ARGS__) : (failed);    \
    })

/* libvirt's own connection of domain, not a reference. */
virConnectPtr bz_connection_of(virDomainPtr domain);
