/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/choice.h"

void bz_choice_free(BzChoice *choice)
{
    if (!choice)
        return;
    g_free(choice->cpu_type);
    g_free(choice->ext_query_caps_property);
    g_free(choice->boot_zeroed_mem_property);
    g_free(choice->library);
    g_free(choice);
}
