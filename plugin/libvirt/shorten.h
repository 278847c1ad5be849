/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML without its devices and what is around them.
 *
 * Most of a domain's XML describes devices, nothing of bootzero's is among them, and every dumpxml of a domain with the
 * element pays for what is read. So on the way out all from the end of <features> to the end of <devices> is taken away
 * before the XML is restored, and put back after.
 *
 * Only for XML that libvirt has just formatted: it writes these elements once, on lines of their own with an indent of
 * two, in this order and after the user's <metadata>; and but for the metadata it escapes all that users gave it.
 */
#pragma once
#include <glib.h>

typedef struct {
    const char *text; /* within the XML */
    gsize length;
} BzRemoved;

/*
 * A copy of xml with <devices/> in the place of what was taken away, which *removed points to. NULL when xml does not
 * have that form: it has to be taken whole.
 */
char *bz_shorten(const char *xml, BzRemoved *removed);

/* The shortened text, changed elsewhere or not, with what was taken away in its place again. */
char *bz_lengthen(const char *text, const BzRemoved *removed);
