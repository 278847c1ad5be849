/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/domain.h"

#include <string.h>

#include "core/args.h"
#include "core/domain-read.h"
#include "core/element-parse.h"
#include "core/error.h"

static const struct {
    const char *text;
    BzHypervMode mode;
} hyperv_modes[] = {
    {"custom", BZ_HYPERV_CUSTOM},
    {"passthrough", BZ_HYPERV_PASSTHROUGH},
    {"host-model", BZ_HYPERV_HOST_MODEL},
};

static BzHypervMode parse_mode(const char *text)
{
    if (!text)
        return BZ_HYPERV_CUSTOM;
    for (guint i = 0; i < G_N_ELEMENTS(hyperv_modes); i++)
        if (strcmp(hyperv_modes[i].text, text) == 0)
            return hyperv_modes[i].mode;
    return BZ_HYPERV_OTHER;
}

static gboolean is_below(const BzOutline *outline, int node, int ancestor)
{
    return node > ancestor && bz_outline_node(outline, node)->start < bz_outline_node(outline, ancestor)->end;
}

static gboolean in_metadata(const BzOutline *outline, int node, int domain)
{
    int metadata = BZ_NODE_NONE;

    while ((metadata = bz_outline_child(outline, domain, metadata, NULL, "metadata")) != BZ_NODE_NONE)
        if (is_below(outline, node, metadata))
            return TRUE;
    return FALSE;
}

/* libvirt itself would ignore a misplaced element without a word, and the guest would not get what was asked for. */
static gboolean check_places(const BzOutline *outline, int domain, GError **error)
{
    for (int i = domain + 1; i < bz_outline_count(outline) && is_below(outline, i, domain); i++) {
        const BzNode *node = bz_outline_node(outline, i);
        int parent = node->parent;

        if (node->ns || !bz_element_is_name(node->name) || in_metadata(outline, i, domain))
            continue;
        if (node->depth == bz_outline_node(outline, domain)->depth + 3 &&
            bz_outline_is(outline, parent, NULL, "hyperv") &&
            bz_outline_is(outline, bz_outline_node(outline, parent)->parent, NULL, "features"))
            continue;
        if (bz_element_is_name(bz_outline_node(outline, parent)->name))
            continue; /* reported as content of the outer one */
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML,
                    "element '%s' is not allowed in element '%s': it belongs in <features><hyperv>", node->name,
                    bz_outline_node(outline, parent)->name);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_hyperv(const BzOutline *outline, int hyperv, BzDomain *facts, GError **error)
{
    int child = BZ_NODE_NONE;

    facts->hyperv_mode = parse_mode(bz_outline_attribute(outline, hyperv, "mode"));
    while ((child = bz_outline_any_child(outline, hyperv, child)) != BZ_NODE_NONE) {
        const BzNode *node = bz_outline_node(outline, child);

        if (!node->ns && bz_element_is_name(node->name)) {
            if (!bz_element_parse(outline, child, NULL, &facts->features, error))
                return FALSE;
            facts->has_elements = TRUE;
        } else if (g_strcmp0(bz_outline_attribute(outline, child, "state"), "on") == 0 &&
                   strcmp(node->name, "vendor_id") != 0) {
            facts->enlightenments_on++; /* a vendor_id alone does not make QEMU offer Hyper-V */
        }
    }
    return TRUE;
}

static char *child_text(const BzOutline *outline, int parent, const char *name)
{
    int child = bz_outline_child(outline, parent, BZ_NODE_NONE, NULL, name);
    const BzNode *node;

    if (child == BZ_NODE_NONE)
        return NULL;
    node = bz_outline_node(outline, child);
    return node->text ? g_strdup(node->text->str) : NULL;
}

static char *child_attribute(const BzOutline *outline, int parent, const char *name, const char *attribute)
{
    int child = bz_outline_child(outline, parent, BZ_NODE_NONE, NULL, name);

    return child == BZ_NODE_NONE ? NULL : g_strdup(bz_outline_attribute(outline, child, attribute));
}

/*
 * A device, by its element and an attribute of it, and what it does to guest memory. VFIO and vDPA pin all of it when
 * the guest starts; vhost-user and virtiofs daemons map it and write to it.
 */
static const struct {
    const char *element, *attribute, *value;
    const char *shared_by, *pinned_by, *memory_device;
} device_facts[] = {
    {"hostdev", "type", "pci", .pinned_by = "a passed-through PCI device"},
    {"hostdev", "type", "mdev", .pinned_by = "a mediated device"},
    {"interface", "type", "hostdev", .pinned_by = "a passed-through network interface"},
    {"interface", "type", "vdpa", .pinned_by = "a vDPA network interface"},
    {"disk", "type", "nvme", .pinned_by = "a passed-through NVMe disk"},
    {"disk", "type", "vhostvdpa", .pinned_by = "a vDPA disk"},
    {"interface", "type", "vhostuser", .shared_by = "a vhost-user network interface"},
    {"disk", "type", "vhostuser", .shared_by = "a vhost-user disk"},
    {"memory", "access", "shared", .shared_by = "a memory device with access='shared'"},
    {"memory", "model", "nvdimm", .memory_device = "nvdimm"},
    {"memory", "model", "virtio-pmem", .memory_device = "virtio-pmem"},
    {"memory", "model", "virtio-mem", .memory_device = "virtio-mem"},
};

static void read_device(const BzOutline *outline, int device, BzDomain *facts)
{
    for (guint i = 0; i < G_N_ELEMENTS(device_facts); i++) {
        if (!bz_outline_is(outline, device, NULL, device_facts[i].element) ||
            g_strcmp0(bz_outline_attribute(outline, device, device_facts[i].attribute), device_facts[i].value) != 0)
            continue;
        if (!facts->shared_by)
            facts->shared_by = device_facts[i].shared_by;
        if (!facts->pinned_by)
            facts->pinned_by = device_facts[i].pinned_by;
        if (!facts->memory_device)
            facts->memory_device = device_facts[i].memory_device;
    }
    if (!facts->shared_by && bz_outline_is(outline, device, NULL, "filesystem")) {
        g_autofree char *driver = child_attribute(outline, device, "driver", "type");

        if (g_strcmp0(driver, "virtiofs") == 0)
            facts->shared_by = "virtiofs";
    }
}

static void read_devices(const BzOutline *outline, int domain, BzDomain *facts)
{
    int devices = BZ_NODE_NONE;

    while ((devices = bz_outline_child(outline, domain, devices, NULL, "devices")) != BZ_NODE_NONE) {
        int device = BZ_NODE_NONE;

        if (!facts->emulator)
            facts->emulator = child_text(outline, devices, "emulator");
        while ((device = bz_outline_any_child(outline, devices, device)) != BZ_NODE_NONE)
            read_device(outline, device, facts);
    }
}

static gboolean has_child(const BzOutline *outline, int parent, const char *name)
{
    return bz_outline_child(outline, parent, BZ_NODE_NONE, NULL, name) != BZ_NODE_NONE;
}

static void read_memory_backing(const BzOutline *outline, int domain, BzDomain *facts)
{
    int backing = bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, "memoryBacking");

    if (backing == BZ_NODE_NONE)
        return;
    g_autofree char *access = child_attribute(outline, backing, "access", "mode");
    g_autofree char *allocation = child_attribute(outline, backing, "allocation", "mode");
    facts->memory_source = child_attribute(outline, backing, "source", "type");
    facts->hugepages = has_child(outline, backing, "hugepages");
    facts->locked = has_child(outline, backing, "locked");
    facts->preallocated = g_strcmp0(allocation, "immediate") == 0;
    if (g_strcmp0(access, "shared") == 0)
        facts->shared_by = "memoryBacking access mode='shared'";
    else if (g_strcmp0(facts->memory_source, "memfd") == 0)
        facts->shared_by = "memoryBacking source type='memfd'";
}

static void read_numa(const BzOutline *outline, int domain, BzDomain *facts)
{
    int cpu = bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, "cpu");
    int numa = cpu == BZ_NODE_NONE ? cpu : bz_outline_child(outline, cpu, BZ_NODE_NONE, NULL, "numa");
    int cell = BZ_NODE_NONE;

    while (numa != BZ_NODE_NONE && (cell = bz_outline_child(outline, numa, cell, NULL, "cell")) != BZ_NODE_NONE)
        if (!facts->shared_by && g_strcmp0(bz_outline_attribute(outline, cell, "memAccess"), "shared") == 0)
            facts->shared_by = "a NUMA cell with memAccess='shared'";
}

static void read_facts(const BzOutline *outline, int domain, BzDomain *facts)
{
    int os = bz_outline_child(outline, domain, BZ_NODE_NONE, NULL, "os");

    facts->name = child_text(outline, domain, "name");
    facts->uuid = child_text(outline, domain, "uuid");
    facts->type = g_strdup(bz_outline_attribute(outline, domain, "type"));
    facts->launch_security = child_attribute(outline, domain, "launchSecurity", "type");
    if (os != BZ_NODE_NONE)
        facts->arch = child_attribute(outline, os, "type", "arch");
    read_memory_backing(outline, domain, facts);
    read_numa(outline, domain, facts);
    read_devices(outline, domain, facts);
}

static void read_args(const BzOutline *outline, int domain, const BzConfiguration *configuration, BzDomain *facts)
{
    BzArgsFound found = {0};

    bz_args_find(outline, domain, configuration, &found);
    facts->has_qemu_args = found.has_globals;
    facts->has_preload_env = found.has_env && found.library;
    facts->preload_library = g_steal_pointer(&found.library);
}

int bz_domain_next(const BzOutline *outline, int after)
{
    if (bz_outline_is(outline, BZ_NODE_ROOT, NULL, "domain"))
        return after == BZ_NODE_NONE ? BZ_NODE_ROOT : BZ_NODE_NONE;
    if (!bz_outline_is(outline, BZ_NODE_ROOT, NULL, "domainsnapshot") &&
        !bz_outline_is(outline, BZ_NODE_ROOT, NULL, "domaincheckpoint"))
        return BZ_NODE_NONE;
    do
        after = bz_outline_any_child(outline, BZ_NODE_ROOT, after);
    while (after != BZ_NODE_NONE && !bz_outline_is(outline, after, NULL, "domain") &&
           !bz_outline_is(outline, after, NULL, "inactiveDomain"));
    return after;
}

BzDomain *bz_domain_read(const BzOutline *outline, int domain, const BzConfiguration *configuration,
                         BzDomainNodes *nodes, GError **error)
{
    g_autoptr(BzDomain) facts = g_new0(BzDomain, 1);
    BzFeatures marked = {0};
    int features = BZ_NODE_NONE;

    while ((features = bz_outline_child(outline, domain, features, NULL, "features")) != BZ_NODE_NONE) {
        int hyperv = BZ_NODE_NONE;

        while ((hyperv = bz_outline_child(outline, features, hyperv, NULL, "hyperv")) != BZ_NODE_NONE)
            if (!read_hyperv(outline, hyperv, facts, error))
                return NULL;
    }
    nodes->written = 0;
    if (!check_places(outline, domain, error) || !bz_marker_find(outline, domain, &nodes->marker, error))
        return NULL;
    if (nodes->marker != BZ_NODE_NONE) {
        facts->has_marker = TRUE;
        if (!bz_marker_parse(outline, nodes->marker, &marked, &nodes->written, error))
            return NULL;
        if (!facts->has_elements)
            facts->features = marked;
    }
    if (bz_outline_has_doctype(outline) && (facts->has_elements || facts->has_marker)) {
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_XML,
                            "a document type has no place in domain XML: remove the DOCTYPE");
        return NULL;
    }
    read_facts(outline, domain, facts);
    read_args(outline, domain, configuration, facts);
    return g_steal_pointer(&facts);
}

BzDomain *bz_domain_parse(const char *xml, const BzConfiguration *configuration, GError **error)
{
    g_autoptr(BzOutline) outline = bz_outline_new(xml, error);
    BzDomainNodes nodes;

    if (!outline)
        return NULL;
    if (!bz_outline_is(outline, BZ_NODE_ROOT, NULL, "domain")) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "unexpected root element <%s>, expecting <domain>",
                    bz_outline_node(outline, BZ_NODE_ROOT)->name);
        return NULL;
    }
    return bz_domain_read(outline, BZ_NODE_ROOT, configuration, &nodes, error);
}

void bz_domain_free(BzDomain *domain)
{
    if (!domain)
        return;
    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->type);
    g_free(domain->arch);
    g_free(domain->emulator);
    g_free(domain->launch_security);
    g_free(domain->memory_source);
    g_free(domain->preload_library);
    g_free(domain);
}
