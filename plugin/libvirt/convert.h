/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML on its way through the daemon: what the interposed functions do with it, around core/translate.h. */
#pragma once
#include <libvirt/libvirt.h>

#include "core/translate.h"

/* What a client's XML is for, which decides on the provider, and on what happens when this host has none. */
typedef enum {
    BZ_TO_DEFINE,  /* to be kept: what this host cannot do is accepted, and refused at start */
    BZ_TO_CREATE,  /* to start now */
    BZ_TO_KEEP,    /* of a guest that runs or is saved, to go on later: with a provider of this host, or else its own */
    BZ_TO_RESTORE, /* of a saved guest that goes on now */
    BZ_TO_DEPART,  /* of a guest that goes to another host, with its own provider or with what the XML has already */
    BZ_TO_ARRIVE,  /* of a guest that comes from another host */
} BzPurpose;

/*
 * A client's XML on its way into libvirt. TRUE: *xml is what libvirt is to get, either what the client gave or *stored,
 * which the caller frees. FALSE: refused, and the error is the thread's libvirt error.
 *
 * former is what the guest was (libvirt/former.h), or NULL; it is freed. It may not become another: libvirt's ABI check,
 * and a guest that was started without the feature does not get it.
 */
gboolean bz_convert_inward(virConnectPtr conn, BzPurpose purpose, char *former, const char **xml, char **stored);

/*
 * libvirt's XML on its way to a client. Takes xml and returns it or what replaces it, both for free(). NULL stays NULL.
 * Never fails: what cannot be restored goes out in its stored form, with a warning in the log.
 */
char *bz_convert_outward(char *xml);
