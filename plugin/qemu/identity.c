/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/command-line.h"

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
    const char *option, *word = NULL;
    bool is_whole;

    *identity = (struct bz_identity){ 0 };
    while (bz_command_line_next(words, size, &option, &word, &is_whole)) {
        if (bz_is_option(option, "name"))
            take_name(identity, word);
        else if (bz_is_option(option, "uuid"))
            take_uuid(identity, word);
    }
}

void bz_identity_of_self(struct bz_identity *identity)
{
    size_t size;
    char *words = bz_command_line_of_self(&size);

    *identity = (struct bz_identity){ 0 };
    if (words)
        bz_identity_parse(identity, words, size);
    free(words);
}
