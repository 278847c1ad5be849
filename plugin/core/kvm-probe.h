/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What KVM on this host can do for Hyper-V guests.
 * Source: linux/Documentation/virt/kvm/api.rst, KVM_CAP_HYPERV and KVM_GET_SUPPORTED_HV_CPUID.
 */
#pragma once
#include <glib.h>

typedef struct {
    gboolean available;           /* /dev/kvm opens */
    gboolean hyperv;              /* KVM_CAP_HYPERV */
    gboolean extended_hypercalls; /* CPUID 0x40000003 EBX bit 20 in KVM_GET_SUPPORTED_HV_CPUID */
    char *reason;                 /* why extended_hypercalls is FALSE, a clause that names the remedy; else NULL */
} BzKvmProbe;

/* Asks the device at path, normally "/dev/kvm". Never NULL: what cannot be asked is reported as missing. */
BzKvmProbe *bz_kvm_probe(const char *path);
void bz_kvm_probe_free(BzKvmProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzKvmProbe, bz_kvm_probe_free)
