/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that writes into memory which this program has not touched: the first virtio disk is read, or packets come by
 * the first virtio network card. Source: VIRTIO 1.1, 2.6 (queues), 4.1 (PCI), 5.1 and 5.2.
 */
#include "guest.h"
#include "pci.h"

#define QUEUE_SIZE 64
#define VENDOR 0x1af4
#define VENDOR_CAPABILITY 9
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2
#define NETWORK_HEADER 12

typedef struct {
    uint32_t feature_select, features, driver_feature_select, driver_features;
    uint16_t config_vector, queues;
    uint8_t status, generation;
    uint16_t queue, queue_size, queue_vector, queue_enable, queue_notify;
    uint64_t descriptors, available, used;
} Common;

static struct {
    struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, next;
    } descriptor[QUEUE_SIZE];
    struct {
        uint16_t flags, index, ring[QUEUE_SIZE];
    } available;
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, length;
        } ring[QUEUE_SIZE];
    } used __attribute__((aligned(8)));
} queue __attribute__((aligned(4096)));

static struct {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status;
} request;

static volatile Common *common;
static volatile uint16_t *doorbell;

static bool no_device(const char *why)
{
    out("error text=\"virtio: %s\"\n", why);
    return false;
}

static uint64_t base_address(uint32_t device, uint8_t bar)
{
    uint32_t low = pci_read(device, 0x10 + bar * 4u);
    uint64_t high = (low & 6) == 4 ? pci_read(device, 0x14 + bar * 4u) : 0;

    return (low & 1) == 0 ? high << 32 | (low & ~15u) : 0;
}

/* Common configuration, and where to tell of queue 0. */
static bool find_registers(uint32_t device)
{
    uint64_t notify = 0, at_common = 0;
    uint32_t multiplier = 0;

    for (uint8_t at = pci_read_byte(device, 0x34); at != 0; at = pci_read_byte(device, at + 1u)) {
        uint64_t address = base_address(device, pci_read_byte(device, at + 4u)) + pci_read(device, at + 8u);

        if (pci_read_byte(device, at) != VENDOR_CAPABILITY)
            continue;
        if (pci_read_byte(device, at + 3u) == 1)
            at_common = address;
        if (pci_read_byte(device, at + 3u) == 2) {
            notify = address;
            multiplier = pci_read(device, at + 16u);
        }
    }
    if (at_common == 0 || notify == 0 || at_common >= mapped_end || notify >= mapped_end)
        return no_device("no registers that can be reached");
    pci_write_byte(device, 4, 6); /* memory, and its own access to ours */
    common = (volatile Common *) at_common;
    common->status = 0;
    while (common->status != 0)
        ;
    common->queue = 0;
    doorbell = (volatile uint16_t *) (notify + common->queue_notify * multiplier);
    return true;
}

static bool start_device(void)
{
    common->status = 1;
    common->status = 3;
    common->driver_feature_select = 0;
    common->driver_features = 0;
    /* Version 1; and addresses that an IOMMU translates, where that is asked for. */
    common->feature_select = common->driver_feature_select = 1;
    common->driver_features = common->features & 3;
    common->status = 11;
    if ((common->status & 8) == 0)
        return no_device("it does not agree");
    common->queue = 0;
    if (common->queue_size < QUEUE_SIZE)
        return no_device("its queue is too short");
    common->queue_size = QUEUE_SIZE;
    common->descriptors = (uint64_t) queue.descriptor;
    common->available = (uint64_t) &queue.available;
    common->used = (uint64_t) &queue.used;
    common->queue_enable = 1;
    common->status = 15;
    return true;
}

static void describe(unsigned number, uint64_t address, uint32_t length, unsigned flags)
{
    queue.descriptor[number].address = address;
    queue.descriptor[number].length = length;
    queue.descriptor[number].flags = (uint16_t) flags;
    queue.descriptor[number].next = (uint16_t) (number + 1);
}

static void offer(unsigned head)
{
    queue.available.ring[queue.available.index % QUEUE_SIZE] = (uint16_t) head;
    __asm__ volatile("mfence" : : : "memory");
    queue.available.index++;
    __asm__ volatile("mfence" : : : "memory");
}

static bool wait_until_used(uint16_t index)
{
    volatile uint16_t *used = &queue.used.index;

    for (uint64_t begin = read_tsc(); *used != index;) {
        if (read_tsc() - begin > 200000000000ul)
            return no_device("it does nothing");
        __asm__ volatile("pause");
    }
    return true;
}

static bool read_disk(uint64_t page, uint64_t number)
{
    request.type = 0; /* read */
    request.sector = number * 8;
    request.status = 255;
    describe(0, (uint64_t) &request, 16, DESCRIPTOR_NEXT);
    describe(1, page * PAGE_SIZE, PAGE_SIZE, DESCRIPTOR_NEXT | DESCRIPTOR_WRITE);
    describe(2, (uint64_t) &request.status, 1, DESCRIPTOR_WRITE);
    offer(0);
    *doorbell = 0;
    return wait_until_used(queue.available.index) && (request.status == 0 || no_device("it cannot read"));
}

bool device_writes(const char *kind, const uint64_t *pages, uint64_t count)
{
    bool is_disk = *kind == 'd', good;
    uint32_t device = 1;
    uint16_t modern = is_disk ? 0x1042 : 0x1041, transitional = is_disk ? 0x1001 : 0x1000;

    for (; device < 32; device++) {
        uint32_t id = pci_read(device, 0);

        if ((id & 0xffff) == VENDOR && (id >> 16 == modern || id >> 16 == transitional))
            break;
    }
    if (device == 32)
        return no_device("there is none");
    if (!find_registers(device) || !start_device())
        return false;
    good = true;
    if (is_disk) {
        for (uint64_t i = 0; good && i < count; i++)
            good = read_disk(pages[i], i);
    } else {
        for (unsigned i = 0; i < count && i < QUEUE_SIZE; i++) {
            describe(i, pages[i] * PAGE_SIZE, PAGE_SIZE, DESCRIPTOR_WRITE);
            offer(i);
        }
        *doorbell = 0;
        out("receiving packets=%lu\n", count);
        good = wait_until_used((uint16_t) count);
    }
    out("device kind=%s id=0x%lx pages=%lu good=%lu\n", is_disk ? "disk" : "network", (uint64_t) pci_read(device, 0), count,
        (uint64_t) good);
    return good;
}
