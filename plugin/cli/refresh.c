/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-bootzero refresh DOMAIN: chooses the provider again, as the host is now, and defines the domain with it. For
 * after an upgrade of QEMU or of bootzero, and for a domain that was defined when its host could not provide the
 * feature.
 */
#include <stdio.h>
#include <string.h>

#include "cli/definition.h"

static char *describe(const BzDomain *facts)
{
    if (facts->has_qemu_args)
        return g_strdup("provider qemu");
    if (facts->has_preload_env)
        return g_strdup_printf("provider preload (%s)", facts->preload_library);
    return g_strdup("no provider");
}

/* The daemon does not tell what it chooses, only that it has. */
static int let_daemon_choose(BzDefinition *definition)
{
    g_autoptr(GError) error = NULL;

    if (!bz_definition_store(definition, definition->xml, 0, TRUE, &error))
        return bz_cli_refuse(error);
    printf("Domain '%s' refreshed: its libvirt has bootzero's plugin and chose the provider again\n", definition->name);
    bz_definition_tell_when(definition);
    return BZ_EXIT_OK;
}

static int refresh(BzDefinition *definition, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *stored = NULL, *before = NULL, *after = NULL;

    if (!bz_features_wants_ext_query_caps(&definition->facts->features)) {
        printf("Domain '%s' not changed: boot_zeroed_memory is not enabled, so it needs no provider\n",
               definition->name);
        return BZ_EXIT_OK;
    }
    if (definition->translator == BZ_TRANSLATOR_DAEMON)
        return let_daemon_choose(definition);

    stored = bz_definition_translate(definition, definition->given, TRUE, &error);
    if (!stored)
        return bz_cli_refuse(error);
    before = describe(definition->facts);
    if (strcmp(stored, definition->given) == 0) {
        printf("Domain '%s' not changed: %s is right\n", definition->name, before);
        return BZ_EXIT_OK;
    }
    if (!bz_definition_define(definition, stored, 0, &error) || !bz_definition_reload(definition, &error))
        return bz_cli_refuse(error);
    after = describe(definition->facts);
    if (strcmp(before, after) == 0)
        printf("Domain '%s' refreshed: %s with new arguments\n", definition->name, after);
    else
        printf("Domain '%s' refreshed: %s -> %s\n", definition->name, before, after);
    bz_definition_tell_when(definition);
    return BZ_EXIT_OK;
}

int bz_command_refresh(const BzCli *cli, int argc, char **argv)
{
    return bz_definition_command(
        cli, argc, argv,
        "Chooses the provider of a domain again, as its host is now, and defines the domain with it.\n"
        "Tells what changed; changes nothing where all is right.",
        NULL, refresh, NULL);
}
