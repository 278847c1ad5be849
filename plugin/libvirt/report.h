/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors and warnings by libvirt's own ways, so that clients and the daemon's log cannot tell them apart. */
#pragma once
#include <libvirt/libvirt.h>

#include "core/error.h"

/* Makes error the calling thread's libvirt error, as a public function of libvirt that fails does. conn may be NULL. */
void bz_report_error(virConnectPtr conn, const GError *error);

/* A line in libvirt's log. Leaves the thread's libvirt error alone. */
void bz_report_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
