/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/*
 * Domain capabilities as libvirt made them, with the elements' names added to the hyperv features where a guest with
 * that emulator, architecture and virtualization type could be started with them.
 * Takes xml and returns it or what replaces it, both for free(). NULL stays NULL.
 */
char *bz_capabilities_advertise(char *xml);
