/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start of a domain: what was decided when it was defined is decided again before, and what QEMU made of it is
 * looked at after.
 */
#pragma once
#include <libvirt/libvirt.h>
#include <glib.h>

typedef enum {
    BZ_START_PLAIN,    /* the domain has nothing of bootzero's */
    BZ_START_BOOTS,    /* it has, and its guest begins anew */
    BZ_START_RESTORES, /* it has, and its guest goes on from its managed save image */
} BzStart;

/*
 * Before a persistent domain is started with flags (virDomainCreateFlags): chooses the provider again, as
 * `virt-bootzero refresh` does, and where the choice is another one by now, defines the domain with it. That takes the
 * caller's right to do so. A guest in a managed save image goes on with what it has.
 *
 * FALSE: what is stored does not work here any more and could not be mended; the error is the thread's libvirt error.
 */
gboolean bz_start_prepare(virDomainPtr domain, unsigned int flags, BzStart *start);

/*
 * After the domain was started, from xml in its stored form, or NULL for what libvirt has: whether QEMU and KVM have what it asks for, where QEMU itself is the provider. As libvirt
 * does with every enlightenment, a guest that boots without it is stopped: FALSE with BZ_ERROR_UNSUPPORTED. One that was
 * restored is not lost for it: TRUE, and a warning in the log, as for what cannot be found out.
 */
gboolean bz_start_verify(virDomainPtr domain, BzStart start, const char *xml, GError **error);
