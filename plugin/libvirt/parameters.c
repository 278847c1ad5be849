/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/parameters.h"

#include <string.h>

static gboolean is_string(const virTypedParameter *parameter, const char *name)
{
    return parameter->type == VIR_TYPED_PARAM_STRING && strcmp(parameter->field, name) == 0;
}

static gboolean is_guest(const virTypedParameter *parameter)
{
    return is_string(parameter, VIR_DOMAIN_SAVE_PARAM_DXML) || is_string(parameter, VIR_MIGRATE_PARAM_DEST_XML);
}

const char *bz_parameters_string(virTypedParameterPtr params, int n_params, const char *name)
{
    for (int i = 0; params != NULL && i < n_params; i++)
        if (is_string(&params[i], name))
            return params[i].value.s;
    return NULL;
}

const char *bz_parameters_guest(virTypedParameterPtr params, int n_params)
{
    for (int i = 0; params != NULL && i < n_params; i++)
        if (is_guest(&params[i]))
            return params[i].value.s;
    return NULL;
}

gboolean bz_parameters_inward(virConnectPtr conn, BzPurpose purpose, char *former, virTypedParameterPtr *params,
                              int n_params, BzParameters *converted)
{
    g_autofree char *owned = former;

    for (int i = 0; *params != NULL && i < n_params; i++) {
        gboolean persistent = is_string(&(*params)[i], VIR_MIGRATE_PARAM_PERSIST_XML);
        const char *xml = (*params)[i].value.s;
        char *stored = NULL;

        if (!persistent && !is_guest(&(*params)[i]))
            continue;
        if (!bz_convert_inward(conn, persistent ? BZ_TO_DEFINE : purpose, persistent ? NULL : g_strdup(former), &xml,
                               &stored)) {
            g_free(stored);
            return FALSE;
        }
        if (stored == NULL)
            continue;
        if (converted->copy == NULL) {
            converted->copy = g_memdup2(*params, n_params * sizeof(**params));
            converted->texts = g_ptr_array_new_with_free_func(g_free);
            *params = converted->copy;
        }
        g_ptr_array_add(converted->texts, stored);
        converted->copy[i].value.s = stored;
    }
    return TRUE;
}

void bz_parameters_clear(BzParameters *converted)
{
    g_clear_pointer(&converted->copy, g_free);
    g_clear_pointer(&converted->texts, g_ptr_array_unref);
}
