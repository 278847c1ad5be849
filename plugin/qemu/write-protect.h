/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that is populated in advance (prealloc=on, huge pages) is present from the start, so its page tables do not
 * tell what was never written. It is write-protected instead, by a userfaultfd in asynchronous mode (Linux 6.7): the
 * kernel lets every write pass and only notes it, whoever writes.
 *
 * A write through a pin that was taken before is not noted. So the order must be certain, and it is where QEMU
 * populates: before, nothing is present (pinning populates); after, it is write-protected at once. Memory that came to
 * be present in any other way is not tracked.
 *
 * A transparent huge page is split at its first write. That is why protection ends when the guest has its answer, or
 * has not asked for some time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "qemu/files.h"
#include "qemu/self.h"
#include "qemu/span.h"

struct bz_write_protect {
    int fd;                 /* a userfaultfd while there are spans */
    struct bz_spans spans;  /* memory that is write-protected */
    unsigned populating;    /* how many threads are between begin and end */
    struct bz_spans fresh;  /* what they populate: it had no content before */
    char why[160];          /* why memory that was populated is not tracked, or no longer; "" when all is */
};

/*
 * span is about to be populated by madvise(MADV_POPULATE_WRITE). True when it is private memory that nobody can have
 * written: then call bz_write_protect_end() right after. Huge pages of a file are looked up in files. Neighbours of
 * span may come along, because the kernel populates in large pages.
 */
bool bz_write_protect_begin(struct bz_write_protect *protect, const struct bz_self *self, struct bz_files *files,
                            struct bz_span span);

/* span is populated now, unless that failed. */
void bz_write_protect_end(struct bz_write_protect *protect, const struct bz_self *self, struct bz_files *files,
                          struct bz_span span, bool populated);

/* Ends all protection: nothing that was populated in advance is tracked any more, and why. */
void bz_write_protect_drop(struct bz_write_protect *protect, const char *why);
