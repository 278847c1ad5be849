/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A libvirt, on this host or another.
 *
 * libvirt-glib opens it. Its domains carry XML as objects that are written anew, in another form than libvirt's, and
 * its errors keep libvirt's message but not the code. So everything else goes through the virConnectPtr it has.
 */
#pragma once
#include <libvirt-gobject/libvirt-gobject.h>
#include <libvirt/libvirt.h>

typedef struct {
    GVirConnection *connection;
    virConnectPtr handle;
    char *uri;         /* of the connection, which may be more than what was asked for */
    gboolean is_local; /* the domains run on this host: the URI names no other */
} BzConnection;

/* uri: NULL for libvirt's default. Errors: BZ_LIBVIRT_ERROR. */
BzConnection *bz_connection_open(const char *uri, GError **error);
void bz_connection_free(BzConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzConnection, bz_connection_free)

/* By id, uuid or name, as virsh does. Free with virDomainFree(). */
virDomainPtr bz_connection_find_domain(BzConnection *connection, const char *name, GError **error);

/* Always FALSE: libvirt's last error of this thread, as BZ_LIBVIRT_ERROR with its code. */
gboolean bz_connection_failed(GError **error);
