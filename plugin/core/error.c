/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error.h"

G_DEFINE_QUARK(bz-error-quark, bz_error)
G_DEFINE_QUARK(bz-libvirt-error-quark, bz_libvirt_error)

const char *bz_error_prefix(const GError *error)
{
    if (error->domain != BZ_ERROR)
        return "internal error";
    switch ((BzError)error->code) {
    case BZ_ERROR_XML:
    case BZ_ERROR_MALFORMED:
        return "XML error";
    case BZ_ERROR_UNSUPPORTED:
        return "unsupported configuration";
    case BZ_ERROR_FAILED:
        break;
    }
    return "internal error";
}

char *bz_error_format(const GError *error)
{
    if (error->domain == BZ_LIBVIRT_ERROR)
        return g_strdup(error->message);
    return g_strdup_printf("%s: %s", bz_error_prefix(error), error->message);
}
