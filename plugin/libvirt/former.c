/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/former.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "core/outline.h"
#include "libvirt/next.h"

static char *without_error(char *xml)
{
    if (xml == NULL)
        ASK((void)0, virResetLastError);
    return xml;
}

char *bz_former_domain(virDomainPtr domain)
{
    return without_error(ASK(NULL, virDomainGetXMLDesc, domain, 0));
}

char *bz_former_live(virDomainPtr domain)
{
    int active = ASK(0, virDomainIsActive, domain);

    return active == 1 ? bz_former_domain(domain) : without_error(NULL);
}

char *bz_former_save_image(virConnectPtr conn, const char *file)
{
    return file != NULL ? without_error(ASK(NULL, virDomainSaveImageGetXMLDesc, conn, file, 0)) : NULL;
}

char *bz_former_managed_save(virDomainPtr domain)
{
    return without_error(ASK(NULL, virDomainManagedSaveGetXMLDesc, domain, 0));
}

static char *snapshot_name(const char *xml)
{
    g_autoptr(BzOutline) outline = bz_outline_new(xml, NULL);
    int name = outline != NULL ? bz_outline_child(outline, BZ_NODE_ROOT, BZ_NODE_NONE, NULL, "name") : BZ_NODE_NONE;
    const GString *text = name != BZ_NODE_NONE ? bz_outline_node(outline, name)->text : NULL;

    return text != NULL ? g_strdup(text->str) : NULL;
}

/* From the list: to look for a snapshot that is not there would leave an error in the daemon's log. */
static char *named_snapshot(virDomainPtr domain, const char *name)
{
    virDomainSnapshotPtr *snapshots = NULL;
    int count = ASK(-1, virDomainListAllSnapshots, domain, &snapshots, 0);
    char *xml = NULL;

    for (int i = 0; i < count; i++) {
        if (g_strcmp0(ASK(NULL, virDomainSnapshotGetName, snapshots[i]), name) == 0)
            xml = ASK(NULL, virDomainSnapshotGetXMLDesc, snapshots[i], 0);
        ASK(0, virDomainSnapshotFree, snapshots[i]);
    }
    g_free(snapshots);
    return without_error(xml);
}

char *bz_former_snapshot(virDomainPtr domain, const char *xml, unsigned int flags)
{
    g_autofree char *name = NULL;

    if (xml == NULL || !(flags & VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE))
        return NULL;
    name = snapshot_name(xml);
    return name != NULL ? named_snapshot(domain, name) : NULL;
}
