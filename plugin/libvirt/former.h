/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest was before: the XML libvirt has of it, in its stored form, to compare with what a client wants it to
 * become. Each to be freed with g_free(). NULL when libvirt has none, without an error: then it refuses the call itself,
 * or there is nothing that could change.
 */
#pragma once
#include <libvirt/libvirt.h>

/* Of the guest as it runs; NULL when it does not. */
char *bz_former_live(virDomainPtr domain);

/* Of the domain, running or not. */
char *bz_former_domain(virDomainPtr domain);

char *bz_former_save_image(virConnectPtr conn, const char *file);
char *bz_former_managed_save(virDomainPtr domain);

/* Of the snapshot that xml redefines; NULL when the flags do not say so (..._CREATE_REDEFINE), or it is a new one. */
char *bz_former_snapshot(virDomainPtr domain, const char *xml, unsigned int flags);
