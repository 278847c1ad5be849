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

/* Memory that is all there when the guest starts: what is still zero is known by write-protection, if by anything. */
static char *populated_warning(const BzDomain *domain)
{
    const char *what = domain->hugepages ? "memoryBacking hugepages" : "memoryBacking allocation mode='immediate'";

    if (domain->shared_by)
        return g_strdup_printf("%s populates memory that other processes may write (%s): boot_zeroed_memory reports none "
                               "of it; use memory that is populated on demand, or that is not shared",
                               what, domain->shared_by);
    return g_strdup_printf("%s makes all of the guest's memory resident when it starts: boot_zeroed_memory saves the "
                           "guest the time of zeroing it, and the host no memory",
                           what);
}

/* What works, and saves less than one would think. Each adds a text. */
static void warn(const BzDomain *domain, GPtrArray *warnings)
{
    if (domain->pinned_by)
        g_ptr_array_add(warnings,
                        g_strdup_printf("%s makes all of the guest's memory resident: boot_zeroed_memory will find "
                                        "little to report; remove the device to save memory",
                                        domain->pinned_by));
    if (domain->locked)
        g_ptr_array_add(warnings,
                        g_strdup("memoryBacking locked makes all of the guest's memory resident: boot_zeroed_memory "
                                 "will find little to report; remove it to save memory"));
    if (domain->hugepages || domain->preallocated)
        g_ptr_array_add(warnings, populated_warning(domain));
    if (domain->memory_device)
        g_ptr_array_add(warnings, g_strdup_printf("the guest has %s memory, which must not be taken for boot memory: "
                                                  "boot_zeroed_memory reports nothing above 4 GiB",
                                                  domain->memory_device));
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
