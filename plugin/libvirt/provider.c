/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/provider.h"

#include "core/error.h"
#include "core/validate.h"
#include "libvirt/report.h"

void bz_provider_chooser_init(BzProviderChooser *chooser, const BzConfiguration *configuration, BzPurpose purpose,
                              const char *former)
{
    gboolean is_later = purpose == BZ_TO_DEFINE || purpose == BZ_TO_KEEP || purpose == BZ_TO_DEPART;
    gboolean has_guest = purpose == BZ_TO_KEEP || purpose == BZ_TO_RESTORE || purpose == BZ_TO_DEPART;

    chooser->flags = is_later ? BZ_TRANSLATE_ALLOW_NONE : 0;
    chooser->configuration = configuration;
    chooser->purpose = purpose;
    chooser->former = former != NULL && has_guest ? bz_domain_parse(former, configuration, NULL) : NULL;
}

void bz_provider_chooser_clear(BzProviderChooser *chooser)
{
    g_clear_pointer(&chooser->former, bz_domain_free);
}

gboolean bz_provider_is_settled(const BzProviderChooser *chooser, const char *xml)
{
    g_autoptr(BzDomain) domain = NULL;

    if (chooser->purpose != BZ_TO_DEPART)
        return FALSE;
    domain = bz_domain_parse(xml, chooser->configuration, NULL);
    return domain != NULL && !domain->has_elements && bz_choice_may_continue(domain, NULL);
}

static void warn(const BzDomain *domain)
{
    g_autoptr(GPtrArray) warnings = NULL;

    if (!bz_validate(domain, &warnings, NULL) || warnings == NULL)
        return;
    for (guint i = 0; i < warnings->len; i++)
        bz_report_warning("domain '%s': %s", domain->name, (const char *)warnings->pdata[i]);
}

/* What arrives in the user's form is not from a libvirt that knows what the guest has. */
static gboolean may_continue(const BzDomain *domain, const BzProviderChooser *chooser, GError **error)
{
    const BzDomain *guest = chooser->purpose == BZ_TO_ARRIVE && !domain->has_elements ? domain : chooser->former;

    return guest == NULL || !bz_features_wants_ext_query_caps(&guest->features) || bz_choice_may_continue(guest, error);
}

BzChoice *bz_provider_choose(const BzDomain *domain, gpointer data, GError **error)
{
    const BzProviderChooser *chooser = data;
    BzChoice *choice = NULL;

    warn(domain);
    if (!may_continue(domain, chooser, error))
        goto refused;
    if (chooser->former != NULL && chooser->purpose == BZ_TO_DEPART)
        return bz_choice_of(chooser->former, chooser->configuration, error);
    choice = bz_choose(domain, chooser->configuration, BZ_PROVIDER_NONE, error);
    if (choice == NULL && chooser->former != NULL && chooser->purpose == BZ_TO_KEEP) {
        g_clear_error(error);
        choice = bz_choice_of(chooser->former, chooser->configuration, error);
    }
    if (choice != NULL)
        return choice;
refused:
    if (chooser->purpose == BZ_TO_ARRIVE || chooser->purpose == BZ_TO_RESTORE)
        g_prefix_error(error, "host '%s' cannot take the guest: ", g_get_host_name());
    return NULL;
}
