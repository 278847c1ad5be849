/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every domain of a folder through a real libvirtd with the plugin. What it accepts without the element, made a domain
 * that may have it, it has to accept with it, give back with it and otherwise the same, and take again without a
 * change.
 *
 *   define FOLDER LEAST STEP     LEAST: how many domains it has to accept; STEP: take every STEPth file
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

static virConnectPtr connection;
static guint domains, accepted, validated, failed;

static void be_quiet(void *data, virErrorPtr error)
{
}

/* What libvirt then gives for it. NULL when it refuses. Free with free(). */
static char *define(const char *xml, unsigned flags, virDomainPtr *domain)
{
    virDomainPtr defined = virDomainDefineXMLFlags(connection, xml, flags);

    if (!defined)
        return NULL;
    if (*domain)
        virDomainFree(*domain);
    *domain = defined;
    return virDomainGetXMLDesc(defined, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
}

static void fail(const char *path, const char *what, const char *expected, const char *actual)
{
    printf("FAILED: %s: %s\n--- expected\n%s\n--- actual\n%s\n", path, what, expected, actual);
    failed++;
}

static char *with_element(const char *xml)
{
    xmlDoc *doc = corpus_parse(xml);
    char *text;

    corpus_insert(doc, "on");
    text = corpus_format(doc);
    xmlFreeDoc(doc);
    return text;
}

static char *canonical_without_element(const char *xml)
{
    xmlDoc *doc = corpus_parse(xml);

    corpus_remove(doc);
    g_autofree char *text = corpus_format(doc);
    xmlFreeDoc(doc);
    return corpus_canonical(text);
}

static void check(const char *path, const char *base, unsigned flags, virDomainPtr *domain)
{
    g_autofree char *user = with_element(base);
    char *given = define(user, flags, domain);
    char *again = given ? define(given, 0, domain) : NULL;

    if (!given || !again) {
        fail(path, virGetLastErrorMessage(), "", given ? given : user);
    } else {
        g_autofree char *before = corpus_canonical(base), *after = canonical_without_element(given);

        if (corpus_count(given, "/domain/features/hyperv/boot_zeroed_memory[@state='on']") != 1 ||
            corpus_count(given, "//b:*") != 0)
            fail(path, "is not given in the user's form", user, given);
        if (g_strcmp0(before, after) != 0)
            fail(path, "is not the same apart from the element", before, after);
        if (strcmp(given, again) != 0)
            fail(path, "is not stable", given, again);
    }
    free(given);
    free(again);
}

/*
 * What libvirt gives for XML it accepts, when it does not change it any more: some devices are only put in order the
 * second time, and some it then refuses itself. *flags: to validate, when it passes the schema, too. NULL when it
 * refuses.
 */
static char *settle(const char *xml, unsigned *flags, virDomainPtr *domain)
{
    char *given = define(xml, 0, domain);
    char *next = given ? define(given, VIR_DOMAIN_DEFINE_VALIDATE, domain) : NULL;

    *flags = next ? VIR_DOMAIN_DEFINE_VALIDATE : 0;
    for (int i = 0; given && (!next || strcmp(given, next) != 0) && i < 3; i++) {
        if (next) {
            free(given);
            given = next;
        }
        next = define(given, 0, domain);
    }
    if (!next)
        g_clear_pointer(&given, free);
    free(next);
    return given;
}

static void take(const char *path)
{
    g_autofree char *text = NULL, *user = NULL;
    virDomainPtr domain = NULL;
    unsigned flags = 0;
    xmlDoc *doc;
    char *base;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    doc = corpus_parse(text);
    if (doc && corpus_is_domain(doc)) {
        domains++;
        corpus_allow(doc);
        user = corpus_format(doc);
        base = settle(user, &flags, &domain);
        if (base) {
            accepted++;
            validated += flags != 0;
            check(path, base, flags, &domain);
        }
        free(base);
        if (domain && virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM) < 0)
            fail(path, virGetLastErrorMessage(), "to be undefined", "");
        if (domain)
            virDomainFree(domain);
    }
    xmlFreeDoc(doc);
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) files = argc == 4 && atoi(argv[3]) > 0 ? corpus_files(argv[1]) : NULL;

    if (!files) {
        fprintf(stderr, "usage: define FOLDER LEAST STEP\n");
        return 2;
    }
    virSetErrorFunc(NULL, be_quiet);
    connection = virConnectOpen("qemu:///system");
    if (!connection) {
        printf("FAILED: %s\n", virGetLastErrorMessage());
        return 1;
    }
    for (guint i = 0; i < files->len && failed < 10; i += (guint)atoi(argv[3]))
        take(files->pdata[i]);
    virConnectClose(connection);
    printf("%u domains, %u accepted, %u of them also by the schema; %u failed\n", domains, accepted, validated, failed);
    if (accepted < (guint)atoi(argv[2])) {
        printf("FAILED: %s accepted domains were expected\n", argv[2]);
        return 1;
    }
    return failed ? 1 : 0;
}
