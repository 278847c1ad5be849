/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of a test's own, which everybody may read, and the fake programs in it. */
#pragma once
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

typedef struct {
    char *path;
} Scratch;

static inline void scratch_set_up(Scratch *scratch, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    scratch->path = g_dir_make_tmp("bootzero-test-XXXXXX", &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(scratch->path, 0755), ==, 0);
}

static inline void scratch_tear_down(Scratch *scratch, gconstpointer data)
{
    const char *argv[] = {"rm", "-rf", scratch->path, NULL};

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(scratch->path);
}

/* Writes a file of the folder and gives its path. Free with g_free(). */
static inline char *scratch_file(Scratch *scratch, const char *name, const char *content, int mode)
{
    char *path = g_build_filename(scratch->path, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, content, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
    return path;
}

/* text is a literal and is found in the message as it stands. */
#define assert_message(error, domain_, code_, text)                                                                    \
    do {                                                                                                               \
        g_assert_error(error, domain_, code_);                                                                         \
        if (!strstr((error)->message, text))                                                                           \
            g_error("'%s' is not in '%s'", text, (error)->message);                                                    \
    } while (0)
