/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of libvirt that carry domain XML, and where they carry it.
 *
 * Preloaded into libvirtd or virtqemud, the definitions below come before libvirt's own for every call that crosses
 * from the daemon into libvirt.so: one for each request of a client, after authentication. Access control follows
 * inside libvirt, on the stored form. docs/architecture/libvirt-plugin.md tells the whole of it.
 *
 * One row a function. libvirt's headers check that the types are right, but for the private ones of libvirt/private.h.
 */
#include <libvirt/libvirt.h>

#include "libvirt/capabilities.h"
#include "libvirt/convert.h"
#include "libvirt/former.h"
#include "libvirt/metadata.h"
#include "libvirt/next.h"
#include "libvirt/parameters.h"
#include "libvirt/private.h"
#include "libvirt/report.h"
#include "libvirt/start.h"

#define EXPORT __attribute__((visibility("default")))

#define NEXT(name)       \
    static gpointer slot; \
    __typeof__(&name) next = bz_next(&slot, #name)

/*
 * In: the argument xml is translated before the call, for the purpose and the connection conn. former is what the guest
 * was (libvirt/former.h): the call is refused when xml would change that. NULL for XML that makes a new one.
 */
#define INWARD(type, failed, name, parameters, arguments, conn, purpose, former)                             \
    EXPORT type name parameters                                                                              \
    {                                                                                                        \
        NEXT(name);                                                                                          \
        g_autofree char *stored = NULL;                                                                      \
                                                                                                             \
        if (!is_there(next, #name) ||                                                                        \
            (xml != NULL && !bz_convert_inward((conn), (purpose), (former), &xml, &stored)))                 \
            return failed;                                                                                   \
        return next arguments;                                                                               \
    }

/* In: the same for the XML among the typed parameters params. */
#define PARAMETERS(type, failed, name, parameters, arguments, conn, purpose, former)                         \
    EXPORT type name parameters                                                                              \
    {                                                                                                        \
        NEXT(name);                                                                                          \
        g_auto(BzParameters) converted = {0};                                                                \
                                                                                                             \
        if (!is_there(next, #name) ||                                                                        \
            !bz_parameters_inward((conn), (purpose),                                                         \
                                  bz_parameters_guest(params, (int)nparams) != NULL ? (former) : NULL,       \
                                  &params, (int)nparams, &converted))                                        \
            return failed;                                                                                   \
        return next arguments;                                                                               \
    }

/* In, and a guest begins with it: it is looked at when it runs. */
#define CREATION(name, parameters, arguments)                                                                   \
    EXPORT virDomainPtr name parameters                                                                         \
    {                                                                                                           \
        NEXT(name);                                                                                             \
        g_autofree char *stored = NULL;                                                                         \
                                                                                                                \
        if (!is_there(next, #name) || !bz_convert_inward(conn, CREATE, NEW, &xml, &stored))                     \
            return NULL;                                                                                        \
        return created(conn, next arguments, xml);                                                              \
    }

/* A domain that libvirt has is started: refreshed before, and looked at after. */
#define START(name, parameters, arguments, flags)                                 \
    EXPORT int name parameters                                                    \
    {                                                                             \
        NEXT(name);                                                               \
        BzStart start;                                                            \
                                                                                  \
        if (!is_there(next, #name) || !bz_start_prepare(domain, flags, &start) || \
            next arguments < 0)                                                   \
            return -1;                                                            \
        return started(domain, start);                                            \
    }

/* Out: what the call returns is handed through convert. */
#define OUTWARD(name, parameters, arguments, convert) \
    EXPORT char *name parameters                      \
    {                                                 \
        NEXT(name);                                   \
                                                      \
        if (!is_there(next, #name))                   \
            return NULL;                              \
        return convert(next arguments);               \
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

/* So short because the table below is full of it. */
#define of bz_connection_of

/* -1 when the guest had to be stopped again. */
static int started(virDomainPtr domain, BzStart start)
{
    g_autoptr(GError) error = NULL;

    if (bz_start_verify(domain, start, NULL, &error))
        return 0;
    bz_report_error(of(domain), error);
    return -1;
}

/* xml is in the stored form. */
static virDomainPtr created(virConnectPtr conn, virDomainPtr domain, const char *xml)
{
    NEXT(virDomainFree);
    g_autoptr(GError) error = NULL;

    if (domain == NULL || xml == NULL || bz_start_verify(domain, BZ_START_BOOTS, xml, &error))
        return domain;
    if (next != NULL)
        next(domain);
    bz_report_error(conn, error); /* after what would reset it */
    return NULL;
}

/*
 * A definition may ask for what this host cannot do, as with every feature; the start refuses it. So it is with what is
 * kept for later or is for another host. A creation is a start.
 */
#define DEFINE BZ_TO_DEFINE
#define CREATE BZ_TO_CREATE
#define KEEP BZ_TO_KEEP
#define RESTORE BZ_TO_RESTORE
#define DEPART BZ_TO_DEPART
#define NEW NULL

/* Definition and creation */
INWARD(virDomainPtr, NULL, virDomainDefineXML, (virConnectPtr conn, const char *xml), (conn, xml), conn, DEFINE, NEW)
INWARD(virDomainPtr, NULL, virDomainDefineXMLFlags, (virConnectPtr conn, const char *xml, unsigned int flags),
       (conn, xml, flags), conn, DEFINE, NEW)
CREATION(virDomainCreateXML, (virConnectPtr conn, const char *xml, unsigned int flags), (conn, xml, flags))
CREATION(virDomainCreateXMLWithFiles,
         (virConnectPtr conn, const char *xml, unsigned int nfiles, int *files, unsigned int flags),
         (conn, xml, nfiles, files, flags))
INWARD(char *, NULL, virConnectDomainXMLToNative,
       (virConnectPtr conn, const char *format, const char *xml, unsigned int flags), (conn, format, xml, flags), conn,
       CREATE, NEW)

OUTWARD(virDomainGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags), bz_convert_outward)
OUTWARD(virConnectDomainXMLFromNative,
        (virConnectPtr conn, const char *format, const char *config, unsigned int flags), (conn, format, config, flags),
        bz_convert_outward)
OUTWARD(virConnectGetDomainCapabilities,
        (virConnectPtr conn, const char *emulatorbin, const char *arch, const char *machine, const char *virttype,
         unsigned int flags),
        (conn, emulatorbin, arch, machine, virttype, flags), bz_capabilities_advertise)

/* Start */
START(virDomainCreate, (virDomainPtr domain), (domain), 0)
START(virDomainCreateWithFlags, (virDomainPtr domain, unsigned int flags), (domain, flags), flags)
START(virDomainCreateWithFiles, (virDomainPtr domain, unsigned int nfiles, int *files, unsigned int flags),
      (domain, nfiles, files, flags), flags)

/* Save and restore */
INWARD(int, -1, virDomainSaveFlags, (virDomainPtr domain, const char *to, const char *xml, unsigned int flags),
       (domain, to, xml, flags), of(domain), KEEP, bz_former_live(domain))
PARAMETERS(int, -1, virDomainSaveParams,
           (virDomainPtr domain, virTypedParameterPtr params, int nparams, unsigned int flags),
           (domain, params, nparams, flags), of(domain), KEEP, bz_former_live(domain))
INWARD(int, -1, virDomainRestoreFlags, (virConnectPtr conn, const char *from, const char *xml, unsigned int flags),
       (conn, from, xml, flags), conn, RESTORE, bz_former_save_image(conn, from))
PARAMETERS(int, -1, virDomainRestoreParams,
           (virConnectPtr conn, virTypedParameterPtr params, int nparams, unsigned int flags),
           (conn, params, nparams, flags), conn, RESTORE,
           bz_former_save_image(conn, bz_parameters_string(params, nparams, VIR_DOMAIN_SAVE_PARAM_FILE)))
INWARD(int, -1, virDomainSaveImageDefineXML,
       (virConnectPtr conn, const char *file, const char *xml, unsigned int flags), (conn, file, xml, flags), conn,
       KEEP, bz_former_save_image(conn, file))
INWARD(int, -1, virDomainManagedSaveDefineXML, (virDomainPtr domain, const char *xml, unsigned int flags),
       (domain, xml, flags), of(domain), KEEP, bz_former_managed_save(domain))

OUTWARD(virDomainSaveImageGetXMLDesc, (virConnectPtr conn, const char *file, unsigned int flags), (conn, file, flags),
        bz_convert_outward)
OUTWARD(virDomainManagedSaveGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags), bz_convert_outward)

/* Snapshots and checkpoints */
INWARD(virDomainSnapshotPtr, NULL, virDomainSnapshotCreateXML,
       (virDomainPtr domain, const char *xml, unsigned int flags), (domain, xml, flags), of(domain), DEFINE,
       bz_former_snapshot(domain, xml, flags))
INWARD(virDomainCheckpointPtr, NULL, virDomainCheckpointCreateXML,
       (virDomainPtr domain, const char *xml, unsigned int flags), (domain, xml, flags), of(domain), DEFINE, NEW)

OUTWARD(virDomainSnapshotGetXMLDesc, (virDomainSnapshotPtr snapshot, unsigned int flags), (snapshot, flags),
        bz_convert_outward)
OUTWARD(virDomainCheckpointGetXMLDesc, (virDomainCheckpointPtr checkpoint, unsigned int flags), (checkpoint, flags),
        bz_convert_outward)

/* Metadata */
EXPORT char *virDomainGetMetadata(virDomainPtr domain, int type, const char *uri, unsigned int flags)
{
    NEXT(virDomainGetMetadata);

    return is_there(next, __func__) ? next(domain, type, bz_metadata_uri_to_get(type, uri), flags) : NULL;
}

EXPORT int virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata, const char *key, const char *uri,
                                unsigned int flags)
{
    NEXT(virDomainSetMetadata);

    if (!is_there(next, __func__) || !bz_metadata_may_set(of(domain), type, uri))
        return -1;
    return next(domain, type, metadata, key, uri, flags);
}

/*
 * Migration, at the source. What Begin returns stays in the stored form: it is for the destination, which may have no
 * plugin, and for Perform.
 */
INWARD(char *, NULL, virDomainMigrateBegin3,
       (virDomainPtr domain, const char *xml, char **cookie_out, int *cookie_out_size, unsigned long flags,
        const char *name, unsigned long bandwidth),
       (domain, xml, cookie_out, cookie_out_size, flags, name, bandwidth), of(domain), DEPART, bz_former_domain(domain))
PARAMETERS(char *, NULL, virDomainMigrateBegin3Params,
           (virDomainPtr domain, virTypedParameterPtr params, int nparams, char **cookie_out, int *cookie_out_size,
            unsigned int flags),
           (domain, params, nparams, cookie_out, cookie_out_size, flags), of(domain), DEPART, bz_former_domain(domain))
INWARD(int, -1, virDomainMigratePerform3,
       (virDomainPtr domain, const char *xml, const char *cookie, int cookie_size, char **cookie_out,
        int *cookie_out_size, const char *destination, const char *uri, unsigned long flags, const char *name,
        unsigned long bandwidth),
       (domain, xml, cookie, cookie_size, cookie_out, cookie_out_size, destination, uri, flags, name, bandwidth),
       of(domain), DEPART, bz_former_domain(domain))
PARAMETERS(int, -1, virDomainMigratePerform3Params,
           (virDomainPtr domain, const char *destination, virTypedParameterPtr params, int nparams, const char *cookie,
            int cookie_size, char **cookie_out, int *cookie_out_size, unsigned int flags),
           (domain, destination, params, nparams, cookie, cookie_size, cookie_out, cookie_out_size, flags), of(domain),
           DEPART, bz_former_domain(domain))

/* Migration, at the destination: the provider is chosen anew, for this host. What does not run is only defined. */
#define ARRIVE(flags) (((flags) & VIR_MIGRATE_OFFLINE) ? DEFINE : BZ_TO_ARRIVE)

INWARD(int, -1, virDomainMigratePrepare2,
       (virConnectPtr conn, char **cookie_out, int *cookie_out_size, const char *uri, char **uri_out,
        unsigned long flags, const char *name, unsigned long bandwidth, const char *xml),
       (conn, cookie_out, cookie_out_size, uri, uri_out, flags, name, bandwidth, xml), conn, ARRIVE(flags), NEW)
INWARD(int, -1, virDomainMigratePrepare3,
       (virConnectPtr conn, const char *cookie, int cookie_size, char **cookie_out, int *cookie_out_size,
        const char *uri, char **uri_out, unsigned long flags, const char *name, unsigned long bandwidth,
        const char *xml),
       (conn, cookie, cookie_size, cookie_out, cookie_out_size, uri, uri_out, flags, name, bandwidth, xml), conn,
       ARRIVE(flags), NEW)
PARAMETERS(int, -1, virDomainMigratePrepare3Params,
           (virConnectPtr conn, virTypedParameterPtr params, int nparams, const char *cookie, int cookie_size,
            char **cookie_out, int *cookie_out_size, char **uri_out, unsigned int flags),
           (conn, params, nparams, cookie, cookie_size, cookie_out, cookie_out_size, uri_out, flags), conn,
           ARRIVE(flags), NEW)
INWARD(int, -1, virDomainMigratePrepareTunnel,
       (virConnectPtr conn, virStreamPtr stream, unsigned long flags, const char *name, unsigned long bandwidth,
        const char *xml),
       (conn, stream, flags, name, bandwidth, xml), conn, ARRIVE(flags), NEW)
INWARD(int, -1, virDomainMigratePrepareTunnel3,
       (virConnectPtr conn, virStreamPtr stream, const char *cookie, int cookie_size, char **cookie_out,
        int *cookie_out_size, unsigned long flags, const char *name, unsigned long bandwidth, const char *xml),
       (conn, stream, cookie, cookie_size, cookie_out, cookie_out_size, flags, name, bandwidth, xml), conn,
       ARRIVE(flags), NEW)
PARAMETERS(int, -1, virDomainMigratePrepareTunnel3Params,
           (virConnectPtr conn, virStreamPtr stream, virTypedParameterPtr params, int nparams, const char *cookie,
            int cookie_size, char **cookie_out, int *cookie_out_size, unsigned int flags),
           (conn, stream, params, nparams, cookie, cookie_size, cookie_out, cookie_out_size, flags), conn,
           ARRIVE(flags), NEW)

/* Migration, as a client asks for it: where the plugin is preloaded into the client. */
INWARD(virDomainPtr, NULL, virDomainMigrate2,
       (virDomainPtr domain, virConnectPtr dconn, const char *xml, unsigned long flags, const char *dname,
        const char *uri, unsigned long bandwidth),
       (domain, dconn, xml, flags, dname, uri, bandwidth), of(domain), DEPART, bz_former_domain(domain))
PARAMETERS(virDomainPtr, NULL, virDomainMigrate3,
           (virDomainPtr domain, virConnectPtr dconn, virTypedParameterPtr params, unsigned int nparams,
            unsigned int flags),
           (domain, dconn, params, nparams, flags), of(domain), DEPART, bz_former_domain(domain))
INWARD(int, -1, virDomainMigrateToURI2,
       (virDomainPtr domain, const char *dconnuri, const char *miguri, const char *xml, unsigned long flags,
        const char *dname, unsigned long bandwidth),
       (domain, dconnuri, miguri, xml, flags, dname, bandwidth), of(domain), DEPART, bz_former_domain(domain))
PARAMETERS(int, -1, virDomainMigrateToURI3,
           (virDomainPtr domain, const char *dconnuri, virTypedParameterPtr params, unsigned int nparams,
            unsigned int flags),
           (domain, dconnuri, params, nparams, flags), of(domain), DEPART, bz_former_domain(domain))
