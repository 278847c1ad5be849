/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML on its way through the daemon: what the interposed functions do with it, around core/translate.h. */
#pragma once
#include <libvirt/libvirt.h>

#include "core/translate.h"

/*
 * A client's XML on its way into libvirt. TRUE: *xml is what libvirt is to get, either what the client gave or *stored,
 * which the caller frees. FALSE: refused, and the error is the thread's libvirt error.
 */
gboolean bz_convert_inward(virConnectPtr conn, BzTranslateFlags flags, const char **xml, char **stored);

/*
 * libvirt's ABI check: whether a guest that was what former says may become what xml says, both in either form. Takes
 * former. FALSE: refused, and the error is the thread's libvirt error. TRUE too when either is NULL.
 */
gboolean bz_convert_keeps_guest(virConnectPtr conn, char *former, const char *xml);

/*
 * libvirt's XML on its way to a client. Takes xml and returns it or what replaces it, both for free(). NULL stays NULL.
 * Never fails: what cannot be restored goes out in its stored form, with a warning in the log.
 */
char *bz_convert_outward(char *xml);
