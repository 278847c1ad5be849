/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definition of a persistent domain, in the user's form, whatever its libvirt gives and takes.
 *
 * Where the daemon has the plugin, it gives and takes the user's form, and translates. Where it has not, it gives the
 * stored form, and this program translates. Which it is shows in what it gives: a marker or an element. When it gives
 * neither, the user's form is tried first; a libvirt without the plugin refuses the elements, and then gets the stored
 * form.
 */
#pragma once
#include "cli/command.h"
#include "cli/connection.h"
#include "core/configuration.h"
#include "core/domain.h"

typedef enum {
    BZ_TRANSLATOR_UNKNOWN,
    BZ_TRANSLATOR_DAEMON,
    BZ_TRANSLATOR_HERE,
} BzTranslator;

typedef struct {
    BzConnection *connection;
    virDomainPtr domain;
    BzConfiguration *configuration;
    BzProvider provider; /* from --provider; NONE when it was not given */
    BzTranslator translator;
    char *name;
    char *given;     /* as libvirt gave it: inactive, with passwords */
    char *xml;       /* the same in the user's form */
    BzDomain *facts; /* of given */
} BzDefinition;

/* What a command makes of the definition of the domain in argv[1]. Gives an exit status, with all told. */
typedef int (*BzDefinitionWork)(BzDefinition *definition, gpointer data);

/*
 * The frame of each command that changes a domain: options --provider and those in more, operand DOMAIN, connection,
 * domain. A domain without a definition (transient) is refused.
 */
int bz_definition_command(const BzCli *cli, int argc, char **argv, const char *description, const GOptionEntry *more,
                          BzDefinitionWork work, gpointer data);

/* Whether libvirt still gives what it gave. FALSE also when it cannot be asked, with BZ_LIBVIRT_ERROR. */
gboolean bz_definition_is_current(BzDefinition *definition, GError **error);

/*
 * Defines the domain by xml, in the user's form. define_flags: virDomainDefineFlags. must_choose: fail where no
 * provider can be had, and not only warn of it. Warnings go to stderr. FALSE with BZ_LIBVIRT_ERROR, or with an error of
 * the translation; the definition is then what it was.
 */
gboolean bz_definition_store(BzDefinition *definition, const char *xml, unsigned define_flags, gboolean must_choose,
                             GError **error);

/* The same for XML that is in the form its libvirt takes. */
gboolean bz_definition_define(BzDefinition *definition, const char *xml, unsigned define_flags, GError **error);

/* The stored form of xml by this program's translation. NULL: an error as above. Free with g_free(). */
char *bz_definition_translate(BzDefinition *definition, const char *xml, gboolean must_choose, GError **error);

/* Takes over what libvirt gives now. */
gboolean bz_definition_reload(BzDefinition *definition, GError **error);

/* On stdout, where a guest that runs or is saved goes on with what it has: when the change takes effect. */
void bz_definition_tell_when(BzDefinition *definition);
