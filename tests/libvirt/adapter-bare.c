/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plugin before a libvirt that has none of the private functions: what is to be refused is refused all the same, and
 * said where it can be said.
 */
#include <dlfcn.h>
#include <glib.h>

#include "fake-libvirt.h"

typedef virDomainPtr (*CreateXMLWithFiles)(virConnectPtr conn, const char *xml, unsigned int nfiles, int *files,
                                           unsigned int flags);

static void test_bare(void)
{
    /* The plugin's: the fake has none. */
    CreateXMLWithFiles create = (CreateXMLWithFiles)dlsym(RTLD_DEFAULT, "virDomainCreateXMLWithFiles");

    if (g_test_subprocess()) {
        g_assert_null(virDomainDefineXML(NULL, "<domain type='kvm'><features><hyperv><boot_zeroed_memory state='maybe'/>"
                                               "</hyperv></features></domain>"));
        g_assert_null(fake.function);
        g_assert_nonnull(create);
        g_assert_null(create(NULL, "<domain/>", 0, NULL, 0));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*bootzero: XML error: Invalid value for attribute 'state' in element "
                              "'boot_zeroed_memory': 'maybe'.\n*");
    g_test_trap_assert_stderr("*bootzero: internal error: this libvirt has no function 'virDomainCreateXMLWithFiles'\n*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/adapter/bare", test_bare);
    return g_test_run();
}
