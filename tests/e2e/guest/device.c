/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that writes into memory which this program has not touched: the first virtio disk is read, or packets come by
 * the first virtio network card. Source: VIRTIO 1.2, 5.1 and 5.2.
 */
#include "guest.h"
#include "virtio.h"

#define NETWORK 1
#define NETWORK_RECEIVE 0
#define DISK 2
#define SECTORS_IN_PAGE 8

static bool read_disk(uint64_t page, uint64_t number)
{
    static struct {
        uint32_t type, reserved;
        uint64_t sector;
    } request;
    static uint8_t status;
    const VirtioPart parts[] = {
        { &request, 16, false },
        { (void *) (page * PAGE_SIZE), PAGE_SIZE, true },
        { &status, 1, true },
    };

    request.sector = number * SECTORS_IN_PAGE;
    status = 255;
    return virtio_send(parts, 3) && *(volatile uint8_t *) &status == 0;
}

static bool read_pages(const uint64_t *pages, uint64_t count)
{
    if (!virtio_open(DISK, 0, 0))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!read_disk(pages[i], i)) {
            out("error text=\"page %lu of the disk cannot be read\"\n", i);
            return false;
        }
    }
    return true;
}

static bool receive_packets(const uint64_t *pages, uint64_t count)
{
    if (count > VIRTIO_QUEUE || !virtio_open(NETWORK, 0, NETWORK_RECEIVE))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const VirtioPart part = { (void *) (pages[i] * PAGE_SIZE), PAGE_SIZE, true };

        virtio_offer(&part, 1);
    }
    out("receiving packets=%lu\n", count);
    return virtio_finish();
}

bool device_writes(const char *kind, const uint64_t *pages, uint64_t count)
{
    bool is_disk = *kind == 'd';
    bool good = is_disk ? read_pages(pages, count) : receive_packets(pages, count);

    out("device kind=%s pages=%lu good=%lu\n", is_disk ? "disk" : "network", count, (uint64_t) good);
    return good;
}
