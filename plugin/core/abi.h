/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's ABI check for the elements: what a guest sees may not change while it is saved, kept in a snapshot or moved. */
#pragma once
#include "core/configuration.h"

/*
 * source and destination are XML of the same guest, in either form: of a domain, or of a snapshot, whose <domain> counts.
 * FALSE with BZ_ERROR_UNSUPPORTED, in libvirt's words, when a state differs: absent and off are two, as for libvirt.
 * TRUE also when either has no domain to compare, and when either cannot be read: then others will say so.
 */
gboolean bz_abi_check(const char *source, const char *destination, const BzConfiguration *configuration, GError **error);
