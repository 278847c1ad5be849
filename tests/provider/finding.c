/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finding.h"

#include <sys/mman.h>

#include "check.h"

struct finding by_scan;
struct bz_self self;
struct bz_files files;
struct bz_write_protect protect;
const struct bz_memory known = { &self, &files, &protect };

void take(struct bz_zero_sink *sink, struct bz_span span)
{
    struct finding *finding = (struct finding *)sink;

    CHECK(span.start < span.end && span.start % PAGE == 0 && span.end % PAGE == 0);
    CHECK(span.start >= finding->last_end);
    finding->last_end = span.end;
    finding->spans++;
    for (uint64_t at = span.start; at < span.end; at += PAGE)
        finding->zero[(at - finding->base) / PAGE] = true;
}

struct bz_mapping mapping_of(const void *memory)
{
    struct bz_mappings list = { 0 };
    struct bz_span first = { (uintptr_t)memory, (uintptr_t)memory + PAGE };
    char why[160];

    CHECK(bz_mappings_read(self.maps, first, &list, why, sizeof why) && list.count == 1);
    struct bz_mapping mapping = list.count == 1 ? list.items[0] : (struct bz_mapping){ .kind = BZ_MEMORY_INACCESSIBLE };
    bz_mappings_clear(&list);
    return mapping;
}

enum bz_scan_result scan(const struct bz_scan_backend *backend, struct finding *finding, uint8_t *memory, size_t size)
{
    char why[160] = "";
    uint64_t start = (uintptr_t)memory;
    struct bz_mapping mapping = mapping_of(memory);

    CHECK(size / PAGE <= MAX_PAGES);
    bz_files_learn(&files, &mapping);
    memset(finding, 0, sizeof *finding);
    finding->sink.take = take;
    finding->base = start;
    enum bz_scan_result result =
        backend->scan(&known, &mapping, (struct bz_span){ start, start + size }, &finding->sink, why, sizeof why);
    if (result != BZ_SCAN_DONE)
        printf("# %s: %s\n", backend->name, why);
    return result;
}

bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

void start(void)
{
    char why[160] = "";

    CHECK(bz_self_open(&self, why, sizeof why));
    CHECK_TEXT(why, "");
}

uint8_t *memory_of(size_t size, int advice)
{
    /* Aligned to huge pages, so that the kernel may use them. */
    uint8_t *raw = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *memory = (uint8_t *)(((uintptr_t)raw + HUGE - 1) & -(uintptr_t)HUGE);
    CHECK(raw != MAP_FAILED && madvise(memory, size, advice) == 0);
    return memory;
}

enum bz_scan_result choose(uint8_t *memory, const char **backend, char *why, size_t size)
{
    uint64_t base = (uintptr_t)memory;
    struct bz_mapping mapping = mapping_of(memory);

    memset(&by_scan, 0, sizeof by_scan);
    by_scan.sink.take = take;
    by_scan.base = base;
    *backend = "";
    return bz_scan(&known, &mapping, (struct bz_span){ base, base + (1 << 20) }, &by_scan.sink, backend, why, size);
}

uint8_t *file_memory(int fd, int flags, off_t offset)
{
    uint8_t *memory = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, flags, fd, offset);

    CHECK(memory != MAP_FAILED);
    return memory;
}

void expect_unavailable(uint8_t *memory, const char *reason)
{
    const char *backend;
    char why[160];

    CHECK_EQUAL(choose(memory, &backend, why, sizeof why), BZ_SCAN_UNAVAILABLE);
    CHECK_TEXT(why, reason);
    CHECK_EQUAL(by_scan.spans, 0);
}
