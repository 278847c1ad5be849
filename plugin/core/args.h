/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The provider's part of <qemu:commandline>.
 *
 *   qemu      <qemu:arg value='-global'/><qemu:arg value='x86_64-cpu.hv-boot-zeroed-mem=on'/>
 *   preload   <qemu:env name='LD_PRELOAD' value='/usr/lib/.../bootzero-qemu.so'/>
 *             <qemu:env name='BOOTZERO' value='ext-query-caps=on,boot-zeroed-mem=on,qmp=/run/bootzero/'/>
 *
 * They are told by what they are, not by the marker, since some tools keep the arguments and drop the metadata.
 */
#pragma once
#include "core/choice.h"
#include "core/edit.h"
#include "core/outline.h"

typedef struct {
    gboolean has_globals;
    gboolean has_env;        /* BOOTZERO */
    char *library;           /* ours in LD_PRELOAD, or NULL */
} BzArgsFound;

/* What of ours is below domain. Clear with bz_args_found_clear(). configuration names the properties. */
void bz_args_find(const BzOutline *outline, int domain, const BzConfiguration *configuration, BzArgsFound *found);
void bz_args_found_clear(BzArgsFound *found);

/*
 * Makes the edits that leave exactly the arguments of choice (NULL: none) in the domain's <qemu:commandline>, which
 * is added or removed as needed. keep_empty: leave it although nothing is in it. When exactly these are there
 * already, nothing is edited. *was_empty, when not NULL, tells that there was one with nothing in it.
 */
void bz_args_edit(BzEdits *edits, const BzOutline *outline, int domain, const BzConfiguration *configuration,
                  const BzFeatures *features, const BzChoice *choice, gboolean keep_empty, gboolean *was_empty);
