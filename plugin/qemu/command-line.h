/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's command line, as /proc/self/cmdline has it: words, each closed by a NUL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* All of it, to be freed, and its size; NULL when it cannot be read. */
char *bz_command_line_of_self(size_t *size);

/*
 * Goes through the words: *word is NULL before the first call, and *option is the word before *word, "" before the first.
 * False at the end. *is_whole is false when the last word has no NUL: then it was cut off, and is not given.
 */
bool bz_command_line_next(const char *words, size_t size, const char **option, const char **word, bool *is_whole);

/* Whether a word is that option. QEMU takes one dash or two. */
bool bz_is_option(const char *word, const char *option);
