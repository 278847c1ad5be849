/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest does with its memory between two questions. Pages out of the last answer are dirtied and then given to
 * the host in the ways that virtio has: what was given and not dirtied since reads zero again.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, 5.5 "Traditional Memory Balloon Device", 5.15 "Memory Device".
 */
#include "guest.h"
#include "virtio.h"

#define BALLOON 5
#define BALLOON_INFLATE 0
#define BALLOON_DEFLATE 1
#define BALLOON_REPORT 3 /* after the queue of statistics */
#define BALLOON_F_REPORTING (1u << 5)

#define MEMORY 24
#define MEMORY_ANY_FEATURE 3u
#define MEMORY_BLOCK_SIZE 0
#define MEMORY_ADDRESS 16
#define MEMORY_REQUESTED 48
#define MEMORY_PLUG 0
#define MEMORY_UNPLUG_ALL 2

Lent lent;
Range plugged;

static void dirty_lent(void)
{
    if (lent.pages.count == 0) {
        if (answer.count == 0 || answer.range[0].count < 2 * MAX_LENT + 4)
            return;
        /* Not those that touch_reported() takes. */
        lent.pages = (Range) {answer.range[0].start + 1, MAX_LENT};
    }
    for (uint64_t i = 0; i < lent.pages.count; i++) {
        page_at(lent.pages.start + i)[i] = ~i;
        lent.dirty[i] = true;
    }
}

static void all_clean(void)
{
    for (uint64_t i = 0; i < MAX_LENT; i++)
        lent.dirty[i] = false;
}

static bool balloon(unsigned queue)
{
    static uint32_t numbers[MAX_LENT];
    VirtioPart part = {numbers, (uint32_t) lent.pages.count * 4, false};

    if (!virtio_open(BALLOON, 0, queue))
        return false;
    for (uint64_t i = 0; i < lent.pages.count; i++)
        numbers[i] = (uint32_t) (lent.pages.start + i);
    if (!virtio_send(&part, 1))
        return false;
    if (queue == BALLOON_INFLATE)
        all_clean();
    return true;
}

static bool report_free(void)
{
    VirtioPart part = {page_at(lent.pages.start), (uint32_t) (lent.pages.count * PAGE_SIZE), true};

    if (!virtio_open(BALLOON, BALLOON_F_REPORTING, BALLOON_REPORT) || !virtio_send(&part, 1))
        return false;
    all_clean();
    return true;
}

static bool request_memory(uint16_t type, uint64_t address, uint16_t blocks)
{
    static struct {
        uint16_t type, padding[3];
        uint64_t address;
        uint16_t blocks, padding_2[3];
    } request;
    static uint16_t response[5];
    VirtioPart parts[] = {{&request, sizeof(request), false}, {response, sizeof(response), true}};

    request.type = type;
    request.address = address;
    request.blocks = blocks;
    response[0] = 0xffff;
    return virtio_send(parts, 2) && response[0] == 0;
}

/* Plugs all that the host wants plugged and writes to every other page of it. */
static bool plug(void)
{
    uint64_t address, size, block;

    if (!virtio_open(MEMORY, MEMORY_ANY_FEATURE, 0))
        return false;
    address = virtio_register(MEMORY_ADDRESS);
    size = virtio_register(MEMORY_REQUESTED);
    block = virtio_register(MEMORY_BLOCK_SIZE);
    if (block == 0 || !memory_map(address + size) || !request_memory(MEMORY_PLUG, address, (uint16_t) (size / block)))
        return false;
    plugged = (Range) {address / PAGE_SIZE, size / PAGE_SIZE};
    for (uint64_t i = 0; i < plugged.count; i += 2)
        page_at(plugged.start + i)[0] = ~i;
    return true;
}

static bool unplug(void)
{
    return virtio_open(MEMORY, MEMORY_ANY_FEATURE, 0) && request_memory(MEMORY_UNPLUG_ALL, 0, 0);
}

void event(char which)
{
    bool good = true;

    if (which == 'l') {
        dirty_lent();
        good = lent.pages.count > 0;
    } else if (which == 'i') {
        good = balloon(BALLOON_INFLATE);
    } else if (which == 'd') {
        good = balloon(BALLOON_DEFLATE);
    } else if (which == 'f') {
        good = report_free();
    } else if (which == 'p') {
        good = plug();
    } else if (which == 'u') {
        good = unplug();
    } else if (which == 'q') {
        ask_until_refused();
    } else if (which == 's') {
        good = suspend();
    } else if (which == 'r') {
        machine_reset();
    } else {
        good = false;
    }
    out("event name=%c good=%lu\n", which, (uint64_t) good);
}
