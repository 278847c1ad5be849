/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero translate [--reverse] [--provider P] [FILE]: a filter between the user's form and the stored one. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/wish.h"
#include "core/error.h"
#include "core/translate.h"

static BzChoice *choose(const BzDomain *domain, gpointer data, GError **error)
{
    const BzWish *wish = data;
    g_autoptr(GError) cause = NULL;
    BzChoice *choice = bz_wish_choose(domain, data, &cause);

    if (!choice && wish->provider != BZ_PROVIDER_NONE)
        g_propagate_error(error, g_steal_pointer(&cause));
    else if (!choice)
        g_set_error(error, cause->domain, cause->code,
                    "%s; to translate for another host, name what it has with --provider preload or --provider qemu",
                    cause->message);
    return choice;
}

static gboolean filter(const char *path, gboolean reverse, BzWish *wish, GError **error)
{
    g_autofree char *xml = bz_input_read(path, error);
    g_autofree char *out = NULL;

    if (!xml)
        return FALSE;
    if (!(reverse ? bz_restore(xml, wish->configuration, &out, error)
                  : bz_translate(xml, wish->configuration, BZ_TRANSLATE_EXACT, choose, wish, &out, NULL, error)))
        return FALSE;
    fputs(out ? out : xml, stdout); /* main() reports what could not be written */
    return TRUE;
}

int bz_command_translate(const BzCli *cli, int argc, char **argv)
{
    gboolean reverse = FALSE;
    g_autofree char *provider = NULL;
    const GOptionEntry entries[] = {
        {"reverse", 'r', 0, G_OPTION_ARG_NONE, &reverse, "From the stored form back to the user's", NULL},
        BZ_WISH_OPTION(&provider),
        {0},
    };
    g_autoptr(BzConfiguration) configuration = NULL;
    g_autoptr(GError) error = NULL;
    BzWish wish = {0};

    if (!bz_cli_parse(&argc, &argv, "[FILE]",
                      "Translates domain XML from the form with <boot_zeroed_memory> to the form that every libvirt\n"
                      "stores and starts, from FILE or standard input to standard output. XML without the element\n"
                      "comes out as it went in.",
                      entries, 1))
        return BZ_EXIT_USAGE;
    if (!bz_wish_parse(provider, &wish.provider))
        return BZ_EXIT_USAGE;
    configuration = bz_configuration_load(NULL, &error);
    if (!configuration)
        return bz_cli_refuse(error);
    wish.configuration = configuration;
    return filter(argc > 1 ? argv[1] : NULL, reverse, &wish, &error) ? BZ_EXIT_OK : bz_cli_refuse(error);
}
