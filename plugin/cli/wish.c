/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/wish.h"

#include "cli/command.h"
#include "core/error.h"
#include "core/validate.h"

gboolean bz_wish_parse(const char *text, BzProvider *provider)
{
    *provider = BZ_PROVIDER_NONE;
    if (text && !bz_provider_from_string(text, provider)) {
        bz_cli_misuse("unknown provider '%s': it must be auto, qemu or preload", text);
        return FALSE;
    }
    if (*provider == BZ_PROVIDER_AUTO)
        *provider = BZ_PROVIDER_NONE;
    return TRUE;
}

BzChoice *bz_wish_choose(const BzDomain *domain, gpointer data, GError **error)
{
    const BzWish *wish = data;
    g_autoptr(GPtrArray) warnings = NULL;

    if (bz_validate(domain, &warnings, NULL))
        for (guint i = 0; i < warnings->len; i++)
            bz_cli_warn(warnings->pdata[i]);
    if (wish->provider != BZ_PROVIDER_NONE)
        return bz_choose_for_another_host(domain, wish->configuration, wish->provider, error);
    if (wish->other) {
        g_set_error(
            error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
            "libvirt at '%s' has no plugin of bootzero that would choose a provider: name what its host has with "
            "--provider preload or --provider qemu",
            wish->other);
        return NULL;
    }
    return bz_choose(domain, wish->configuration, BZ_PROVIDER_NONE, error);
}
