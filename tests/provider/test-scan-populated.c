/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that was populated in advance: what is protected, and what is known of it afterwards. */
#include <sys/mman.h>
#include <sys/uio.h>

#include "check.h"
#include "finding.h"

static struct bz_span span_of(const void *memory, size_t size)
{
    return (struct bz_span){ (uintptr_t)memory, (uintptr_t)memory + size };
}

static bool populate(uint8_t *memory, size_t size)
{
    struct bz_span span = span_of(memory, size);
    bool fresh = bz_write_protect_begin(&protect, &self, &files, span);

    CHECK(madvise(memory, size, MADV_POPULATE_WRITE) == 0);
    if (fresh)
        bz_write_protect_end(&protect, &self, &files, span, true);
    CHECK_EQUAL(protect.populating, 0);
    CHECK_EQUAL(protect.fresh.count, 0);
    if (strstr(protect.why, "userfaultfd") || strstr(protect.why, "PAGEMAP_SCAN"))
        SKIP(protect.why);
    return bz_spans_overlap(&protect.spans, span);
}

static void write_protected(int advice)
{
    const size_t size = 8 << 20;

    start();
    uint8_t *memory = memory_of(size, advice);
    CHECK(populate(memory, PAGE)); /* as QEMU tries whether it can */
    CHECK(populate(memory, size));
    CHECK_TEXT(protect.why, "");
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK(by_scan.zero[0] && by_scan.zero[size / PAGE - 1]);

    static uint8_t data[PAGE] = { 7 };
    struct iovec from = { data, 16 }, to = { memory + 9 * PAGE, 16 };
    memory[3 * PAGE] = 1;
    CHECK(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 16);
    /* Given back: nowhere, read since, written since, and an entry that is no page. */
    memory[20 * PAGE] = memory[21 * PAGE] = memory[22 * PAGE] = 1;
    CHECK(madvise(memory + 20 * PAGE, 3 * PAGE, MADV_DONTNEED) == 0);
    CHECK_EQUAL(((volatile uint8_t *)memory)[21 * PAGE], 0);
    memory[22 * PAGE] = 1;
    bool has_guard = madvise(memory + 23 * PAGE, PAGE, MADV_GUARD_INSTALL) == 0;
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, size), BZ_SCAN_DONE);
    for (size_t page = 0; page < size / PAGE; page++) {
        CHECK_EQUAL(by_scan.zero[page], page != 3 && page != 9 && page != 22 && !(page == 23 && has_guard));
        if (by_scan.zero[page])
            CHECK(is_zero(memory + page * PAGE));
    }

    bz_write_protect_drop(&protect, "for a reason");
    CHECK_EQUAL(protect.spans.count, 0);
    CHECK_TEXT(protect.why, "guest memory populated in advance is not tracked: for a reason");
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, size), BZ_SCAN_UNAVAILABLE);
    /* What was protected is present still: the rule for memory populated on demand finds nothing in it. */
    CHECK_EQUAL(scan(&bz_scan_anonymous, &by_scan, memory + 32 * PAGE, size - 32 * PAGE), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 0);
}

static void populated(void)
{
    write_protected(MADV_NOHUGEPAGE);
}

static void populated_huge(void)
{
    write_protected(MADV_HUGEPAGE);
}

/* Whatever was there before might be written by a pin, unseen. */
static void populated_over_content(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    memory[5 * PAGE] = 0;
    CHECK(!populate(memory, 1 << 20));
    CHECK_TEXT(protect.why, "guest memory populated in advance is not tracked: it was in use before it was populated");
    /* What is apart from it is not concerned. */
    CHECK(populate(memory_of(1 << 20, MADV_NOHUGEPAGE), 1 << 20));
}

static void populated_again_after_a_write(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    CHECK(populate(memory, 1 << 20));
    memory[5 * PAGE] = 1;
    populate(memory, 1 << 20);
    CHECK_EQUAL(scan(&bz_scan_write_protect, &by_scan, memory, 1 << 20), BZ_SCAN_DONE);
    CHECK(!by_scan.zero[5]);
}

static void mapped_anew(void)
{
    start();
    uint8_t *memory = memory_of(1 << 20, MADV_NOHUGEPAGE);
    CHECK(populate(memory, 1 << 20));
    CHECK(mmap(memory, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory);
    memory[0] = 1;
    expect_unavailable(memory, "guest memory was mapped anew after its write-protection");
}

static void not_to_be_protected(void)
{
    int fd = memfd_create("guest", 0);

    start();
    CHECK(ftruncate(fd, 4 << 20) == 0);
    CHECK(!populate(file_memory(fd, MAP_SHARED, 0), 4 << 20));
    CHECK(!populate(file_memory(fd, MAP_PRIVATE, 0), 4 << 20));
    CHECK_TEXT(protect.why, "");
}

/* Known to be of huge pages, of which there need be none here: it is the file that is looked at, before and after. */
static void populated_file_with_content(void)
{
    start();
    for (int filled = 1; filled >= 0; filled--) {
        int fd = memfd_create("guest", 0);
        CHECK(ftruncate(fd, 4 << 20) == 0 && pwrite(fd, "x", filled, 5 * PAGE) == filled);
        uint8_t *memory = file_memory(fd, MAP_PRIVATE, 0);
        struct bz_mapping mapping = mapping_of(memory);
        bz_files_learn(&files, &mapping);
        files.items[files.count - 1].file_system = BZ_FILE_SYSTEM_HUGETLB;
        CHECK_TEXT(protect.why, "");
        CHECK(!populate(memory, 4 << 20));
    }
    /* The second one was empty: a tmpfs fills holes that are only read. */
    CHECK_TEXT(protect.why, "guest memory populated in advance is not tracked: it changed while it was populated");
}

CHECK_MAIN(CASE(populated), CASE(populated_huge), CASE(populated_over_content), CASE(populated_again_after_a_write),
           CASE(mapped_anew), CASE(not_to_be_protected), CASE(populated_file_with_content))
