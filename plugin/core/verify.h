/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a running guest of the qemu provider has what its domain asks for: QEMU is asked for the properties of its first
 * vCPU, and KVM for what it can do, since QEMU says yes also where KVM has no Hyper-V emulation.
 */
#pragma once
#include "core/configuration.h"
#include "core/element.h"

typedef enum {
    BZ_VERDICT_HAS,
    BZ_VERDICT_OFF,     /* QEMU has the property and says that it is off, or KVM cannot do its part */
    BZ_VERDICT_LACKS,   /* QEMU has no such property */
    BZ_VERDICT_UNKNOWN, /* one of the two cannot be asked */
} BzVerdict;

/* Sends a QMP command to the guest's QEMU. Gives the answer, to be freed with g_free(), or NULL and why not. */
typedef char *(*BzMonitorAsk)(const char *command, gpointer data, GError **error);

/*
 * features want something (bz_features_wants_ext_query_caps). *reason is a clause that tells why, except for HAS, when it
 * is NULL. Free with g_free().
 */
BzVerdict bz_verify_qemu(const BzFeatures *features, const BzConfiguration *configuration, BzMonitorAsk ask, gpointer data,
                         char **reason);
