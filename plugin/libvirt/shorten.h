/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML without what is of no interest to bootzero.
 *
 * Nothing of bootzero's is in devices, memory, CPU, clock and so on, which are most of a domain's XML, and every dumpxml
 * of a domain with the element pays for what is read. So on the way out all from the end of <metadata> to <features>,
 * and from the end of <features> to the end of <devices>, is taken away before the XML is restored, and put back after.
 *
 * Only for XML that libvirt has just formatted: it writes these elements once, in this order, on lines of their own with
 * an indent of two; and but for the content of <metadata> it escapes all that users gave it.
 */
#pragma once
#include <glib.h>

typedef struct {
    const char *text; /* within the XML; NULL when nothing was taken away */
    gsize length;
} BzRemoved;

/* In their order in the XML. */
enum { BZ_REMOVED_BEFORE_FEATURES, BZ_REMOVED_DEVICES, BZ_REMOVED };

/*
 * A copy of xml with an empty element in the place of each part that was taken away, which removed points to. NULL when
 * xml does not have that form: it has to be taken whole.
 */
char *bz_shorten(const char *xml, BzRemoved removed[BZ_REMOVED]);

/* The shortened text, changed elsewhere or not, with what was taken away in its place again. */
char *bz_lengthen(const char *text, const BzRemoved removed[BZ_REMOVED]);
