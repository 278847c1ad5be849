/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The environment variable BOOTZERO: what this guest is to be offered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#include "core/track-seconds.h"

struct bz_config {
    bool ext_query_caps;  /* CPUID bit and HvExtCallQueryCapabilities */
    bool boot_zeroed_mem; /* HvExtCallGetBootZeroedMemory; implies the above */
    char qmp[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* socket of the endpoint, or its folder; "" for none */
    unsigned track_seconds; /* that memory populated in advance is tracked, from the first time the guest runs */
};

/*
 * Parses "key=value,key=value". NULL and "" leave everything off. On a mistake returns false and puts one line into
 * message that names the key, the value and what is allowed; config is then all off. The keys: ext-query-caps and
 * boot-zeroed-mem (on, off), qmp (an absolute path), track-seconds (1 to BZ_TRACK_SECONDS_MAX).
 */
bool bz_config_parse(const char *text, struct bz_config *config, char *message, size_t size);
