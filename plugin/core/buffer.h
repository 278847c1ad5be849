/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that grow at the end and are taken from the front. Light: libc alone, since plugin/qemu links it. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* {0} is empty and without a limit. */
struct bz_buffer {
    char *data; /* ends in a NUL that length does not count; NULL while nothing was ever put in */
    size_t length;
    size_t capacity;
    size_t limit; /* of length; 0 for none */
    bool failed;  /* no memory, or over the limit: something is missing in it, and nothing more is taken */
};

void bz_buffer_append(struct bz_buffer *buffer, const void *data, size_t length);
void bz_buffer_printf(struct bz_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* text as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD. */
void bz_buffer_json_string(struct bz_buffer *buffer, const char *text);

/* Takes length bytes from the front. */
void bz_buffer_drop(struct bz_buffer *buffer, size_t length);

/* Empty again, the memory given back, the limit kept. */
void bz_buffer_clear(struct bz_buffer *buffer);
