/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero edit DOMAIN: the definition in the user's form, in an editor. What was edited is never lost. */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/definition.h"
#include "cli/editor.h"
#include "cli/input.h"
#include "core/error.h"

typedef enum {
    NOT_CHANGED,
    STORED,
    FAILED,
} Outcome;

/* One time through the editor and back to libvirt. */
static Outcome try_once(BzDefinition *definition, const char *path, gboolean edit, unsigned flags, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;

    if (edit && !bz_editor_run(path, error))
        return FAILED;
    text = bz_input_read(path, error);
    if (!text)
        return FAILED;
    if (strcmp(text, definition->xml) == 0)
        return NOT_CHANGED;
    if (!bz_definition_is_current(definition, &cause)) {
        if (cause)
            g_propagate_error(error, g_steal_pointer(&cause));
        else
            g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED,
                        "domain '%s' was changed by someone else meanwhile: edit it again, "
                        "from what it is now",
                        definition->name);
        return FAILED;
    }
    return bz_definition_store(definition, text, flags, FALSE, error) ? STORED : FAILED;
}

/* On a terminal: whether to go on. edit: with the editor, else with the text as it is and not validated. */
static gboolean ask(gboolean *edit, unsigned *flags)
{
    for (;;) {
        switch (bz_editor_ask("Failed. Try again?", "y,n,i,?")) {
        case 'y':
            *edit = TRUE;
            return TRUE;
        case 'i':
            *edit = FALSE;
            *flags &= ~(unsigned)VIR_DOMAIN_DEFINE_VALIDATE;
            return TRUE;
        case '?':
            puts("y - yes, start the editor again\n"
                 "n - no, keep the edited text in its file and leave the domain as it is\n"
                 "i - define it as it is, without validating it against the schema\n"
                 "? - print this help");
            break;
        case ',':
            break;
        default:
            return FALSE;
        }
    }
}

/* Only what is worth keeping is kept. */
static void keep(const BzDefinition *definition, const char *path)
{
    g_autofree char *text = bz_input_read(path, NULL);

    if (text && strcmp(text, definition->xml) == 0)
        unlink(path);
    else
        fprintf(stderr, "The edited text is in '%s'\n", path);
}

static int edit_file(BzDefinition *definition, const char *path, unsigned flags)
{
    gboolean edit = TRUE;

    for (;;) {
        g_autoptr(GError) error = NULL;
        Outcome outcome = try_once(definition, path, edit, flags, &error);

        if (outcome != FAILED) {
            unlink(path);
            printf("Domain '%s' XML configuration %s.\n", definition->name,
                   outcome == STORED ? "edited" : "not changed");
            if (outcome == STORED)
                bz_definition_tell_when(definition);
            return BZ_EXIT_OK;
        }
        bz_cli_refuse(error);
        if (!ask(&edit, &flags))
            break;
    }
    keep(definition, path);
    return BZ_EXIT_REFUSED;
}

static int edit_definition(BzDefinition *definition, gpointer data)
{
    const gboolean *skip_validate = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = bz_editor_file(definition->xml, &error);

    if (!path)
        return bz_cli_refuse(error);
    return edit_file(definition, path, *skip_validate ? 0 : VIR_DOMAIN_DEFINE_VALIDATE);
}

int bz_command_edit(const BzCli *cli, int argc, char **argv)
{
    gboolean skip_validate = FALSE;
    const GOptionEntry entries[] = {
        {"skip-validate", 0, 0, G_OPTION_ARG_NONE, &skip_validate, "Do not validate against libvirt's schema", NULL},
        {0},
    };

    return bz_definition_command(
        cli, argc, argv,
        "Edits the definition of a domain, with the elements as they were written, in the editor that\n"
        "VISUAL or EDITOR names. What libvirt refuses stays in a file.",
        entries, edit_definition, &skip_validate);
}
