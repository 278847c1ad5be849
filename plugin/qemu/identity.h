/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who this guest is, by QEMU's command line: libvirt always says so there. */
#pragma once

#include <stddef.h>

struct bz_identity {
    char name[256]; /* -name; "" when there is none. A longer one is cut off. */
    char uuid[40];  /* -uuid in lower case; "" when there is none, or it is no UUID */
};

/* words are size bytes as in /proc/PID/cmdline. */
void bz_identity_parse(struct bz_identity *identity, const char *words, size_t size);

/* Of this process. */
void bz_identity_of_self(struct bz_identity *identity);
