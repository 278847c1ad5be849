/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/convert.h"

#include "core/abi.h"
#include "core/element-parse.h"
#include "core/outline.h"
#include "core/validate.h"
#include "libvirt/memo.h"
#include "libvirt/provider.h"
#include "libvirt/report.h"
#include "libvirt/settings.h"
#include "libvirt/shorten.h"

static gboolean has_ours(const BzOutline *outline)
{
    for (int i = 0; i < bz_outline_count(outline); i++) {
        if (bz_element_is_name(bz_outline_node(outline, i)->name) || bz_outline_is(outline, i, BZ_NS_MARKER, NULL))
            return TRUE;
    }
    return FALSE;
}

static gboolean translate(const char *xml, BzPurpose purpose, const char *former, char **stored, char **notice,
                          GError **error)
{
    g_autoptr(BzSettings) settings = bz_settings_get(error);
    g_auto(BzProviderChooser) chooser = {0};

    if (settings == NULL)
        return FALSE;
    bz_provider_chooser_init(&chooser, settings->configuration, purpose, former);
    return bz_provider_is_settled(&chooser, xml) ||
           bz_translate(xml, settings->configuration, chooser.flags, bz_provider_choose, &chooser, stored, notice, error);
}

/*
 * What libvirt is to judge although the translation failed: what is not XML, of which libvirt says better than anyone
 * what is wrong with it; and when bootzero itself is out of order, whatever does not need it.
 */
static gboolean is_for_libvirt(const char *xml, const GError *error)
{
    g_autoptr(BzOutline) outline = NULL;
    g_autoptr(GError) reading = NULL;

    if (g_error_matches(error, BZ_ERROR, BZ_ERROR_MALFORMED))
        return TRUE;
    if (!g_error_matches(error, BZ_ERROR, BZ_ERROR_FAILED))
        return FALSE;
    outline = bz_outline_new(xml, &reading);
    return outline != NULL ? !has_ours(outline) : g_error_matches(reading, BZ_ERROR, BZ_ERROR_MALFORMED);
}

/* libvirt's ABI check: whether a guest that was what former says may become what xml says, both in the stored form. */
static gboolean keeps_guest(const char *former, const char *xml, GError **error)
{
    g_autoptr(BzSettings) settings = NULL;

    if (former == NULL || (!bz_translate_concerns(former) && !bz_translate_concerns(xml)))
        return TRUE;
    settings = bz_settings_get(error);
    return settings != NULL && bz_abi_check(former, xml, settings->configuration, error);
}

static gboolean convert(BzPurpose purpose, const char *former, const char **xml, char **stored, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *notice = NULL;

    if (bz_translate_concerns(*xml) && !translate(*xml, purpose, former, stored, &notice, &reason)) {
        if (is_for_libvirt(*xml, reason))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (notice != NULL)
        bz_report_warning("%s", notice);
    if (*stored != NULL)
        *xml = *stored;
    return keeps_guest(former, *xml, error);
}

gboolean bz_convert_inward(virConnectPtr conn, BzPurpose purpose, char *former, const char **xml, char **stored)
{
    g_autofree char *owned = former;
    g_autoptr(GError) error = NULL;

    *stored = NULL;
    if (*xml == NULL || convert(purpose, former, xml, stored, &error))
        return TRUE;
    bz_report_error(conn, error);
    return FALSE;
}

/* The part of libvirt's XML that matters, stored form -> user's form. NULL on error, or when nothing is to be restored. */
static char *restore_shortened(const BzSettings *settings, const char *shortened, GError **error)
{
    char *restored = bz_memo_get(settings, shortened);

    if (restored != NULL)
        return restored;
    if (bz_restore(shortened, settings->configuration, &restored, error) && restored != NULL)
        bz_memo_put(settings, shortened, restored);
    return restored;
}

/* Stored form -> user's form. NULL on error, or when nothing is to be restored after all. */
static char *restore(const char *xml, GError **error)
{
    g_autoptr(BzSettings) settings = bz_settings_get(error);
    BzRemoved removed[BZ_REMOVED];
    /* of a domain; what is in a snapshot or a checkpoint has another indent */
    gboolean is_domain = g_str_has_prefix(xml, "<domain ");
    g_autofree char *shortened = settings != NULL && is_domain ? bz_shorten(xml, removed) : NULL;
    g_autofree char *part = NULL;
    char *whole = NULL;

    if (settings == NULL)
        return NULL;
    if (shortened == NULL) {
        bz_restore(xml, settings->configuration, &whole, error);
        return whole;
    }
    part = restore_shortened(settings, shortened, error);
    return part != NULL ? bz_lengthen(part, removed) : NULL;
}

char *bz_convert_outward(char *xml)
{
    g_autoptr(GError) error = NULL;
    char *restored;

    if (xml == NULL || !bz_restore_concerns(xml))
        return xml;
    restored = restore(xml, &error);
    if (error != NULL)
        bz_report_warning("a domain's XML is shown as it is stored: %s", error->message);
    if (restored == NULL)
        return xml;
    /* GLib's allocator is malloc's (since 2.46), so callers may free() either. */
    g_free(xml);
    return restored;
}
