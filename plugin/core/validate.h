/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules that need more than the elements: which domains may have boot_zeroed_memory at all.
 * They do not look at this host; core/choice.h does.
 */
#pragma once
#include "core/domain.h"

/*
 * FALSE with BZ_ERROR_UNSUPPORTED and a text that names the remedy for the first rule broken.
 * warnings, when not NULL, receives char * texts for what works but saves little. Free with g_ptr_array_unref().
 */
gboolean bz_validate(const BzDomain *domain, GPtrArray **warnings, GError **error);
