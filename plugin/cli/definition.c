/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/definition.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/wish.h"
#include "core/error.h"
#include "core/translate.h"

static char *fetch(virDomainPtr domain, unsigned flags, GError **error)
{
    char *text = virDomainGetXMLDesc(domain, flags);
    char *copy;

    if (!text) {
        bz_connection_failed(error);
        return NULL;
    }
    copy = g_strdup(text);
    free(text);
    return copy;
}

static char *fetch_definition(BzDefinition *definition, GError **error)
{
    return fetch(definition->domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE, error);
}

gboolean bz_definition_reload(BzDefinition *definition, GError **error)
{
    g_autofree char *given = fetch_definition(definition, error);
    g_autofree char *xml = NULL;
    g_autoptr(BzDomain) facts = NULL;

    if (!given)
        return FALSE;
    facts = bz_domain_parse(given, definition->configuration, error);
    if (!facts || !bz_restore(given, definition->configuration, &xml, error))
        return FALSE;
    if (facts->has_marker)
        definition->translator = BZ_TRANSLATOR_HERE;
    else if (facts->has_elements)
        definition->translator = BZ_TRANSLATOR_DAEMON;
    bz_domain_free(definition->facts);
    g_free(definition->given);
    g_free(definition->xml);
    definition->facts = g_steal_pointer(&facts);
    definition->xml = xml ? g_steal_pointer(&xml) : g_strdup(given);
    definition->given = g_steal_pointer(&given);
    return TRUE;
}

gboolean bz_definition_is_current(BzDefinition *definition, GError **error)
{
    g_autofree char *now = fetch_definition(definition, error);

    return now && strcmp(now, definition->given) == 0;
}

/* On another host, what the domain has there stays, unless --provider says otherwise. */
static BzWish wish_of(BzDefinition *definition, gboolean must_choose)
{
    BzConfiguration *configuration = definition->configuration;
    BzWish wish = {.configuration = configuration, .provider = definition->provider};

    if (definition->connection->is_local)
        return wish;
    wish.other = definition->connection->uri;
    if (wish.provider != BZ_PROVIDER_NONE || must_choose)
        return wish;
    if (definition->facts->has_qemu_args) {
        wish.provider = BZ_PROVIDER_QEMU;
    } else if (definition->facts->has_preload_env) {
        wish.provider = BZ_PROVIDER_PRELOAD;
        g_free(configuration->provider_library);
        configuration->provider_library = g_strdup(definition->facts->preload_library);
    }
    return wish;
}

char *bz_definition_translate(BzDefinition *definition, const char *xml, gboolean must_choose, GError **error)
{
    BzWish wish = wish_of(definition, must_choose);
    BzTranslateFlags flags = must_choose || wish.other ? 0 : BZ_TRANSLATE_ALLOW_NONE;
    g_autofree char *notice = NULL;
    char *stored = NULL;

    if (!bz_translate(xml, definition->configuration, flags, bz_wish_choose, &wish, &stored, &notice, error))
        return NULL;
    if (notice) {
        g_autofree char *warning =
            g_strdup_printf("%s; once it is, run: virt-bootzero refresh '%s'", notice, definition->name);

        bz_cli_warn(warning);
    }
    return stored ? stored : g_strdup(xml);
}

gboolean bz_definition_define(BzDefinition *definition, const char *xml, unsigned define_flags, GError **error)
{
    virDomainPtr defined = virDomainDefineXMLFlags(definition->connection->handle, xml, define_flags);

    if (!defined)
        return bz_connection_failed(error);
    virDomainFree(defined);
    return TRUE;
}

/* What a libvirt that does not know the elements says of them. */
static gboolean is_about_xml(const GError *error)
{
    return g_error_matches(error, BZ_LIBVIRT_ERROR, VIR_ERR_CONFIG_UNSUPPORTED) ||
           g_error_matches(error, BZ_LIBVIRT_ERROR, VIR_ERR_XML_ERROR) ||
           g_error_matches(error, BZ_LIBVIRT_ERROR, VIR_ERR_XML_DETAIL) ||
           g_error_matches(error, BZ_LIBVIRT_ERROR, VIR_ERR_XML_INVALID_SCHEMA);
}

gboolean bz_definition_store(BzDefinition *definition, const char *xml, unsigned define_flags, gboolean must_choose,
                             GError **error)
{
    g_autoptr(GError) refusal = NULL;
    g_autofree char *stored = NULL;

    if (definition->translator != BZ_TRANSLATOR_HERE) {
        if (bz_definition_define(definition, xml, define_flags, &refusal)) {
            if (definition->provider != BZ_PROVIDER_NONE && bz_translate_concerns(xml))
                bz_cli_warn(
                    "this libvirt has bootzero's plugin, which chooses the provider itself: --provider was not used");
            return TRUE;
        }
        if (definition->translator == BZ_TRANSLATOR_DAEMON || !bz_translate_concerns(xml) || !is_about_xml(refusal)) {
            g_propagate_error(error, g_steal_pointer(&refusal));
            return FALSE;
        }
    }
    stored = bz_definition_translate(definition, xml, must_choose, error);
    return stored && bz_definition_define(definition, stored, define_flags, error);
}

void bz_definition_tell_when(BzDefinition *definition)
{
    if (virDomainIsActive(definition->domain) == 1)
        printf("Domain '%s' is running: the change takes effect when it has been shut down and is started again\n",
               definition->name);
    else if (virDomainHasManagedSaveImage(definition->domain, 0) == 1)
        printf(
            "Domain '%s' has a managed save image: the change takes effect when it has been restored, shut down and is "
            "started again\n",
            definition->name);
}

static void clear(BzDefinition *definition)
{
    if (definition->domain)
        virDomainFree(definition->domain);
    bz_connection_free(definition->connection);
    bz_configuration_free(definition->configuration);
    bz_domain_free(definition->facts);
    g_free(definition->name);
    g_free(definition->given);
    g_free(definition->xml);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BzDefinition, clear)

static gboolean load(BzDefinition *definition, const char *uri, const char *name, GError **error)
{
    int persistent;

    definition->configuration = bz_configuration_load(NULL, error);
    if (!definition->configuration)
        return FALSE;
    definition->connection = bz_connection_open(uri, error);
    if (!definition->connection)
        return FALSE;
    definition->domain = bz_connection_find_domain(definition->connection, name, error);
    if (!definition->domain)
        return FALSE;
    definition->name = g_strdup(virDomainGetName(definition->domain));
    persistent = virDomainIsPersistent(definition->domain);
    if (persistent < 0)
        return bz_connection_failed(error);
    if (persistent == 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
                    "domain '%s' is transient and has no definition to change: define it "
                    "first, or create it anew from changed XML",
                    definition->name);
        return FALSE;
    }
    return bz_definition_reload(definition, error);
}

/* The entries of more behind the one that all have. */
static GOptionEntry *join_entries(const GOptionEntry *first, const GOptionEntry *more)
{
    GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    g_array_append_vals(all, first, 1);
    for (; more && more->long_name; more++)
        g_array_append_vals(all, more, 1);
    return (GOptionEntry *)g_array_free(all, FALSE);
}

int bz_definition_command(const BzCli *cli, int argc, char **argv, const char *description, const GOptionEntry *more,
                          BzDefinitionWork work, gpointer data)
{
    g_autofree char *provider = NULL;
    const GOptionEntry wish = BZ_WISH_OPTION(&provider);
    g_autofree GOptionEntry *entries = join_entries(&wish, more);
    g_auto(BzDefinition) definition = {0};
    g_autoptr(GError) error = NULL;

    if (!bz_cli_parse(&argc, &argv, "DOMAIN", description, entries, 1))
        return BZ_EXIT_USAGE;
    if (argc < 2)
        return bz_cli_misuse("a DOMAIN is needed: its name, uuid or id");
    if (!bz_wish_parse(provider, &definition.provider))
        return BZ_EXIT_USAGE;
    return load(&definition, cli->uri, argv[1], &error) ? work(&definition, data) : bz_cli_refuse(error);
}
