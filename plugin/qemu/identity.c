/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/identity.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* QEMU takes one dash or two. */
static bool is_option(const char *word, const char *option)
{
    if (*word != '-')
        return false;
    word++;
    if (*word == '-')
        word++;
    return strcmp(word, option) == 0;
}

/* The value of -name is "[guest=]NAME[,KEY=VALUE...]", or with guest= in another place; a comma in NAME is doubled. */
static void take_name(struct bz_identity *identity, const char *value)
{
    const char *key = strncmp(value, "guest=", 6) == 0 ? value : strstr(value, ",guest=");
    size_t used = 0;

    if (key)
        value = strchr(key, '=') + 1;
    for (; *value && used < sizeof identity->name - 1; value++) {
        if (*value == ',' && *++value != ',')
            break;
        identity->name[used++] = *value;
    }
    identity->name[used] = '\0';
}

static void take_uuid(struct bz_identity *identity, const char *value)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(value) != sizeof form - 1)
        return;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'x' ? !isxdigit((unsigned char)value[i]) : value[i] != '-')
            return;
    for (size_t i = 0; i < sizeof form; i++)
        identity->uuid[i] = (char)tolower((unsigned char)value[i]);
}

void bz_identity_parse(struct bz_identity *identity, const char *words, size_t size)
{
    const char *end = words + size;
    const char *option = "";

    *identity = (struct bz_identity){ 0 };
    for (const char *word = words; word < end;) {
        size_t length = strnlen(word, (size_t)(end - word));
        if (word + length == end)
            return;
        if (is_option(option, "name"))
            take_name(identity, word);
        else if (is_option(option, "uuid"))
            take_uuid(identity, word);
        option = word;
        word += length + 1;
    }
}

void bz_identity_of_self(struct bz_identity *identity)
{
    char *words = NULL;
    size_t size = 0, used = 0, got;
    FILE *file = fopen("/proc/self/cmdline", "re");

    *identity = (struct bz_identity){ 0 };
    if (file == NULL)
        return;
    do {
        char *more = realloc(words, size += 16384);
        if (more == NULL)
            break;
        words = more;
        got = fread(words + used, 1, size - used, file);
        used += got;
    } while (used == size);
    if (words)
        bz_identity_parse(identity, words, used);
    free(words);
    fclose(file);
}
