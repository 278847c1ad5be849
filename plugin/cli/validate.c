/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero validate FILE...: whether the elements in domain XML are right, apart from what this host can do. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/input.h"
#include "core/error.h"
#include "core/translate.h"
#include "core/validate.h"

/* What warnings there are goes to stderr at once. */
static gboolean check(const char *path, const BzConfiguration *configuration, GError **error)
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
    return TRUE;
}

int bz_command_validate(const BzCli *cli, int argc, char **argv)
{
    const GOptionEntry entries[] = {{0}};
    g_autoptr(BzConfiguration) configuration = NULL;
    g_autoptr(GError) error = NULL;
    int status = BZ_EXIT_OK;

    if (!bz_cli_parse(&argc, &argv, "FILE...",
                      "Checks the elements of bootzero in domain XML, and the rules for the domains that may have them.\n"
                      "What this host can do does not matter here; 'virt-bootzero probe' tells that.",
                      entries, -1))
        return BZ_EXIT_USAGE;
    if (argc < 2)
        return bz_cli_misuse("a FILE is needed; '-' is standard input");
    configuration = bz_configuration_load(NULL, &error);
    if (!configuration)
        return bz_cli_refuse(error);
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) wrong = NULL;

        if (check(argv[i], configuration, &wrong)) {
            printf("%s validates\n", argv[i]);
        } else {
            printf("%s fails to validate\n", argv[i]);
            fflush(stdout); /* before what is wrong, where both go to one place */
            status = bz_cli_refuse(wrong);
        }
    }
    return status;
}
