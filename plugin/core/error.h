/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The errors of bootzero's core.
 *
 * Messages follow libvirt's wording, so that a user cannot tell who refused. The code says which of libvirt's
 * prefixes goes in front ("XML error: ", "unsupported configuration: "); the message itself never contains it.
 */
#pragma once
#include <glib.h>

#define BZ_ERROR (bz_error_quark())
GQuark bz_error_quark(void);

typedef enum {
    BZ_ERROR_XML,         /* the XML is wrong: VIR_ERR_XML_ERROR */
    BZ_ERROR_UNSUPPORTED, /* right, but it cannot work here: VIR_ERR_CONFIG_UNSUPPORTED */
    BZ_ERROR_MALFORMED,   /* not well-formed: the daemon plugin leaves it to libvirt, the CLI reports it */
    BZ_ERROR_FAILED,      /* bootzero itself could not do its work: VIR_ERR_INTERNAL_ERROR */
} BzError;

/*
 * An error of libvirt's own, or in its words: the message is complete, prefix included, and the code is libvirt's
 * (virErrorNumber).
 */
#define BZ_LIBVIRT_ERROR (bz_libvirt_error_quark())
GQuark bz_libvirt_error_quark(void);

#define BZ_LIBVIRT_ERROR_INVALID_SCHEMA 92 /* VIR_ERR_XML_INVALID_SCHEMA */

/* "PREFIX: MESSAGE", as libvirt would show the error. Free with g_free(). */
char *bz_error_format(const GError *error);

/* libvirt's words for a code, for example "XML error". Static storage. */
const char *bz_error_prefix(const GError *error);
