/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What bootzero needs to know of a domain, read from its XML: the elements, and the facts that decide whether and
 * how a guest can have them.
 */
#pragma once
#include "core/configuration.h"
#include "core/element.h"

typedef enum {
    BZ_HYPERV_ABSENT,
    BZ_HYPERV_CUSTOM, /* also when no mode is written */
    BZ_HYPERV_PASSTHROUGH,
    BZ_HYPERV_HOST_MODEL,
    BZ_HYPERV_OTHER, /* a mode this version does not know; libvirt judges it */
} BzHypervMode;

typedef struct {
    BzFeatures features; /* from the elements, or, where there are none, from the marker in <metadata> */
    gboolean has_elements;
    gboolean has_marker;

    char *name;     /* NULL when absent, as every string here */
    char *uuid;
    char *type;     /* /domain/@type: "kvm", "qemu" ... */
    char *arch;     /* /domain/os/type/@arch; NULL stands for the host's */
    char *emulator; /* /domain/devices/emulator; NULL stands for libvirt's default */
    BzHypervMode hyperv_mode;
    guint enlightenments_on;  /* other children of <hyperv> with state='on' that make QEMU offer Hyper-V */
    char *launch_security;    /* /domain/launchSecurity/@type: "sev", "sev-snp", "tdx" ... */

    /* the memory the guest gets, and who else has to do with it */
    char *memory_source;         /* /domain/memoryBacking/source/@type: "file", "memfd", "anonymous" */
    gboolean hugepages;          /* /domain/memoryBacking/hugepages */
    gboolean locked;             /* /domain/memoryBacking/locked */
    gboolean preallocated;       /* /domain/memoryBacking/allocation/@mode is "immediate" */
    const char *shared_by;       /* what lets other processes write guest memory, a clause; static storage, or NULL */
    const char *pinned_by;       /* the kind of device that pins all of it, a clause; static storage, or NULL */
    const char *memory_device;      /* "nvdimm", "virtio-pmem" or "virtio-mem", static storage, or NULL */

    /* what is there of the provider's part of the stored form (core/args.h) */
    gboolean has_qemu_args;   /* -global ...hv-boot-zeroed-mem=... or hv-ext-query-caps=... */
    gboolean has_preload_env; /* LD_PRELOAD with the provider library, and BOOTZERO */
    char *preload_library;    /* the path in that LD_PRELOAD */
} BzDomain;

/*
 * Reads a domain XML, in the user's form or in the stored one. The elements are checked one by one (wrong state,
 * unknown attribute, twice, outside <hyperv>), the domain as a whole is not: that is core/validate.h.
 * configuration gives the property names by which has_qemu_args is told; not NULL.
 * Errors: BZ_ERROR_XML, BZ_ERROR_UNSUPPORTED, BZ_ERROR_MALFORMED.
 */
BzDomain *bz_domain_parse(const char *xml, const BzConfiguration *configuration, GError **error);
void bz_domain_free(BzDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzDomain, bz_domain_free)
