/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps the plugin out of the daemon's children.
 *
 * libvirt hands its LD_PRELOAD on to what it starts: QEMU, the probes of QEMU, hooks, dnsmasq. The plugin is for the
 * daemon alone: in QEMU it would sit beside the provider's library for no use, and in a confined guest the security
 * policy would have to allow it. So it takes its own entry out of the environment as soon as it is loaded, before
 * there is a second thread that could read it, and leaves other entries, in their order.
 *
 * A process without libvirt is on the way to one that has it (env, a shell, a Python interpreter): there the entry stays.
 */
#include <dlfcn.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

static const char own_name[] = "bootzero-libvirt.so";

static gboolean is_own_entry(const char *entry, gsize length)
{
    const char *base = memrchr(entry, '/', length);
    gsize base_length;

    base = base != NULL ? base + 1 : entry;
    base_length = length - (base - entry);
    return base_length == strlen(own_name) && strncmp(base, own_name, base_length) == 0;
}

__attribute__((constructor)) static void leave_environment(void)
{
    const char *separators = " :"; /* ld.so(8) */
    const char *list = getenv("LD_PRELOAD");
    g_autoptr(GString) others = NULL;

    if (list == NULL || dlsym(RTLD_NEXT, "virConnectOpen") == NULL)
        return;
    others = g_string_new(NULL);
    while (*(list += strspn(list, separators)) != '\0') {
        gsize length = strcspn(list, separators);

        if (!is_own_entry(list, length)) {
            if (others->len > 0)
                g_string_append_c(others, ':');
            g_string_append_len(others, list, length);
        }
        list += length;
    }
    if (others->len > 0)
        setenv("LD_PRELOAD", others->str, 1);
    else
        unsetenv("LD_PRELOAD");
}
