/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of provider for a client's XML, by what the XML is for. */
#pragma once
#include "libvirt/convert.h"

typedef struct {
    BzTranslateFlags flags; /* for bz_translate() */
    const BzConfiguration *configuration;
    BzPurpose purpose;
    BzDomain *former; /* NULL when there is none */
} BzProviderChooser;

/* former: XML of the guest as it runs or is saved, in the stored form, or NULL. configuration has to stay. */
void bz_provider_chooser_init(BzProviderChooser *chooser, const BzConfiguration *configuration, BzPurpose purpose,
                              const char *former);
void bz_provider_chooser_clear(BzProviderChooser *chooser);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BzProviderChooser, bz_provider_chooser_clear)

/* XML that leaves for another host with arguments in it: they are for that host, and there is nothing to choose. */
gboolean bz_provider_is_settled(const BzProviderChooser *chooser, const char *xml);

/* A BzChooser, with a BzProviderChooser as data. Also logs warnings about the domain. */
BzChoice *bz_provider_choose(const BzDomain *domain, gpointer chooser, GError **error);
