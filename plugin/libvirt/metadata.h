/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The marker of the stored form is no metadata of the user's: it cannot be seen, made or dropped as such. */
#pragma once
#include <glib.h>
#include <libvirt/libvirt.h>

/* The namespace to ask libvirt for: uri, or, in place of the marker's, one that no one has. */
const char *bz_metadata_uri_to_get(int type, const char *uri);

/* FALSE, and the thread's libvirt error is set, when the marker's namespace is about to be written or removed. */
gboolean bz_metadata_may_set(virConnectPtr conn, int type, const char *uri);
