/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed parameters, of which some carry domain XML: "dxml", "destination_xml", "persistent_xml". */
#pragma once
#include "libvirt/convert.h"

/* What replaces a caller's parameters for the time of a call. Zero at first. */
typedef struct {
    virTypedParameterPtr copy; /* NULL when nothing had to be replaced */
    GPtrArray *texts;
} BzParameters;

/*
 * Converts every domain XML among them, as bz_convert_inward() does; params then is what libvirt is to get.
 * "persistent_xml" is always a definition, the others are for the purpose. FALSE: refused, and the error is the thread's
 * libvirt error.
 */
gboolean bz_parameters_inward(virConnectPtr conn, BzPurpose purpose, char *former, virTypedParameterPtr *params,
                              int n_params, BzParameters *converted);
void bz_parameters_clear(BzParameters *converted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BzParameters, bz_parameters_clear)

/* The value of a string parameter, NULL when it is not there. */
const char *bz_parameters_string(virTypedParameterPtr params, int n_params, const char *name);

/* The XML the guest is to have from now on: "dxml" or "destination_xml". NULL when it stays as it is. */
const char *bz_parameters_guest(virTypedParameterPtr params, int n_params);
