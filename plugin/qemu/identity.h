/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who this guest is, by QEMU's command line: libvirt always says so there. */
#pragma once

#include <stddef.h>

#include "core/tracking-message.h"

/* words are size bytes as in /proc/PID/cmdline: -name and -uuid. What is no UUID is taken for none. */
void bz_identity_parse(struct bz_identity *identity, const char *words, size_t size);

/* Of this process. */
void bz_identity_of_self(struct bz_identity *identity);
