/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/config.h"

#include <stdio.h>
#include <string.h>

enum setting { ABSENT, OFF, ON };

struct known {
    const char *key;
    enum setting value;
};

/* %.*s takes an int; a longer text would be cut in the message anyway. */
static int printable_length(size_t length)
{
    return length > 200 ? 200 : (int)length;
}

static bool parse_one(const char *item, size_t length, struct known *known, size_t n_known, char *message, size_t size)
{
    const char *equals = memchr(item, '=', length);
    size_t key_length = equals ? (size_t)(equals - item) : length;
    const char *value = equals ? equals + 1 : "";
    size_t value_length = equals ? length - key_length - 1 : 0;

    for (size_t i = 0; i < n_known; i++) {
        if (strlen(known[i].key) != key_length || memcmp(item, known[i].key, key_length) != 0)
            continue;
        if (known[i].value != ABSENT) {
            snprintf(message, size, "BOOTZERO: '%s' is given twice: give it once", known[i].key);
            return false;
        }
        if (value_length == 2 && memcmp(value, "on", 2) == 0) {
            known[i].value = ON;
        } else if (value_length == 3 && memcmp(value, "off", 3) == 0) {
            known[i].value = OFF;
        } else {
            snprintf(message, size, "BOOTZERO: '%s' has the value '%.*s': allowed values are 'on' and 'off'",
                     known[i].key, printable_length(value_length), value);
            return false;
        }
        return true;
    }
    snprintf(message, size, "BOOTZERO: unknown key '%.*s' with the value '%.*s': allowed keys are '%s' and '%s'",
             printable_length(key_length), item, printable_length(value_length), value, known[0].key, known[1].key);
    return false;
}

bool bz_config_parse(const char *text, struct bz_config *config, char *message, size_t size)
{
    struct known known[] = { { "ext-query-caps", ABSENT }, { "boot-zeroed-mem", ABSENT } };
    const struct known *caps = &known[0], *zeroed = &known[1];

    *config = (struct bz_config){ false, false };
    if (text == NULL || *text == '\0')
        return true;

    for (const char *item = text;; item++) {
        size_t length = strcspn(item, ",");
        if (!parse_one(item, length, known, sizeof known / sizeof known[0], message, size))
            return false;
        item += length;
        if (*item == '\0')
            break;
    }

    if (zeroed->value == ON && caps->value == OFF) {
        snprintf(message, size,
                 "BOOTZERO: 'boot-zeroed-mem=on' needs 'ext-query-caps=on': remove 'ext-query-caps=off'");
        return false;
    }
    config->boot_zeroed_mem = zeroed->value == ON;
    config->ext_query_caps = caps->value == ON || config->boot_zeroed_mem;
    return true;
}
