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

/*
 * A file may hold what an earlier guest left, and it shows through with access='shared' and 'private' alike. A provider
 * that only knows what was written since the start would call it zero.
 */
static char *check_file(const BzDomain *domain)
{
    if (g_strcmp0(domain->memory_source, "file") != 0 || !is_on(domain))
        return NULL;
    return g_strdup("'boot_zeroed_memory' hyperv feature is not available with memoryBacking source type='file', whose "
                    "old content the guest would read: use type='memfd' or 'anonymous' or remove the feature");
}

static char *(*const rules[])(const BzDomain *domain) = {
    check_arch, check_type, check_mode, check_launch_security, check_file,
};

/* What works, and saves less than one would think. Each adds a text. */
static void warn(const BzDomain *domain, GPtrArray *warnings)
{
    if (domain->pinned_by)
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s makes all of the guest's memory resident: boot_zeroed_memory will find "
                                        "little to report; remove the device to save memory",
                                        domain->pinned_by));
    if (domain->hugepages)
        g_ptr_array_add(warnings,
                        g_strdup("the guest's memory is made of huge pages, of which boot_zeroed_memory reports "
                                 "none: remove memoryBacking hugepages to save memory"));
    if (domain->locked)
        g_ptr_array_add(warnings,
                        g_strdup("memoryBacking locked makes all of the guest's memory resident: boot_zeroed_memory "
                                 "will find little to report; remove it to save memory"));
    if (domain->preallocated)
        g_ptr_array_add(warnings,
                        g_strdup("memoryBacking allocation mode='immediate' makes all of the guest's memory "
                                 "resident: boot_zeroed_memory will find little to report; use mode='ondemand' to "
                                 "save memory"));
    if (domain->shared_by)
        g_ptr_array_add(warnings,
                        g_strdup_printf("other processes may write the guest's memory (%s): boot_zeroed_memory "
                                        "reports none of what is shared with them",
                                        domain->shared_by));
    if (domain->persistent)
        g_ptr_array_add(warnings, g_strdup_printf("the guest has persistent memory (%s), which keeps its content: "
                                                  "boot_zeroed_memory reports nothing above 4 GiB",
                                                  domain->persistent));
}

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
    if (warnings && domain->features.boot_zeroed_memory == BZ_STATE_ON)
        warn(domain, *warnings);
    return TRUE;
}
