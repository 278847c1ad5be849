/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The marker in <metadata>: what the user wrote, in a form stock libvirt stores and returns.
 *
 *   <bootzero:features xmlns:bootzero='urn:bootzero:domain:1'>
 *     <bootzero:boot_zeroed_memory state='on'/>
 *   </bootzero:features>
 *
 * A filter's marker can carry written='...', words for containers that the user wrote although they held nothing, or
 * nothing but the elements. Without it the way back would drop them or write them in libvirt's way.
 */
#pragma once
#include "core/element.h"
#include "core/outline.h"

typedef enum {
    BZ_WRITTEN_METADATA = 1 << 0,    /* "metadata": <metadata/> was there and empty */
    BZ_WRITTEN_COMMANDLINE = 1 << 1, /* "commandline": <qemu:commandline/> was there and empty */
    BZ_WRITTEN_PLAIN_HYPERV = 1 << 2, /* "plain-hyperv": the removed <hyperv> had no mode attribute */
} BzWritten;

/* The node of the marker below domain, or BZ_NODE_NONE. Two are an error: BZ_ERROR_XML. */
gboolean bz_marker_find(const BzOutline *outline, int domain, int *marker, GError **error);

/* Strict: what this version does not know is refused, since it could not be given back. BZ_ERROR_XML. */
gboolean bz_marker_parse(const BzOutline *outline, int marker, BzFeatures *features, BzWritten *written,
                         GError **error);

/* indent goes before each line but the first. Free with g_free(). */
char *bz_marker_format(const BzFeatures *features, BzWritten written, const char *indent);
