/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The holes of a file behind guest memory: what nobody ever stored, or what was given back since. */
#pragma once

#include <stddef.h>

#include "qemu/files.h"
#include "qemu/mapping.h"
#include "qemu/scan.h"
#include "qemu/span.h"

/*
 * Gives sink the part of span that shows holes of the file, as host addresses of whole pages. span lies in mapping, which
 * is of the file. Nothing beyond the end of the file is one. BZ_SCAN_FAILED with the reason when the file cannot tell.
 */
enum bz_scan_result bz_holes_scan(const struct bz_file *file, const struct bz_mapping *mapping, struct bz_span span,
                                  struct bz_zero_sink *sink, char *why, size_t size);
