/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of provider as the user of the command line has it: for this host, or for one that is named. */
#pragma once
#include "core/choice.h"

typedef struct {
    const BzConfiguration *configuration;
    BzProvider provider; /* what the host in question has; NONE: look at this one */
    const char *other;   /* where the domain is when it is not on this host: a libvirt URI; else NULL */
} BzWish;

#define BZ_WISH_OPTION(variable)                                                                                       \
    {                                                                                                                  \
        "provider", 'p', 0, G_OPTION_ARG_STRING, (variable),                                                           \
            "qemu or preload: do not look at this host, the domain is for another one that has it", "PROVIDER"         \
    }

/* The value of --provider, NULL when it was not given. */
gboolean bz_wish_parse(const char *text, BzProvider *provider);

/* A BzChooser (core/translate.h); data is a BzWish. The domain's warnings go to stderr. */
BzChoice *bz_wish_choose(const BzDomain *domain, gpointer data, GError **error);
