/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/validate.h"

#include <string.h>

#include "core/error.h"

static gboolean is_on(const BzDomain *domain)
{
    return bz_features_wants_ext_query_caps(&domain->features);
}

/* Each rule gives the text of its refusal, or NULL. Free with g_free(). */

static char *check_type(const BzDomain *domain)
{
    if (!domain->type || strcmp(domain->type, "kvm") == 0 || !is_on(domain))
        return NULL;
    return g_strdup_printf("'boot_zeroed_memory' hyperv feature needs KVM, and the domain has type='%s': set "
                           "type='kvm' or remove the feature",
                           domain->type);
}

static char *check_arch(const BzDomain *domain)
{
    if (!domain->arch || strcmp(domain->arch, "x86_64") == 0 || strcmp(domain->arch, "i686") == 0)
        return NULL;
    return g_strdup_printf("'boot_zeroed_memory' hyperv feature is not available for architecture '%s': it needs "
                           "'x86_64' or 'i686'; remove the feature",
                           domain->arch);
}

static char *check_launch_security(const BzDomain *domain)
{
    if (!domain->launch_security || !is_on(domain))
        return NULL;
    return g_strdup_printf("'boot_zeroed_memory' hyperv feature is not available with launchSecurity type='%s', "
                           "whose guest does not read the host's zeros as zeros: remove the feature",
                           domain->launch_security);
}

static char *check_mode(const BzDomain *domain)
{
    if (domain->hyperv_mode != BZ_HYPERV_PASSTHROUGH)
        return NULL;
    return g_strdup("'boot_zeroed_memory' hyperv feature is not available with hyperv mode='passthrough', which "
                    "overrides single features: use mode='custom' or remove the feature");
}

static char *(*const rules[])(const BzDomain *domain) = {
    check_arch,
    check_type,
    check_mode,
    check_launch_security,
};

gboolean bz_validate(const BzDomain *domain, GPtrArray **warnings, GError **error)
{
    if (warnings)
        *warnings = g_ptr_array_new_with_free_func(g_free);
    if (bz_features_is_absent(&domain->features))
        return TRUE;
    if (!bz_features_check(&domain->features, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autofree char *refusal = rules[i](domain);

        if (refusal) {
            g_set_error_literal(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, refusal);
            return FALSE;
        }
    }
    if (warnings && domain->hostdevs > 0 && domain->features.boot_zeroed_memory == BZ_STATE_ON)
        g_ptr_array_add(*warnings, g_strdup("a passed-through device makes all of the guest's memory resident: "
                                            "boot_zeroed_memory will find little to report"));
    return TRUE;
}
