/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/metadata.h"

#include <string.h>

#include "core/outline.h"
#include "libvirt/report.h"

const char *bz_metadata_uri_to_get(int type, const char *uri)
{
    return type == VIR_DOMAIN_METADATA_ELEMENT && g_strcmp0(uri, BZ_NS_MARKER) == 0 ? BZ_NS_MARKER " of no one" : uri;
}

/* libvirt writes the URI into its files as it is, so a character reference in it turns into the character there. */
static gboolean becomes_marker(const char *uri)
{
    g_autofree char *text = g_strdup_printf("<metadata uri=\"%s\"/>", uri);
    g_autoptr(BzOutline) outline = strchr(uri, '"') == NULL ? bz_outline_new(text, NULL) : NULL;

    return outline != NULL && g_strcmp0(bz_outline_attribute(outline, BZ_NODE_ROOT, "uri"), BZ_NS_MARKER) == 0;
}

gboolean bz_metadata_may_set(virConnectPtr conn, int type, const char *uri)
{
    g_autoptr(GError) error = NULL;

    if (type != VIR_DOMAIN_METADATA_ELEMENT || uri == NULL || !becomes_marker(uri))
        return TRUE;
    g_set_error_literal(&error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
                        "metadata of namespace '" BZ_NS_MARKER "' follow the domain's <features><hyperv>: change "
                        "<boot_zeroed_memory> there");
    bz_report_error(conn, error);
    return FALSE;
}
