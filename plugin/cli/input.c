/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

/* What passes through untouched may be longer than what is parsed (BZ_XML_MAX), but not without end. In bytes. */
#define INPUT_MAX (64u * 1024 * 1024)

static gboolean read_all(int fd, const char *name, GString *text, GError **error)
{
    char buffer[65536];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot read '%s': %s", name, g_strerror(errno));
            return FALSE;
        }
        g_string_append_len(text, buffer, n);
        if (text->len > INPUT_MAX) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "'%s' is longer than %u bytes: this is no domain XML", name,
                        INPUT_MAX);
            return FALSE;
        }
    }
    return TRUE;
}

char *bz_input_read(const char *path, GError **error)
{
    gboolean is_stdin = !path || strcmp(path, "-") == 0;
    g_autoptr(GString) text = g_string_new(NULL);
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    gboolean done;

    if (fd < 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot open '%s': %s", path, g_strerror(errno));
        return NULL;
    }
    done = read_all(fd, is_stdin ? "standard input" : path, text, error);
    if (!is_stdin)
        close(fd);
    if (!done)
        return NULL;
    if (strlen(text->str) != text->len) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_MALFORMED, "'%s' has a NUL byte at offset %zu: it must be XML in UTF-8",
                    is_stdin ? "standard input" : path, strlen(text->str));
        return NULL;
    }
    return g_strdup(text->str);
}
