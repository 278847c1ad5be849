/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element model: what the user says in domain XML.
 *
 *   /domain/features/hyperv/boot_zeroed_memory/@state   on | off
 *   /domain/features/hyperv/ext_query_caps/@state       on | off, optional
 *
 * ext_query_caps stands for CPUID 0x40000003 EBX bit 20 and HvExtCallQueryCapabilities; boot_zeroed_memory needs it.
 * Absent it is implied by boot_zeroed_memory, explicitly off beside it is an error.
 */
#pragma once
#include <glib.h>

#define BZ_ELEMENT_BOOT_ZEROED_MEMORY "boot_zeroed_memory"
#define BZ_ELEMENT_EXT_QUERY_CAPS "ext_query_caps"

typedef enum {
    BZ_STATE_ABSENT,
    BZ_STATE_ON,
    BZ_STATE_OFF,
} BzState;

typedef struct {
    BzState boot_zeroed_memory;
    BzState ext_query_caps; /* as written; see bz_features_wants_ext_query_caps() */
} BzFeatures;

/* Neither element is there. */
gboolean bz_features_is_absent(const BzFeatures *features);

/* The guest is to see the extended hypercalls: written so, or implied by boot_zeroed_memory. Else nothing has to be done in QEMU. */
gboolean bz_features_wants_ext_query_caps(const BzFeatures *features);

/* "on" or "off"; NULL for BZ_STATE_ABSENT. Static storage. */
const char *bz_state_to_string(BzState state);

/* Strict: exactly "on" or "off". */
gboolean bz_state_from_string(const char *text, BzState *state);

/* The dependency: boot_zeroed_memory on refuses ext_query_caps off (BZ_ERROR_UNSUPPORTED). */
gboolean bz_features_check(const BzFeatures *features, GError **error);
