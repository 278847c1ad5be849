/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"
#include "start-info.h"

#define FIRST_PAGE 256ul /* 1 MiB */
#define GIB (1ul << 30)
#define MAX_GIB 512ul /* what one table of 1 GiB entries maps */

extern char image_start[], image_end[];
extern uint64_t pdpt[512];

Range ram[MAX_REGIONS];
unsigned ram_regions;
uint64_t ram_pages;
uint64_t mapped_end = 4 * GIB;
uint64_t rsdp;
static uint64_t own_end; /* address after the page tables that follow the image */
static bool own_is_fixed;

/* The compiler may call these for what the code says without them. */

void *memset(void *at, int value, size_t size)
{
    void *cursor = at;

    __asm__ volatile("rep stosb" : "+D"(cursor), "+c"(size) : "a"(value) : "memory");
    return at;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *cursor = to;

    __asm__ volatile("rep movsb" : "+D"(cursor), "+S"(from), "+c"(size) : : "memory");
    return to;
}

const char *command_line(uint32_t start_info)
{
    const StartInfo *start = (const StartInfo *) (uint64_t) start_info;

    return start->magic == START_MAGIC && start->command_line_at != 0 ? (const char *) start->command_line_at : "";
}

Range own_pages(void)
{
    uint64_t first = (uint64_t) image_start / PAGE_SIZE;

    return (Range) {first, own_end / PAGE_SIZE - first};
}

/* With 1 GiB entries where the processor has them, else with tables after the image. */
bool memory_map(uint64_t end)
{
    bool huge = (cpuid(0x80000001).edx & 1u << 26) != 0;

    for (uint64_t gib = mapped_end / GIB; gib * GIB < end; gib++) {
        uint64_t *table = (uint64_t *) own_end;

        if (gib == MAX_GIB || (own_is_fixed && !huge)) {
            out("error text=\"memory above %lu GiB cannot be mapped\"\n", gib);
            return false;
        }
        if (huge) {
            pdpt[gib] = gib * GIB | 0x83;
        } else {
            for (uint64_t i = 0; i < 512; i++)
                table[i] = (gib * GIB + (i << 21)) | 0x83;
            pdpt[gib] = own_end | 3;
            own_end += PAGE_SIZE;
        }
        mapped_end = (gib + 1) * GIB;
    }
    return true;
}

bool memory_init(uint32_t start_info)
{
    const StartInfo *start = (const StartInfo *) (uint64_t) start_info;
    const MapEntry *map;
    uint64_t end = 0;

    own_end = (uint64_t) image_end;
    if (start->magic != START_MAGIC || start->version < 1 || start->map_entries == 0) {
        out("error text=\"no memory map from the loader\"\n");
        return false;
    }
    map = (const MapEntry *) start->map_at;
    for (uint32_t i = 0; i < start->map_entries; i++) {
        uint64_t first = (map[i].address + PAGE_SIZE - 1) / PAGE_SIZE;
        uint64_t last = (map[i].address + map[i].size) / PAGE_SIZE;

        if (first < FIRST_PAGE)
            first = FIRST_PAGE;
        if (map[i].type != TYPE_RAM || last <= first)
            continue;
        if (ram_regions == MAX_REGIONS) {
            out("error text=\"more than %lu regions of RAM\"\n", (uint64_t) MAX_REGIONS);
            return false;
        }
        ram[ram_regions++] = (Range) {first, last - first};
        ram_pages += last - first;
        if (last * PAGE_SIZE > end)
            end = last * PAGE_SIZE;
    }
    rsdp = start->rsdp_at;
    if (!memory_map(end))
        return false;
    own_is_fixed = true;
    return true;
}
