/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/connection.h"

#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "core/error.h"

/* libvirt would print what this program reports itself. */
static void be_quiet(void *data, virErrorPtr error)
{
}

gboolean bz_connection_failed(GError **error)
{
    virErrorPtr last = virGetLastError();

    g_set_error_literal(error, BZ_LIBVIRT_ERROR, last ? last->code : VIR_ERR_INTERNAL_ERROR,
                        last && last->message ? last->message : "internal error: libvirt gives no reason");
    return FALSE;
}

/* qemu:///system, not qemu+ssh://host/system. A tunnel's end named "localhost" is not known to be this host. */
static gboolean is_local(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NON_DNS, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;

    return uri && (!host || !*host);
}

BzConnection *bz_connection_open(const char *uri, GError **error)
{
    g_autoptr(BzConnection) connection = g_new0(BzConnection, 1);
    char *full;

    gvir_init_object(NULL, NULL);
    gvir_event_register(); /* libvirt-glib asks for events when it opens */
    virSetErrorFunc(NULL, be_quiet);
    connection->connection = gvir_connection_new(uri);
    if (!gvir_connection_open(connection->connection, NULL, NULL)) {
        bz_connection_failed(error);
        return NULL;
    }
    g_object_get(connection->connection, "handle", &connection->handle, NULL);
    full = virConnectGetURI(connection->handle);
    if (!full) {
        bz_connection_failed(error);
        return NULL;
    }
    connection->uri = g_strdup(full);
    free(full);
    connection->is_local = is_local(connection->uri);
    return g_steal_pointer(&connection);
}

void bz_connection_free(BzConnection *connection)
{
    if (!connection)
        return;
    if (connection->handle)
        virConnectClose(connection->handle);
    g_clear_object(&connection->connection);
    g_free(connection->uri);
    g_free(connection);
}

virDomainPtr bz_connection_find_domain(BzConnection *connection, const char *name, GError **error)
{
    virDomainPtr domain = NULL;
    gint64 id;

    if (g_ascii_string_to_signed(name, 10, 0, G_MAXINT, &id, NULL))
        domain = virDomainLookupByID(connection->handle, (int)id);
    if (!domain && g_uuid_string_is_valid(name))
        domain = virDomainLookupByUUIDString(connection->handle, name);
    if (!domain)
        domain = virDomainLookupByName(connection->handle, name);
    if (!domain) {
        bz_connection_failed(error);
        g_prefix_error(error, "failed to get domain '%s': ", name);
    }
    return domain;
}
