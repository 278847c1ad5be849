/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/next.h"

#include <dlfcn.h>

/*
 * An interpreter loads libvirt late and out of sight of the global scope. The plugin still comes first there for the
 * bindings' calls, but RTLD_NEXT does not see libvirt. The soname has not changed since libvirt 0.1.
 */
static gpointer find_in_loaded_libvirt(const char *symbol)
{
    void *handle = dlopen("libvirt.so.0", RTLD_LAZY | RTLD_NOLOAD);
    gpointer function;

    if (handle == NULL)
        return NULL;
    function = dlsym(handle, symbol);
    dlclose(handle);
    return function;
}

gpointer bz_next(gpointer *slot, const char *symbol)
{
    gpointer function = g_atomic_pointer_get(slot);

    if (function != NULL)
        return function;
    function = dlsym(RTLD_NEXT, symbol);
    if (function == NULL)
        function = find_in_loaded_libvirt(symbol);
    g_atomic_pointer_set(slot, function);
    return function;
}

virConnectPtr bz_connection_of(virDomainPtr domain)
{
    return ASK(NULL, virDomainGetConnect, domain);
}
