/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero schema [--from DIR] --to DIR: libvirt's RNG schemas with the elements added. */
#include "cli/command.h"
#include "core/rng-schema.h"

int bz_command_schema(const BzCli *cli, int argc, char **argv)
{
    g_autofree char *from = NULL, *to = NULL;
    const GOptionEntry entries[] = {
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &from, "Folder of libvirt's schemas; default: " BZ_RNG_SCHEMA_FOLDER,
         "DIR"},
        {"to", 0, 0, G_OPTION_ARG_FILENAME, &to, "Folder to write them to; made when it is missing", "DIR"},
        {0},
    };
    g_autoptr(GError) error = NULL;

    if (!bz_cli_parse(
            &argc, &argv, NULL,
            "Copies libvirt's RELAX NG schemas and adds <boot_zeroed_memory> and <ext_query_caps> to <hyperv>\n"
            "in them. 'domain.rng' in the new folder then validates domain XML with the elements.",
            entries, 0))
        return BZ_EXIT_USAGE;
    if (!to)
        return bz_cli_misuse("--to DIR is needed");
    return bz_rng_schema_copy(from ? from : BZ_RNG_SCHEMA_FOLDER, to, &error) ? BZ_EXIT_OK : bz_cli_refuse(error);
}
