/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of libvirt that carry domain XML, and where they carry it.
 *
 * Preloaded into libvirtd or virtqemud, the definitions below come before libvirt's own for every call that crosses
 * from the daemon into libvirt.so: one for each request of a client, after authentication. Access control follows
 * inside libvirt, on the stored form. docs/architecture/libvirt-plugin.md tells the whole of it.
 *
 * One row a function. libvirt's headers check that the types are right.
 */
#include <libvirt/libvirt.h>

#include "libvirt/capabilities.h"
#include "libvirt/convert.h"
#include "libvirt/next.h"
#include "libvirt/report.h"

#define EXPORT __attribute__((visibility("default")))

/* In: the argument xml is translated before the call. conn is the connection. */
#define INWARD(type, name, parameters, arguments, flags)                                  \
    EXPORT type name parameters                                                           \
    {                                                                                     \
        static gpointer slot;                                                             \
        __typeof__(&name) next = bz_next(&slot, #name);                                   \
        g_autofree char *stored = NULL;                                                   \
                                                                                          \
        if (!is_there(next, #name) || !bz_convert_inward(conn, (flags), &xml, &stored))   \
            return NULL;                                                                  \
        return next arguments;                                                            \
    }

/* Out: what the call returns is handed through convert. */
#define OUTWARD(name, parameters, arguments, convert)   \
    EXPORT char *name parameters                        \
    {                                                   \
        static gpointer slot;                           \
        __typeof__(&name) next = bz_next(&slot, #name); \
                                                        \
        if (!is_there(next, #name))                     \
            return NULL;                                \
        return convert(next arguments);                 \
    }

static gboolean is_there(gpointer next, const char *name)
{
    g_autoptr(GError) error = NULL;

    if (next != NULL)
        return TRUE;
    g_set_error(&error, BZ_ERROR, BZ_ERROR_FAILED, "this libvirt has no function '%s'", name);
    bz_report_error(NULL, error);
    return FALSE;
}

/* A definition may ask for what this host cannot do, as with every feature; the start refuses it. A creation is a start. */
#define DEFINE BZ_TRANSLATE_ALLOW_NONE
#define CREATE 0

INWARD(virDomainPtr, virDomainDefineXML, (virConnectPtr conn, const char *xml), (conn, xml), DEFINE)
INWARD(virDomainPtr, virDomainDefineXMLFlags, (virConnectPtr conn, const char *xml, unsigned int flags),
       (conn, xml, flags), DEFINE)
INWARD(virDomainPtr, virDomainCreateXML, (virConnectPtr conn, const char *xml, unsigned int flags), (conn, xml, flags),
       CREATE)
INWARD(virDomainPtr, virDomainCreateXMLWithFiles,
       (virConnectPtr conn, const char *xml, unsigned int nfiles, int *files, unsigned int flags),
       (conn, xml, nfiles, files, flags), CREATE)

OUTWARD(virDomainGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags), bz_convert_outward)
OUTWARD(virConnectGetDomainCapabilities,
        (virConnectPtr conn, const char *emulatorbin, const char *arch, const char *machine, const char *virttype,
         unsigned int flags),
        (conn, emulatorbin, arch, machine, virttype, flags), bz_capabilities_advertise)
