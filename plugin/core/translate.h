/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the user's form of a domain XML to the stored one, and back.
 *
 * The user's form has the elements in <features><hyperv>. The stored form is valid for every stock libvirt: a marker
 * in <metadata>, which says what the user wrote, and the chosen provider's arguments in <qemu:commandline>.
 * docs/architecture/at-rest.md describes it; it is a stable format.
 *
 * The text is a domain XML, or the XML of a snapshot or a checkpoint: every domain in it is translated.
 * Both directions edit the text in place: what they do not have to touch comes out byte for byte as it went in,
 * comments, quotes and spaces included. XML that has nothing of bootzero's is not touched at all (*out is NULL).
 */
#pragma once
#include "core/choice.h"

typedef enum {
    /* A choice that fails leaves the marker alone without arguments: define accepts what this host cannot do. */
    BZ_TRANSLATE_ALLOW_NONE = 1 << 0,
    /*
     * Note in the marker which containers the user wrote though they were empty, so that the way back is exact.
     * For filters; a daemon drops such containers and must not have them brought back.
     */
    BZ_TRANSLATE_EXACT = 1 << 1,
} BzTranslateFlags;

/* Gives the provider for a domain, or NULL and the reason. Only called for domains that need one. */
typedef BzChoice *(*BzChooser)(const BzDomain *domain, gpointer data, GError **error);

/*
 * User's form -> stored form. Also takes the stored form, and then chooses the provider anew.
 * TRUE: *out is the new XML, or NULL when xml can be used as it is. Free with g_free().
 * FALSE: BZ_ERROR_XML, BZ_ERROR_UNSUPPORTED: refused. BZ_ERROR_MALFORMED: not XML.
 * *notice, when not NULL, receives why ALLOW_NONE had to be used, or NULL.
 */
gboolean bz_translate(const char *xml, const BzConfiguration *configuration, BzTranslateFlags flags, BzChooser choose,
                      gpointer data, char **out, char **notice, GError **error);

/*
 * Whether a text can have anything to translate or restore at all: a search that costs next to nothing. Where it says
 * no, the text must be passed on as it is.
 */
gboolean bz_translate_concerns(const char *xml);
gboolean bz_restore_concerns(const char *xml);

/* Stored form -> user's form. The same conventions. */
gboolean bz_restore(const char *xml, const BzConfiguration *configuration, char **out, GError **error);
