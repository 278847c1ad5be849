/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Light: libc alone, since plugin/qemu links it. */
#pragma once

#include <stddef.h>

/*
 * Length of the well-formed UTF-8 sequence text begins with, 1 to 4; 0 when there is none: wrong bytes, too long a
 * form, a surrogate, or cut off at length.
 */
size_t bz_utf8_sequence(const char *text, size_t length);

/* Writes a code point, at most 4 bytes to to. Returns how many. */
size_t bz_utf8_encode(unsigned code_point, char *to);
