/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum setting { ABSENT, OFF, ON };

/* A key that is on or off, or, with room for it, one that is a path or a number. */
struct known {
    const char *key;
    enum setting value; /* of a path and a number: not ABSENT once it was given */
    char *path;
    size_t path_size;
    unsigned *seconds;
};

struct item {
    const char *key, *value;
    size_t key_length, value_length;
};

/* %.*s takes an int; a longer text would be cut in the message anyway. */
static int printable_length(size_t length)
{
    return length > 200 ? 200 : (int)length;
}

static bool take_state(const struct item *item, struct known *known, char *message, size_t size)
{
    if (item->value_length == 2 && memcmp(item->value, "on", 2) == 0) {
        known->value = ON;
    } else if (item->value_length == 3 && memcmp(item->value, "off", 3) == 0) {
        known->value = OFF;
    } else {
        snprintf(message, size, "BOOTZERO: '%s' has the value '%.*s': allowed values are 'on' and 'off'", known->key,
                 printable_length(item->value_length), item->value);
        return false;
    }
    return true;
}

static bool take_path(const struct item *item, struct known *known, char *message, size_t size)
{
    if (item->value_length == 0 || item->value[0] != '/' || item->value_length >= known->path_size) {
        snprintf(message, size, "BOOTZERO: '%s' has the value '%.*s': it has to be an absolute path of at most %zu bytes",
                 known->key, printable_length(item->value_length), item->value, known->path_size - 1);
        return false;
    }
    memcpy(known->path, item->value, item->value_length);
    known->path[item->value_length] = '\0';
    known->value = ON;
    return true;
}

static bool take_seconds(const struct item *item, struct known *known, char *message, size_t size)
{
    /* As many digits as the largest has; strtoul() stops at what is behind them. */
    bool is_number = item->value_length >= 1 && item->value_length <= 5 &&
                     strspn(item->value, "0123456789") == item->value_length;
    unsigned long value = is_number ? strtoul(item->value, NULL, 10) : 0;

    if (value < 1 || value > BZ_TRACK_SECONDS_MAX) {
        snprintf(message, size, "BOOTZERO: '%s' has the value '%.*s': allowed are whole seconds from 1 to %d", known->key,
                 printable_length(item->value_length), item->value, BZ_TRACK_SECONDS_MAX);
        return false;
    }
    *known->seconds = (unsigned)value;
    known->value = ON;
    return true;
}

static bool parse_one(const struct item *item, struct known *known, size_t n_known, char *message, size_t size)
{
    for (size_t i = 0; i < n_known; i++) {
        if (strlen(known[i].key) != item->key_length || memcmp(item->key, known[i].key, item->key_length) != 0)
            continue;
        if (known[i].value != ABSENT) {
            snprintf(message, size, "BOOTZERO: '%s' is given twice: give it once", known[i].key);
            return false;
        }
        if (known[i].path)
            return take_path(item, &known[i], message, size);
        if (known[i].seconds)
            return take_seconds(item, &known[i], message, size);
        return take_state(item, &known[i], message, size);
    }
    snprintf(message, size,
             "BOOTZERO: unknown key '%.*s' with the value '%.*s': allowed keys are '%s', '%s', '%s' and '%s'",
             printable_length(item->key_length), item->key, printable_length(item->value_length), item->value,
             known[0].key, known[1].key, known[2].key, known[3].key);
    return false;
}

static struct item split_item(const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    size_t key_length = equals ? (size_t)(equals - text) : length;

    if (equals == NULL)
        return (struct item){ text, "", key_length, 0 };
    return (struct item){ text, equals + 1, key_length, length - key_length - 1 };
}

bool bz_config_parse(const char *text, struct bz_config *config, char *message, size_t size)
{
    char path[sizeof config->qmp] = "";
    unsigned seconds = BZ_TRACK_SECONDS;
    struct known known[] = { { "ext-query-caps" },
                             { "boot-zeroed-mem" },
                             { "qmp", .path = path, .path_size = sizeof path },
                             { "track-seconds", .seconds = &seconds } };
    const struct known *caps = &known[0], *zeroed = &known[1];

    *config = (struct bz_config){ .track_seconds = BZ_TRACK_SECONDS };
    if (text == NULL || *text == '\0')
        return true;

    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        struct item item = split_item(at, length);
        if (!parse_one(&item, known, sizeof known / sizeof known[0], message, size))
            return false;
        at += length;
        if (*at == '\0')
            break;
    }

    if (zeroed->value == ON && caps->value == OFF) {
        snprintf(message, size,
                 "BOOTZERO: 'boot-zeroed-mem=on' needs 'ext-query-caps=on': remove 'ext-query-caps=off'");
        return false;
    }
    config->boot_zeroed_mem = zeroed->value == ON;
    config->ext_query_caps = caps->value == ON || config->boot_zeroed_mem;
    memcpy(config->qmp, path, sizeof path);
    config->track_seconds = seconds;
    return true;
}
