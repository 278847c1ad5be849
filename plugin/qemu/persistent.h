/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does this guest have persistent memory (nvdimm, virtio-pmem)? Its slots look like those of RAM, but a guest must
 * never be told that such memory need not be kept. The same for virtio-mem, whose slots are there before the memory is
 * plugged. KVM does not say what a slot is for, so QEMU's command line is asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* QEMU puts memory devices at or above this guest-physical address, always. */
#define BZ_MEMORY_DEVICES_FROM (1ull << 32)

/*
 * words: the command line as /proc/self/cmdline has it, each word closed by a NUL. Returns why such memory is
 * there or cannot be excluded, NULL when there is none.
 */
const char *bz_persistent_memory(const char *words, size_t size);

/* The same of this process. */
const char *bz_persistent_memory_of_self(void);
