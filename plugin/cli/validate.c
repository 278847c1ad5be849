/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-bootzero validate [--from DIR] FILE...: whether domain XML is right, apart from what this host can do: the rules
 * for the elements, and, where libvirt's schemas are, all of it.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/input.h"
#include "core/rng-schema.h"
#include "core/validate.h"

/* What warnings there are goes to stderr at once. */
static gboolean check(const char *path, const BzConfiguration *configuration, const char *schemas, GError **error)
{
    g_autofree char *xml = bz_input_read(path, error);
    g_autoptr(BzDomain) domain = NULL;
    g_autoptr(GPtrArray) warnings = NULL;

    if (!xml)
        return FALSE;
    domain = bz_domain_parse(xml, configuration, error);
    if (!domain || !bz_validate(domain, &warnings, error))
        return FALSE;
    for (guint i = 0; i < warnings->len; i++)
        bz_cli_warn(warnings->pdata[i]);
    return !schemas || bz_rng_schema_validate(schemas, xml, error);
}

int bz_command_validate(const BzCli *cli, int argc, char **argv)
{
    g_autofree char *from = NULL;
    const char *schemas = BZ_RNG_SCHEMA_FOLDER;
    const GOptionEntry entries[] = {
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &from, "Folder of libvirt's schemas; default: " BZ_RNG_SCHEMA_FOLDER,
         "DIR"},
        {0},
    };
    g_autoptr(BzConfiguration) configuration = NULL;
    g_autoptr(GError) error = NULL;
    int status = BZ_EXIT_OK;

    if (!bz_cli_parse(
            &argc, &argv, "FILE...",
            "Checks domain XML: the elements of bootzero, the rules for the domains that may have them, and the\n"
            "whole of it against libvirt's schemas, with the elements added, where these are installed.\n"
            "What this host can do does not matter here; 'virt-bootzero probe' tells that.",
            entries, -1))
        return BZ_EXIT_USAGE;
    if (argc < 2)
        return bz_cli_misuse("a FILE is needed; '-' is standard input");
    configuration = bz_configuration_load(NULL, &error);
    if (!configuration)
        return bz_cli_refuse(error);
    if (from)
        schemas = from;
    else if (!bz_rng_schema_is_there(schemas)) {
        bz_cli_warn("libvirt's schemas are not in " BZ_RNG_SCHEMA_FOLDER
                    ": only the rules for the elements are checked");
        schemas = NULL;
    }
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) wrong = NULL;

        if (check(argv[i], configuration, schemas, &wrong)) {
            printf("%s validates\n", argv[i]);
        } else {
            printf("%s fails to validate\n", argv[i]);
            fflush(stdout); /* before what is wrong, where both go to one place */
            status = bz_cli_refuse(wrong);
        }
    }
    return status;
}
