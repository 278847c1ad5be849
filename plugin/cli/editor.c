/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/editor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

char *bz_editor_file(const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("virt-bootzero-XXXXXX.xml", &path, &cause); /* mode 0600 */
    gsize left = strlen(text);
    gboolean done = fd >= 0;

    while (done && left > 0) {
        gssize n = write(fd, text, left);

        done = n > 0;
        text += done ? n : 0;
        left -= done ? (gsize)n : 0;
    }
    if (done && close(fd) == 0)
        return g_steal_pointer(&path);
    if (cause)
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s", cause->message);
    else
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot write '%s': the disk may be full", path);
    if (path)
        unlink(path);
    return NULL;
}

/* As it is for a program that a terminal's keys are meant for. */
static void hand_over_keys(gpointer data)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
}

gboolean bz_editor_run(const char *path, GError **error)
{
    const char *editor = g_getenv("VISUAL");
    const char *argv[] = {"/bin/sh", "-c", NULL, NULL, path, NULL};
    g_autoptr(GError) cause = NULL;
    g_autofree char *script = NULL;
    void (*on_int)(int), (*on_quit)(int);
    gboolean done;
    int status;

    if (!editor || !*editor)
        editor = g_getenv("EDITOR");
    if (!editor || !*editor)
        editor = "vi";
    script = g_strconcat(editor, " \"$@\"", NULL);
    argv[2] = script;
    argv[3] = editor;
    fflush(NULL);
    on_int = signal(SIGINT, SIG_IGN); /* the editor's, not ours to end by */
    on_quit = signal(SIGQUIT, SIG_IGN);
    done = g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, hand_over_keys, NULL, NULL, NULL,
                        &status, &cause) &&
           g_spawn_check_wait_status(status, &cause);
    signal(SIGINT, on_int);
    signal(SIGQUIT, on_quit);
    if (!done)
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "editor '%s': %s; set VISUAL or EDITOR to another one", editor,
                    cause->message);
    return done;
}

char bz_editor_ask(const char *question, const char *letters)
{
    char answer[256];

    if (!isatty(STDIN_FILENO))
        return '\0';
    do {
        printf("%s [%s]: ", question, letters);
        fflush(stdout);
        if (!fgets(answer, sizeof answer, stdin))
            return '\0';
    } while (!*answer || *answer == '\n' || !strchr(letters, *answer));
    return *answer;
}
