/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/command-line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bz_command_line_of_self(size_t *size)
{
    size_t capacity = 0, used = 0, got;
    char *words = NULL;
    FILE *file = fopen("/proc/self/cmdline", "re");

    if (file == NULL)
        return NULL;
    do {
        char *more = realloc(words, capacity += 16384);
        if (more == NULL)
            break;
        words = more;
        got = fread(words + used, 1, capacity - used, file);
        used += got;
    } while (used == capacity);
    /* One that ends for want of memory would hide the words behind it. */
    if (used == capacity || ferror(file) || used == 0) {
        free(words);
        words = NULL;
    }
    fclose(file);
    *size = used;
    return words;
}

bool bz_command_line_next(const char *words, size_t size, const char **option, const char **word, bool *is_whole)
{
    const char *end = words + size;
    const char *next = *word ? *word + strlen(*word) + 1 : words;

    *option = *word ? *word : "";
    *is_whole = true;
    if (next >= end)
        return false;
    *is_whole = memchr(next, '\0', (size_t)(end - next)) != NULL;
    if (!*is_whole)
        return false;
    *word = next;
    return true;
}

bool bz_is_option(const char *word, const char *option)
{
    if (*word != '-')
        return false;
    word++;
    if (*word == '-')
        word++;
    return strcmp(word, option) == 0;
}
