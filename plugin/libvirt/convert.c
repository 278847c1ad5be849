/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/convert.h"

#include <string.h>

#include "core/validate.h"
#include "libvirt/report.h"
#include "libvirt/settings.h"

#define MARKER_NAMESPACE "urn:bootzero:domain:1"

/*
 * Most XML has nothing of bootzero's, and must not pay for it nor depend on it. The names can be told by plain search:
 * in well-formed XML neither an element's name can be written otherwise, nor does libvirt format the namespace otherwise.
 */
static gboolean concerns_inward(const char *xml)
{
    return strstr(xml, BZ_ELEMENT_BOOT_ZEROED_MEMORY) != NULL || strstr(xml, BZ_ELEMENT_EXT_QUERY_CAPS) != NULL ||
           strstr(xml, MARKER_NAMESPACE) != NULL;
}

static BzChoice *choose(const BzDomain *domain, gpointer data, GError **error)
{
    const BzConfiguration *configuration = data;
    g_autoptr(GPtrArray) warnings = NULL;

    if (bz_validate(domain, &warnings, NULL) && warnings != NULL) {
        for (guint i = 0; i < warnings->len; i++)
            bz_report_warning("domain '%s': %s", domain->name, (const char *)warnings->pdata[i]);
    }
    return bz_choose(domain, configuration, BZ_PROVIDER_NONE, error);
}

gboolean bz_convert_inward(virConnectPtr conn, BzTranslateFlags flags, const char **xml, char **stored)
{
    g_autoptr(BzSettings) settings = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *notice = NULL;

    *stored = NULL;
    if (*xml == NULL || !concerns_inward(*xml))
        return TRUE;
    settings = bz_settings_get(&error);
    if (settings != NULL && bz_translate(*xml, settings->configuration, flags, choose, settings->configuration, stored,
                                         &notice, &error)) {
        if (notice != NULL)
            bz_report_warning("%s", notice);
        if (*stored != NULL)
            *xml = *stored;
        return TRUE;
    }
    /* libvirt says better than anyone what is wrong with it. */
    if (g_error_matches(error, BZ_ERROR, BZ_ERROR_MALFORMED))
        return TRUE;
    bz_report_error(conn, error);
    return FALSE;
}

char *bz_convert_outward(char *xml)
{
    g_autoptr(BzSettings) settings = NULL;
    g_autoptr(GError) error = NULL;
    char *restored = NULL;

    if (xml == NULL || strstr(xml, MARKER_NAMESPACE) == NULL)
        return xml;
    settings = bz_settings_get(&error);
    if (settings == NULL || !bz_restore(xml, settings->configuration, &restored, &error)) {
        bz_report_warning("a domain's XML is shown as it is stored: %s", error->message);
        return xml;
    }
    if (restored == NULL)
        return xml;
    /* GLib's allocator is malloc's (since 2.46), so callers may free() either. */
    g_free(xml);
    return restored;
}
