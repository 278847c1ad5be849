/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/abi.h"

#include "core/domain-read.h"
#include "core/error.h"

/* As libvirt's virTristateSwitch has it. */
static const char *state_name(BzState state)
{
    return state == BZ_STATE_ABSENT ? "default" : bz_state_to_string(state);
}

/* In the user's form, where the marker stands for elements in a <hyperv>. */
static BzState hyperv_state(const BzDomain *domain)
{
    return domain->hyperv_mode != BZ_HYPERV_ABSENT || domain->has_marker ? BZ_STATE_ON : BZ_STATE_ABSENT;
}

static gboolean check_state(const char *what, BzState source, BzState destination, GError **error)
{
    if (source == destination)
        return TRUE;
    g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "State of %s differs: source: '%s', destination: '%s'", what,
                state_name(source), state_name(destination));
    return FALSE;
}

static BzDomain *read_domain(const char *xml, const BzConfiguration *configuration)
{
    g_autoptr(BzOutline) outline = bz_outline_new(xml, NULL);
    int domain = BZ_NODE_NONE;
    BzDomainNodes nodes;

    if (!outline)
        return NULL;
    do
        domain = bz_domain_next(outline, domain);
    while (domain != BZ_NODE_NONE && !bz_outline_is(outline, domain, NULL, "domain"));
    return domain == BZ_NODE_NONE ? NULL : bz_domain_read(outline, domain, configuration, &nodes, NULL);
}

gboolean bz_abi_check(const char *source, const char *destination, const BzConfiguration *configuration, GError **error)
{
    g_autoptr(BzDomain) from = read_domain(source, configuration);
    g_autoptr(BzDomain) to = read_domain(destination, configuration);

    /* Where neither has anything of bootzero's the check is libvirt's alone. */
    if (!from || !to || (bz_features_is_absent(&from->features) && bz_features_is_absent(&to->features)))
        return TRUE;
    return check_state("feature 'hyperv'", hyperv_state(from), hyperv_state(to), error) &&
           check_state("HyperV enlightenment feature '" BZ_ELEMENT_EXT_QUERY_CAPS "'", from->features.ext_query_caps,
                       to->features.ext_query_caps, error) &&
           check_state("HyperV enlightenment feature '" BZ_ELEMENT_BOOT_ZEROED_MEMORY "'",
                       from->features.boot_zeroed_memory, to->features.boot_zeroed_memory, error);
}
