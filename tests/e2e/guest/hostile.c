/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that are wrong in one way each. Every line has the status and whether the memory around the output stayed as
 * it was; what each status must be is said where the test judges it.
 */
#include "guest.h"

#define CANARY 0x5a5a5a5a5a5a5a5aul

static uint64_t pages[1024] __attribute__((aligned(8192))); /* two pages: an answer has 0xff8 bytes and can cross */

static void call(const char *name, uint64_t input, uint64_t input_gpa, uint64_t output_gpa)
{
    bool changed = false;
    uint64_t result;

    for (unsigned i = 0; i < 1024; i++)
        pages[i] = CANARY;
    result = hv_call(input, input_gpa, output_gpa);
    for (unsigned i = 0; i < 1024; i++)
        changed |= pages[i] != CANARY;
    out("hostile case=%s status=%lu result=0x%lx written=%lu\n", name, result & 0xffff, result, (uint64_t) changed);
}

void hostile_before_handshake(void)
{
    uint64_t result;

    pages[0] = CANARY;
    result = hv_raw_call(HV_GET_BOOT_ZEROED_MEMORY, 0, (uint64_t) pages);
    out("hostile case=before-handshake status=%lu result=0x%lx written=%lu\n", result & 0xffff, result,
        (uint64_t) (pages[0] != CANARY));
}

/* The answer must leave out the page it is written to, also when that page was zero until now. */
static void answer_into_reported_page(void)
{
    uint64_t page, result, found = 0;
    const ZeroedMemory *other;

    if (answer.count == 0 || answer.range[0].count < 3)
        return;
    page = answer.range[0].start + answer.range[0].count / 2;
    other = (const ZeroedMemory *) page_at(page);
    result = hv_call(HV_GET_BOOT_ZEROED_MEMORY, 0, (uint64_t) other);
    for (uint64_t i = 0; result == 0 && i < other->count && i < MAX_RANGES; i++)
        found += page >= other->range[i].start && page - other->range[i].start < other->range[i].count;
    out("hostile case=answer-into-reported-page status=%lu result=0x%lx ranges=%lu output-reported=%lu\n",
        result & 0xffff, result, result == 0 ? other->count : 0, found);
}

void hostile_calls(void)
{
    const uint64_t query = HV_QUERY_CAPABILITIES, get = HV_GET_BOOT_ZEROED_MEMORY;
    const uint64_t page = (uint64_t) pages;
    uint64_t above = mapped_end + (1ul << 30);

    call("page+8", get, 0, page + 8);
    call("page+16", get, 0, page + 16);
    call("page+0xff8", get, 0, page + PAGE_SIZE - 8);
    call("query-page+0xff8", query, 0, page + PAGE_SIZE - 8);
    call("misaligned-by-1", get, 0, page + 1);
    call("misaligned-by-4", get, 0, page + 4);
    call("query-misaligned-by-4", query, 0, page + 4);
    call("query-misaligned-crossing", query, 0, page + PAGE_SIZE - 4);
    call("input-gpa-ignored", get, ~0ul, page);

    call("beyond-ram", get, 0, above);
    call("query-beyond-ram", query, 0, above);
    call("beyond-space", get, 0, 1ul << 60);
    call("last-page", get, 0, ~(PAGE_SIZE - 1));
    call("last-word", query, 0, ~7ul);
    call("apic", get, 0, 0xfee00000);
    call("query-apic", query, 0, 0xfee00000);
    call("ioapic", get, 0, 0xfec00000);
    call("pci-hole", get, 0, 0xfd000000);
    call("flash", get, 0, 0xfffff000);
    call("query-flash", query, 0, 0xfffff000);

    call("fast", get | 1ul << 16, 0, page);
    call("query-fast", query | 1ul << 16, 0, page);
    call("variable-header", get | 1ul << 17, 0, page);
    call("reserved-27", get | 1ul << 27, 0, page);
    call("rep-count", get | 1ul << 32, 0, page);
    call("query-rep-count", query | 1ul << 32, 0, page);
    call("reserved-44", get | 1ul << 44, 0, page);
    call("rep-start", get | 1ul << 48, 0, page);
    call("reserved-60", get | 1ul << 60, 0, page);
    call("reserved-63", query | 1ul << 63, 0, page);

    call("unknown-0x8003", 0x8003, 0, page);
    call("unknown-0x8041", 0x8041, 0, page);
    call("unknown-0x8000", 0x8000, 0, page);
    call("unknown-0x7fff", 0x7fff, 0, page);
    answer_into_reported_page();
}
