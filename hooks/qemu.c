/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hook libvirt runs as .../hooks/qemu.d/bootzero NAME OPERATION SUB-OPERATION EXTRA, with the domain XML in its
 * stored form on stdin. A non-zero exit aborts the operation, and what is on stderr becomes part of the error.
 *
 *   prepare   refuses what would start and silently lack the feature: QEMU takes the arguments also where KVM cannot do its
 *             part, and the dynamic linker goes on without a library it does not find
 *   migrate   at the destination, and
 *   restore   of a saved guest: refuse a host that cannot give the guest what it was told it has. libvirt would take
 *             another XML from stdout; nothing on it leaves the XML as it is
 *
 * A guest with a managed save image is restored when it is started, and libvirt 11.3 takes a `restore` that fails there
 * for one that succeeded: it deletes the image. `prepare`, which follows, refuses such a guest.
 *
 * Every other operation passes: a failing `reconnect`, for one, would kill a running guest. It never calls libvirt, which
 * waits for it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/choice.h"
#include "core/error.h"
#include "core/text.h"
#include "core/validate.h"

/* Every stored form has it, in this spelling: libvirt has written the XML anew. */
#define MARKER_NAMESPACE "urn:bootzero:domain:1"

/* libvirt's clients cannot send more than 4 MiB of XML. */
#define XML_LIMIT (16 * 1024 * 1024)

/* All of stdin, up to one byte beyond the limit; NULL and errno when it cannot be read. */
static GString *read_stdin(void)
{
    GString *xml = g_string_new(NULL);
    char buffer[65536];

    while (xml->len <= XML_LIMIT) {
        ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_string_free(xml, TRUE);
            return NULL;
        }
        if (n == 0)
            break;
        g_string_append_len(xml, buffer, n);
    }
    return xml;
}

typedef gboolean (*Check)(const BzDomain *domain, const BzConfiguration *configuration, GError **error);

static gboolean may_restore(const BzDomain *domain, const BzConfiguration *configuration, GError **error)
{
    if (bz_choice_continues(domain, configuration, error))
        return TRUE;
    g_prefix_error(error, "host '%s' cannot take the guest: ", g_get_host_name());
    return FALSE;
}

/*
 * Without arguments it is an offline migration of a definition, which may ask for anything, or that of a guest that was
 * started without: then prepare follows, and refuses.
 */
static gboolean may_migrate(const BzDomain *domain, const BzConfiguration *configuration, GError **error)
{
    return !bz_choice_may_continue(domain, NULL) || may_restore(domain, configuration, error);
}

/* What a session's daemon, which is the parent, goes by: of its environment a hook gets little, and not this. */
static char *config_folder_of_daemon(void)
{
    static const char variable[] = "XDG_CONFIG_HOME=";
    g_autofree char *path = g_strdup_printf("/proc/%d/environ", (int)getppid());
    g_autofree char *environment = NULL;
    const char *entry;
    gsize length;

    if (g_file_get_contents(path, &environment, &length, NULL)) {
        for (entry = environment; entry < environment + length; entry += strlen(entry) + 1) {
            if (g_str_has_prefix(entry, variable) && entry[strlen(variable)] != '\0')
                return g_strdup(entry + strlen(variable));
        }
    }
    return g_strdup(g_get_user_config_dir());
}

/* In the daemon's own folder, of the system or of a session. It is there until the guest has been restored. */
static gboolean has_managed_save(const char *name)
{
    g_autofree char *config = config_folder_of_daemon();
    g_autofree char *session = g_build_filename(config, "libvirt", NULL);
    g_autofree char *file = g_strconcat(name, ".save", NULL);
    g_autofree char *path =
        g_build_filename(geteuid() == 0 ? "/var/lib/libvirt" : session, "qemu", "save", file, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* NULL: it passes. */
static Check check_at(const char *operation, const char *name)
{
    if (strcmp(operation, "prepare") == 0)
        return has_managed_save(name) ? may_restore : bz_choice_still_holds;
    if (strcmp(operation, "migrate") == 0)
        return may_migrate;
    if (strcmp(operation, "restore") == 0 && !has_managed_save(name))
        return may_restore;
    return NULL;
}

static gboolean check(const char *xml, Check choice_check, GError **error)
{
    g_autoptr(BzConfiguration) configuration = bz_configuration_load(NULL, error);
    if (!configuration)
        return FALSE;

    g_autoptr(BzDomain) domain = bz_domain_parse(xml, configuration, error);
    if (!domain || !bz_validate(domain, NULL, error))
        return FALSE;
    return !bz_features_wants_ext_query_caps(&domain->features) || choice_check(domain, configuration, error);
}

static int refuse(const char *prefix, const char *message)
{
    g_autofree char *line = bz_text_escape(message, 4000);

    fprintf(stderr, "bootzero: %s: %s\n", prefix, line);
    return 1;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) xml = NULL;
    Check choice_check;

    if (argc < 3) {
        fputs("usage: bootzero-hook NAME OPERATION SUB-OPERATION EXTRA <DOMAIN-XML\n", stderr);
        return 2;
    }
    choice_check = check_at(argv[2], argv[1]);
    if (choice_check == NULL)
        return 0;

    xml = read_stdin();
    if (!xml) {
        g_autofree char *message = g_strdup_printf("cannot read the domain XML: %s", g_strerror(errno));
        return refuse("internal error", message);
    }
    if (!memmem(xml->str, xml->len, MARKER_NAMESPACE, strlen(MARKER_NAMESPACE)))
        return 0;
    if (xml->len > XML_LIMIT)
        return refuse("XML error", "the domain XML is larger than 16 MiB");
    if (!check(xml->str, choice_check, &error))
        return refuse(bz_error_prefix(error), error->message);
    return 0;
}
