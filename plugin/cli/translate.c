/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero translate [--reverse] [--provider P] [FILE]: a filter between the user's form and the stored one. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/input.h"
#include "core/error.h"
#include "core/translate.h"
#include "core/validate.h"

typedef struct {
    const BzConfiguration *configuration;
    BzProvider provider; /* NONE: whatever this host can do */
} Wish;

static BzChoice *choose(const BzDomain *domain, gpointer data, GError **error)
{
    const Wish *wish = data;
    g_autoptr(GPtrArray) warnings = NULL;
    g_autoptr(GError) cause = NULL;
    BzChoice *choice;

    if (bz_validate(domain, &warnings, NULL))
        for (guint i = 0; i < warnings->len; i++)
            bz_cli_warn(warnings->pdata[i]);
    if (wish->provider != BZ_PROVIDER_NONE)
        return bz_choose_for_another_host(domain, wish->configuration, wish->provider, error);
    choice = bz_choose(domain, wish->configuration, BZ_PROVIDER_NONE, &cause);
    if (!choice)
        g_set_error(error, cause->domain, cause->code,
                    "%s; to translate for another host, name what it has with --provider preload or --provider qemu",
                    cause->message);
    return choice;
}

static gboolean filter(const char *path, gboolean reverse, Wish *wish, GError **error)
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
        {"provider", 'p', 0, G_OPTION_ARG_STRING, &provider,
         "qemu or preload: do not look at this host, the domain is for another one that has it", "PROVIDER"},
        {0},
    };
    g_autoptr(BzConfiguration) configuration = NULL;
    g_autoptr(GError) error = NULL;
    Wish wish = {.provider = BZ_PROVIDER_NONE};

    if (!bz_cli_parse(&argc, &argv, "[FILE]",
                      "Translates domain XML from the form with <boot_zeroed_memory> to the form that every libvirt\n"
                      "stores and starts, from FILE or standard input to standard output. XML without the element\n"
                      "comes out as it went in.",
                      entries, 1))
        return BZ_EXIT_USAGE;
    if (provider && (!bz_provider_from_string(provider, &wish.provider)))
        return bz_cli_misuse("unknown provider '%s': it must be auto, qemu or preload", provider);
    if (wish.provider == BZ_PROVIDER_AUTO)
        wish.provider = BZ_PROVIDER_NONE;
    configuration = bz_configuration_load(NULL, &error);
    if (!configuration)
        return bz_cli_refuse(error);
    wish.configuration = configuration;
    return filter(argc > 1 ? argv[1] : NULL, reverse, &wish, &error) ? BZ_EXIT_OK : bz_cli_refuse(error);
}
