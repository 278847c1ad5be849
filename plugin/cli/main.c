/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/error.h"

#define PROGRAM "virt-bootzero"

static const struct {
    const char *name;
    const char *summary;
    BzCommandFunction run;
} commands[] = {
    {"enable", "Enable boot_zeroed_memory for a domain", bz_command_enable},
    {"disable", "Disable boot_zeroed_memory for a domain", bz_command_disable},
    {"edit", "Edit a domain's definition, with the elements in it", bz_command_edit},
    {"refresh", "Choose a domain's provider again", bz_command_refresh},
    {"translate", "Translate domain XML to the stored form, or back", bz_command_translate},
    {"validate", "Check the elements in domain XML", bz_command_validate},
    {"schema", "Write libvirt's schemas with the elements added", bz_command_schema},
    {"probe", "Tell what this host can do, and why not", bz_command_probe},
    {"status", "Show which guests have asked, and what they got", bz_command_status},
    {"watch", "Tell what happens to the guests", bz_command_watch},
    {"map", "Picture which memory of a guest is still zero", bz_command_map},
};

int bz_cli_refuse(const GError *error)
{
    g_autofree char *message = bz_error_format(error);

    fprintf(stderr, "error: %s\n", message);
    return BZ_EXIT_REFUSED;
}

void bz_cli_warn(const char *message)
{
    fprintf(stderr, "warning: %s\n", message);
}

int bz_cli_misuse(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    g_autofree char *message = g_strdup_vprintf(format, list);
    va_end(list);
    fprintf(stderr, "error: %s\nTry '%s --help'.\n", message, g_get_prgname());
    return BZ_EXIT_USAGE;
}

gboolean bz_cli_parse(int *argc, char ***argv, const char *parameters, const char *description,
                      const GOptionEntry *entries, int operand_limit)
{
    g_autoptr(GOptionContext) context = g_option_context_new(parameters);
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strconcat(PROGRAM " ", (*argv)[0], NULL);

    g_set_prgname(name);
    g_option_context_set_summary(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        bz_cli_misuse("%s", error->message);
        return FALSE;
    }
    /* GOption leaves the "--" that ends the options. */
    if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
        memmove(*argv + 1, *argv + 2, (gsize)(*argc - 1) * sizeof(char *));
        (*argc)--;
    }
    if (operand_limit >= 0 && *argc > 1 + operand_limit) {
        bz_cli_misuse("unexpected operand '%s'", (*argv)[1 + operand_limit]);
        return FALSE;
    }
    return TRUE;
}

static char *list_commands(void)
{
    GString *text = g_string_new("Commands:\n");

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(text, "  %-12s %s\n", commands[i].name, commands[i].summary);
    g_string_append(text, "\n'" PROGRAM " COMMAND --help' tells more of one.");
    return g_string_free(text, FALSE);
}

/* What a full disk or a closed pipe swallowed is a failure, too. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "error: cannot write to standard output: %s\n", g_strerror(errno));
    return BZ_EXIT_REFUSED;
}

int main(int argc, char **argv)
{
    g_autofree char *uri = NULL;
    gboolean version = FALSE;
    const GOptionEntry entries[] = {
        {"connect", 'c', 0, G_OPTION_ARG_STRING, &uri, "libvirt to work with, as in virsh", "URI"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("COMMAND ...");
    g_autofree char *list = list_commands();
    g_autoptr(GError) error = NULL;

    setlocale(LC_CTYPE, "");
    g_set_prgname(PROGRAM);
    g_option_context_set_summary(context, "boot_zeroed_memory for libvirt domains: a guest learns which of its memory is "
                                          "still zero.");
    g_option_context_set_description(context, list);
    g_option_context_add_main_entries(context, entries, NULL);
    /* Options behind the command are the command's. */
    g_option_context_set_strict_posix(context, TRUE);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return bz_cli_misuse("%s", error->message);
    if (version) {
        printf(PROGRAM " %s\n", BZ_VERSION);
        return finish(BZ_EXIT_OK);
    }
    if (argc < 2)
        return bz_cli_misuse("a command is needed");

    const BzCli cli = {.uri = uri};
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return finish(commands[i].run(&cli, argc - 1, argv + 1));
    }
    return bz_cli_misuse("unknown command '%s'", argv[1]);
}
