/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading one of the two elements from XML, as strictly as libvirt's schema would.
 */
#pragma once
#include "core/element.h"
#include "core/outline.h"

/* Whether a local name is that of one of the two elements. */
gboolean bz_element_is_name(const char *name);

/*
 * Reads the element at node into features. ns is the namespace it has to be in: NULL in <hyperv>, BZ_NS_MARKER in the
 * marker. Refuses a wrong, missing or unknown attribute, content, an element given twice and any other element.
 * Errors: BZ_ERROR_XML, in libvirt's words where libvirt has words for it.
 */
gboolean bz_element_parse(const BzOutline *outline, int node, const char *ns, BzFeatures *features, GError **error);

/* `<boot_zeroed_memory state='on'/>` and its sibling, each after indent. Free with g_free(). */
char *bz_element_format(const BzFeatures *features, const char *indent);
