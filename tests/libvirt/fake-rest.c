/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of libvirt that fake-libvirt.c has not, for tests/libvirt/threads.c. */
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#include "fake-libvirt.h"

static char domain;

static char *copied(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static int called(const char *function, const char *xml)
{
    fake.function = function;
    fake_called(function);
    if (xml != NULL) {
        free(fake.copy);
        fake.copy = strdup(xml);
    }
    return 0;
}

int virDomainCreate(virDomainPtr dom)
{
    return called(__func__, NULL);
}

int virDomainCreateWithFlags(virDomainPtr dom, unsigned int flags)
{
    fake.flags = flags;
    return called(__func__, NULL);
}

int virDomainCreateWithFiles(virDomainPtr dom, unsigned int nfiles, int *files, unsigned int flags)
{
    fake.files = files;
    fake.flags = flags;
    return called(__func__, NULL);
}

int virDomainDestroy(virDomainPtr dom)
{
    return called(__func__, NULL);
}

int virDomainFree(virDomainPtr dom)
{
    fake_called(__func__);
    return 0;
}

const char *virDomainGetName(virDomainPtr dom)
{
    return "a";
}

char *virConnectGetURI(virConnectPtr conn)
{
    fake_called("uri");
    return strdup(fake.uri != NULL ? fake.uri : "qemu:///system");
}

int virDomainHasManagedSaveImage(virDomainPtr dom, unsigned int flags)
{
    fake_called("saved");
    return fake.has_managed_save;
}

int virDomainQemuMonitorCommand(virDomainPtr dom, const char *cmd, char **result, unsigned int flags)
{
    fake_called("monitor");
    *result = copied(fake.monitor);
    return *result != NULL ? 0 : -1;
}

virErrorPtr virGetLastError(void)
{
    return &fake.failure;
}

char *virConnectDomainXMLToNative(virConnectPtr conn, const char *format, const char *xml, unsigned int flags)
{
    called(__func__, xml);
    return copied(xml);
}

char *virConnectDomainXMLFromNative(virConnectPtr conn, const char *format, const char *config, unsigned int flags)
{
    return copied(fake.answer);
}

virDomainSnapshotPtr virDomainSnapshotCreateXML(virDomainPtr dom, const char *xml, unsigned int flags)
{
    called(__func__, xml);
    return (virDomainSnapshotPtr)&domain;
}

char *virDomainSnapshotGetXMLDesc(virDomainSnapshotPtr snapshot, unsigned int flags)
{
    return copied(fake.answer);
}

int virDomainListAllSnapshots(virDomainPtr dom, virDomainSnapshotPtr **snapshots, unsigned int flags)
{
    *snapshots = calloc(2, sizeof(**snapshots));
    **snapshots = (virDomainSnapshotPtr)&domain;
    return 1;
}

const char *virDomainSnapshotGetName(virDomainSnapshotPtr snapshot)
{
    return "s";
}

int virDomainSnapshotFree(virDomainSnapshotPtr snapshot)
{
    return 0;
}

virDomainCheckpointPtr virDomainCheckpointCreateXML(virDomainPtr dom, const char *xml, unsigned int flags)
{
    called(__func__, xml);
    return (virDomainCheckpointPtr)&domain;
}

char *virDomainCheckpointGetXMLDesc(virDomainCheckpointPtr checkpoint, unsigned int flags)
{
    return copied(fake.answer);
}

virDomainPtr virDomainMigrate2(virDomainPtr dom, virConnectPtr dconn, const char *dxml, unsigned long flags,
                               const char *dname, const char *uri, unsigned long bandwidth)
{
    called(__func__, dxml);
    return dom;
}

virDomainPtr virDomainMigrate3(virDomainPtr dom, virConnectPtr dconn, virTypedParameterPtr params, unsigned int nparams,
                               unsigned int flags)
{
    called(__func__, params[1].value.s);
    return dom;
}

int virDomainMigrateToURI2(virDomainPtr dom, const char *dconnuri, const char *miguri, const char *dxml,
                           unsigned long flags, const char *dname, unsigned long bandwidth)
{
    return called(__func__, dxml);
}

int virDomainMigrateToURI3(virDomainPtr dom, const char *dconnuri, virTypedParameterPtr params, unsigned int nparams,
                           unsigned int flags)
{
    return called(__func__, params[1].value.s);
}
