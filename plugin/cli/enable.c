/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero enable DOMAIN and disable DOMAIN: the element's state, and nothing else of the definition. */
#include <stdio.h>

#include "cli/definition.h"
#include "core/error.h"
#include "core/set-state.h"

/* libvirt has the last word: what it does not know, some of its drivers drop without a word. */
static gboolean check_kept(BzDefinition *definition, BzState state, GError **error)
{
    if (!bz_definition_reload(definition, error))
        return FALSE;
    if (definition->facts->features.boot_zeroed_memory == state)
        return TRUE;
    g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
                "libvirt at '%s' did not keep 'boot_zeroed_memory' in domain '%s': it is "
                "a feature of QEMU's domains",
                definition->connection->uri, definition->name);
    return FALSE;
}

static int set_state(BzDefinition *definition, gpointer data)
{
    BzState state = GPOINTER_TO_INT(data);
    const char *done = state == BZ_STATE_ON ? "enabled" : "disabled";
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;

    if (!bz_set_state(definition->xml, definition->configuration, state, &xml, &error))
        return bz_cli_refuse(error);
    if (!xml) {
        printf("Domain '%s' not changed: boot_zeroed_memory is %s already\n", definition->name, done);
        return BZ_EXIT_OK;
    }
    if (!bz_definition_store(definition, xml, 0, FALSE, &error) || !check_kept(definition, state, &error))
        return bz_cli_refuse(error);
    printf("Domain '%s' changed: boot_zeroed_memory is %s\n", definition->name, done);
    bz_definition_tell_when(definition);
    return BZ_EXIT_OK;
}

int bz_command_enable(const BzCli *cli, int argc, char **argv)
{
    return bz_definition_command(
        cli, argc, argv,
        "Sets <boot_zeroed_memory state='on'/> in the definition of a domain, and changes nothing else.", NULL,
        set_state, GINT_TO_POINTER(BZ_STATE_ON));
}

int bz_command_disable(const BzCli *cli, int argc, char **argv)
{
    return bz_definition_command(
        cli, argc, argv,
        "Sets <boot_zeroed_memory state='off'/> in the definition of a domain that has the element, and\n"
        "changes nothing else.",
        NULL, set_state, GINT_TO_POINTER(BZ_STATE_OFF));
}
