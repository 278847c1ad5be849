/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every XML file of a folder through translate and restore: as it is, byte for byte; a domain also with the element,
 * from which it has to come back with the same meaning, and the second time with the same bytes.
 *
 *   round-trip FOLDER LEAST     LEAST: how many domains there have to be
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/translate-helper.h"
#include "core/outline.h"
#include "tree.h"

#define EXACT (BZ_TRANSLATE_ALLOW_NONE | BZ_TRANSLATE_EXACT)
#define DAEMON BZ_TRANSLATE_ALLOW_NONE

static struct {
    guint files, malformed, domains, as_they_are, after_change, failed;
} counts;

static void fail(const char *path, const char *what, const char *one, const char *other)
{
    printf("FAILED: %s: %s\n--- expected\n%s\n--- actual\n%s\n", path, what, one ? one : "", other ? other : "");
    counts.failed++;
}

static void expect_same(const char *path, const char *what, const char *expected, const char *actual)
{
    if (g_strcmp0(expected, actual) != 0)
        fail(path, what, expected, actual);
}

/* The names are mentioned, so that it is not passed on unread. */
static void pass_unchanged(const char *path, const char *text, gboolean well_formed)
{
    g_autofree char *mentioned = g_strconcat(text, "<!-- boot_zeroed_memory " BZ_NS_MARKER " -->", NULL);
    g_autoptr(GError) there = NULL, back = NULL;
    g_autofree char *translated = translate(mentioned, EXACT, BZ_PROVIDER_PRELOAD, &there);
    g_autofree char *restored = restore(mentioned, &back);

    if (!well_formed) {
        if (!g_error_matches(there, BZ_ERROR, BZ_ERROR_MALFORMED) ||
            !g_error_matches(back, BZ_ERROR, BZ_ERROR_MALFORMED))
            fail(path, "is not well-formed, and was taken", NULL, NULL);
        return;
    }
    expect_same(path, there ? there->message : "translate changed what has nothing of bootzero's", mentioned,
                translated);
    expect_same(path, back ? back->message : "restore changed what has nothing of bootzero's", mentioned, restored);
}

static void go_round(const char *path, const char *user, BzTranslateFlags flags, BzProvider provider)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *stored = translate(user, flags, provider, &error);
    g_autofree char *stored_again = stored ? translate(stored, flags, provider, &error) : NULL;
    g_autofree char *back = stored_again ? restore(stored, &error) : NULL;
    g_autofree char *second = back ? translate(back, flags, provider, &error) : NULL;
    g_autofree char *second_back = second ? restore(second, &error) : NULL;

    if (!second_back) {
        fail(path, error->message, user, stored);
        return;
    }
    if (corpus_count(stored, "//boot_zeroed_memory") != 0 || corpus_count(stored, "/domain/metadata/b:features") != 1 ||
        corpus_count(stored, "/domain/q:commandline/q:env[@name='BOOTZERO']") != (provider == BZ_PROVIDER_PRELOAD))
        fail(path, "is not in the stored form", NULL, stored);
    expect_same(path, "translate is not idempotent", stored, stored_again);
    expect_same(path, "is not stable after the first pass", back, second_back);
    expect_same(path, "is not stored the same after the first pass", stored, second);
    if (flags & BZ_TRANSLATE_EXACT) {
        g_autofree char *before = corpus_canonical(user), *after = corpus_canonical(back);

        if (!before || !strstr(before, "<boot_zeroed_memory state=\"on\">"))
            fail(path, "has no canonical form", user, before);
        expect_same(path, "came back with another meaning", before, after);
    }
}

static void go_round_with_all(const char *path, const char *user)
{
    static const BzProvider providers[] = {BZ_PROVIDER_PRELOAD, BZ_PROVIDER_QEMU, BZ_PROVIDER_NONE};

    for (guint i = 0; i < G_N_ELEMENTS(providers); i++) {
        go_round(path, user, EXACT, providers[i]);
        go_round(path, user, DAEMON, providers[i]);
    }
}

/* As it is, where the rules allow that, and changed so that they do. */
static void take_domain(const char *path, xmlDoc *doc)
{
    xmlDoc *allowed = xmlCopyDoc(doc, 1);
    gboolean is_changed = corpus_allow(allowed);
    g_autofree char *user = NULL, *user_allowed = NULL, *stored = NULL;
    g_autoptr(GError) error = NULL;

    corpus_insert(doc, "on");
    corpus_insert(allowed, "on");
    user = corpus_format(doc);
    user_allowed = corpus_format(allowed);
    xmlFreeDoc(allowed);

    counts.domains++;
    stored = translate(user, EXACT, BZ_PROVIDER_PRELOAD, &error);
    if (stored) {
        counts.as_they_are++;
        go_round_with_all(path, user);
    } else if (!g_error_matches(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED) || !is_changed) {
        fail(path, error->message, NULL, user);
    }
    if (is_changed) {
        counts.after_change++;
        go_round_with_all(path, user_allowed);
    }
}

static void take(const char *path)
{
    g_autofree char *text = NULL;
    gsize length;
    xmlDoc *doc;

    if (!g_file_get_contents(path, &text, &length, NULL) || strlen(text) != length)
        return;
    counts.files++;
    doc = corpus_parse(text);
    if (!doc)
        counts.malformed++;
    pass_unchanged(path, text, doc != NULL);
    if (doc && corpus_is_domain(doc))
        take_domain(path, doc);
    xmlFreeDoc(doc);
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) files = argc == 3 ? corpus_files(argv[1]) : NULL;

    if (!files) {
        fprintf(stderr, "usage: round-trip FOLDER LEAST\n");
        return 2;
    }
    for (guint i = 0; i < files->len && counts.failed < 20; i++)
        take(files->pdata[i]);
    printf("%u files, %u of them not well-formed; %u domains: %u with the element as they are, %u after changes that "
           "the rules "
           "ask for; %u failed\n",
           counts.files, counts.malformed, counts.domains, counts.as_they_are, counts.after_change, counts.failed);
    if (counts.domains < (guint)atoi(argv[2])) {
        printf("FAILED: %s domains were expected: this is not the corpus\n", argv[2]);
        return 1;
    }
    return counts.failed ? 1 : 0;
}
