/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boot_zeroed_memory switched on or off in a domain XML in the user's form, with nothing else changed. */
#pragma once
#include "core/configuration.h"
#include "core/element.h"

/*
 * state is ON or OFF; OFF adds no element where there is none. TRUE: *out is the new XML, or NULL when xml can be used
 * as it is. Free with g_free(). Errors: those of bz_domain_parse().
 */
gboolean bz_set_state(const char *xml, const BzConfiguration *configuration, BzState state, char **out, GError **error);
