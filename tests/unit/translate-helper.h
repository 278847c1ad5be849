/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of translate and restore share: a host that can do what the test says. */
#pragma once
#include "core/error.h"
#include "core/translate.h"

/* Names as in a release of QEMU that has the properties; no file is read. */
static BzConfiguration test_configuration = {
    .provider = BZ_PROVIDER_AUTO,
    .ext_query_caps_property = (char *)"hv-ext-query-caps",
    .boot_zeroed_mem_property = (char *)"hv-boot-zeroed-mem",
    .provider_library = (char *)"/usr/lib/bootzero/bootzero-qemu.so",
    .probe_timeout = 10,
    .track_seconds = BZ_TRACK_SECONDS,
};

/* data: a BzProvider as pointer. */
static inline BzChoice *choose_given(const BzDomain *domain, gpointer data, GError **error)
{
    BzChoice *choice;

    if (GPOINTER_TO_INT(data) == BZ_PROVIDER_NONE) {
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "no provider in this test");
        return NULL;
    }
    choice = g_new0(BzChoice, 1);
    choice->provider = GPOINTER_TO_INT(data);
    choice->cpu_type = g_strdup("x86_64-cpu");
    choice->ext_query_caps_property = g_strdup(test_configuration.ext_query_caps_property);
    choice->boot_zeroed_mem_property = g_strdup(test_configuration.boot_zeroed_mem_property);
    choice->library = g_strdup(test_configuration.provider_library);
    return choice;
}

/* The stored form, or a copy where nothing had to be done. */
static inline char *translate(const char *xml, BzTranslateFlags flags, BzProvider provider, GError **error)
{
    char *out = NULL;

    if (!bz_translate(xml, &test_configuration, flags, choose_given, GINT_TO_POINTER(provider), &out, NULL, error))
        return NULL;
    return out ? out : g_strdup(xml);
}

static inline char *restore(const char *xml, GError **error)
{
    char *out = NULL;

    if (!bz_restore(xml, &test_configuration, &out, error))
        return NULL;
    return out ? out : g_strdup(xml);
}
