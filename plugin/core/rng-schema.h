/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's RELAX NG schemas with the two elements added to <hyperv>.
 *
 * The place is found by structure, not by line or version: in domaincommon.rng, the patterns that list the
 * enlightenments of the element "hyperv", known by the oldest one, "relaxed"; also behind references.
 * Where a schema knows an element already, it is left as it is.
 */
#pragma once
#include <glib.h>

/* Where libvirt installs them. */
#define BZ_RNG_SCHEMA_FOLDER "/usr/share/libvirt/schemas"

/* Whether libvirt's schemas are in folder at all. */
gboolean bz_rng_schema_is_there(const char *folder);

/*
 * Copies every schema of folder `from` into folder `to`, which is made when it is missing, and extends them.
 * Errors: BZ_ERROR_FAILED with the file and the reason.
 */
gboolean bz_rng_schema_copy(const char *from, const char *to, GError **error);

/*
 * Validates a domain XML, whose well-formedness the caller has checked, against the extended schemas of folder `from`.
 * Nothing is written. FALSE: BZ_LIBVIRT_ERROR in libvirt's words when it is invalid; BZ_ERROR_FAILED when the schemas
 * cannot be read or extended. Not for use in several threads: libxml2's input callbacks are those of the process.
 */
gboolean bz_rng_schema_validate(const char *from, const char *xml, GError **error);
