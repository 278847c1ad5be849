/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scan of this process's own memory by a backend of the provider, and what it finds. */
#pragma once

#include "qemu/scan.h"

#define PAGE 4096u
#define HUGE (2u << 20)
#define MAX_PAGES 65536

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct finding {
    struct bz_zero_sink sink;
    uint64_t base;
    uint64_t last_end;
    unsigned spans;
    bool zero[MAX_PAGES]; /* pages from base */
};

extern struct finding by_scan;
extern struct bz_self self;
extern struct bz_files files;
extern struct bz_write_protect protect;
extern const struct bz_memory known; /* the three */

/* The sink of a finding. */
void take(struct bz_zero_sink *sink, struct bz_span span);

/* Before anything else: opens what self has. */
void start(void);

/* Private anonymous memory of size bytes, aligned to huge pages and with madvise() called; 4 MiB of a file. */
uint8_t *memory_of(size_t size, int advice);
uint8_t *file_memory(int fd, int flags, off_t offset);

struct bz_mapping mapping_of(const void *memory);
bool is_zero(const uint8_t *page);

/* What backend finds in size bytes. */
enum bz_scan_result scan(const struct bz_scan_backend *backend, struct finding *finding, uint8_t *memory, size_t size);

/* The choice of backend for memory, of which the first MiB is scanned into by_scan; that there is none, for this reason. */
enum bz_scan_result choose(uint8_t *memory, const char **backend, char *why, size_t size);
void expect_unavailable(uint8_t *memory, const char *reason);
