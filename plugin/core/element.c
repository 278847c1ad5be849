/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/element.h"

#include <string.h>

#include "core/error.h"

gboolean bz_features_is_absent(const BzFeatures *features)
{
    return features->boot_zeroed_memory == BZ_STATE_ABSENT && features->ext_query_caps == BZ_STATE_ABSENT;
}

gboolean bz_features_wants_ext_query_caps(const BzFeatures *features)
{
    return features->ext_query_caps == BZ_STATE_ON || features->boot_zeroed_memory == BZ_STATE_ON;
}

const char *bz_state_to_string(BzState state)
{
    switch (state) {
    case BZ_STATE_ON:
        return "on";
    case BZ_STATE_OFF:
        return "off";
    case BZ_STATE_ABSENT:
        break;
    }
    return NULL;
}

gboolean bz_state_from_string(const char *text, BzState *state)
{
    if (strcmp(text, "on") == 0)
        *state = BZ_STATE_ON;
    else if (strcmp(text, "off") == 0)
        *state = BZ_STATE_OFF;
    else
        return FALSE;
    return TRUE;
}

gboolean bz_features_check(const BzFeatures *features, GError **error)
{
    if (features->boot_zeroed_memory == BZ_STATE_ON && features->ext_query_caps == BZ_STATE_OFF) {
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
                            "'boot_zeroed_memory' hyperv feature requires 'ext_query_caps': remove "
                            "<ext_query_caps state='off'/> or set its state to 'on'");
        return FALSE;
    }
    return TRUE;
}
