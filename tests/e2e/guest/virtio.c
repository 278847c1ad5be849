/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Just enough of a driver: one virtio device of PCI bus 0 with one of its queues, polled.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, 2.7 "Split Virtqueues", 4.1 "Virtio Over PCI Bus".
 */
#include "guest.h"
#include "pci.h"
#include "virtio.h"

#define PCI_COMMAND 0x04
#define PCI_COMMAND_ON 6 /* memory, and its own access to ours */
#define PCI_BARS 0x10
#define PCI_SUBSYSTEM 0x2c
#define PCI_CAPABILITIES 0x34
#define PCI_VENDOR_SPECIFIC 9
#define VENDOR_VIRTIO 0x1af4

#define STRUCTURE_COMMON 1
#define STRUCTURE_NOTIFY 2
#define STRUCTURE_DEVICE 4

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define FEATURE_VERSION_1_HIGH 1u /* bit 32 */
#define FEATURE_PLATFORM_HIGH 2u  /* bit 33: addresses that an IOMMU translates */

#define PATIENCE 200000000000ul /* ticks */

#define MORE_FOLLOWS 1
#define DEVICE_WRITES 2

typedef struct {
    volatile uint32_t device_feature_select, device_feature, driver_feature_select, driver_feature;
    volatile uint16_t msix, queues;
    volatile uint8_t status, generation;
    volatile uint16_t queue_select, queue_size, queue_msix, queue_enable, queue_notify_at;
    volatile uint32_t descriptors[2], available[2], used[2];
} Common;

static struct {
    struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, next;
    } descriptor[VIRTIO_QUEUE];
    volatile uint16_t available_flags, available_index, available[VIRTIO_QUEUE];
    volatile uint16_t used_flags __attribute__((aligned(4))), used_index;
    volatile uint32_t used[VIRTIO_QUEUE * 2];
} queue __attribute__((aligned(4096)));

static Common *common;
static volatile uint16_t *bell;
static volatile uint8_t *registers;
static uint16_t number;
static unsigned descriptors;

/* Devices of before version 1 say their type in another place. */
static bool is_type(unsigned device, unsigned type)
{
    uint32_t id = pci_read(device, 0);

    if ((id & 0xffff) != VENDOR_VIRTIO)
        return false;
    return id >> 16 == 0x1040 + type || (id >> 16 < 0x1040 && pci_read(device, PCI_SUBSYSTEM) >> 16 == type);
}

/* Where a structure of the device is in memory; 0 when that is not mapped. */
static uint64_t structure_at(unsigned device, unsigned capability)
{
    unsigned bar = PCI_BARS + 4 * (pci_read(device, capability + 4) & 7);
    uint32_t low = pci_read(device, bar);
    uint64_t address = low & ~15u;

    if ((low & 6) == 4)
        address |= (uint64_t) pci_read(device, bar + 4) << 32;
    address += pci_read(device, capability + 8);
    return memory_map((address | 4095) + 1) ? address : 0;
}

static void find_structures(unsigned device)
{
    uint64_t notify = 0;
    uint32_t multiplier = 0;

    for (unsigned at = pci_read(device, PCI_CAPABILITIES) & 0xfc; at != 0;) {
        uint32_t head = pci_read(device, at);
        unsigned structure = head >> 24;

        if ((head & 0xff) == PCI_VENDOR_SPECIFIC && structure == STRUCTURE_COMMON)
            common = (Common *) structure_at(device, at);
        if ((head & 0xff) == PCI_VENDOR_SPECIFIC && structure == STRUCTURE_DEVICE)
            registers = (volatile uint8_t *) structure_at(device, at);
        if ((head & 0xff) == PCI_VENDOR_SPECIFIC && structure == STRUCTURE_NOTIFY) {
            notify = structure_at(device, at);
            multiplier = pci_read(device, at + 16);
        }
        at = head >> 8 & 0xfc;
    }
    if (common == NULL || notify == 0)
        return;
    common->queue_select = number;
    bell = (volatile uint16_t *) (notify + (uint64_t) common->queue_notify_at * multiplier);
}

static void set_address(volatile uint32_t *low_and_high, const volatile void *at)
{
    low_and_high[0] = (uint32_t) (uint64_t) at;
    low_and_high[1] = (uint32_t) ((uint64_t) at >> 32);
}

static bool start_device(uint32_t features)
{
    common->status = 0;
    while (common->status != 0)
        ;
    common->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    common->device_feature_select = 0;
    features &= common->device_feature;
    common->driver_feature_select = 0;
    common->driver_feature = features;
    common->driver_feature_select = 1;
    common->device_feature_select = 1;
    common->driver_feature = common->device_feature & (FEATURE_VERSION_1_HIGH | FEATURE_PLATFORM_HIGH);
    common->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
    if ((common->status & STATUS_FEATURES_OK) == 0)
        return false;
    common->queue_select = number;
    if (common->queue_size < VIRTIO_QUEUE)
        return false;
    memset(&queue, 0, sizeof(queue));
    descriptors = 0;
    common->queue_size = VIRTIO_QUEUE;
    set_address(common->descriptors, queue.descriptor);
    set_address(common->available, &queue.available_flags);
    set_address(common->used, &queue.used_flags);
    common->queue_enable = 1;
    common->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
    return true;
}

bool virtio_open(unsigned type, uint32_t features, unsigned queue_number)
{
    common = NULL;
    bell = NULL;
    registers = NULL;
    number = (uint16_t) queue_number;
    for (unsigned device = 0; device < 32 && bell == NULL; device++) {
        if (!is_type(device, type))
            continue;
        pci_write_byte(device, PCI_COMMAND, PCI_COMMAND_ON);
        find_structures(device);
    }
    if (bell != NULL && start_device(features))
        return true;
    out("error text=\"no virtio device of type %lu with queue %lu\"\n", (uint64_t) type, (uint64_t) queue_number);
    return false;
}

uint64_t virtio_register(unsigned at)
{
    const volatile uint32_t *low = (const volatile uint32_t *) (registers + at);

    return low[0] | (uint64_t) low[1] << 32;
}

void virtio_offer(const VirtioPart *parts, unsigned count)
{
    unsigned head = descriptors % VIRTIO_QUEUE;

    for (unsigned i = 0; i < count; i++) {
        unsigned at = descriptors++ % VIRTIO_QUEUE;

        queue.descriptor[at].address = (uint64_t) parts[i].at;
        queue.descriptor[at].length = parts[i].size;
        queue.descriptor[at].flags =
            (uint16_t) ((parts[i].device_writes ? DEVICE_WRITES : 0) | (i + 1 < count ? MORE_FOLLOWS : 0));
        queue.descriptor[at].next = (uint16_t) (descriptors % VIRTIO_QUEUE);
    }
    queue.available[queue.available_index % VIRTIO_QUEUE] = (uint16_t) head;
    __asm__ volatile("mfence" : : : "memory");
    queue.available_index++;
    __asm__ volatile("mfence" : : : "memory");
}

bool virtio_finish(void)
{
    uint64_t begin = read_tsc();

    *bell = number;
    while (queue.used_index != queue.available_index) {
        if (read_tsc() - begin > PATIENCE) {
            out("error text=\"the virtio device does nothing\"\n");
            return false;
        }
        __asm__ volatile("pause" : : : "memory");
    }
    return true;
}

bool virtio_send(const VirtioPart *parts, unsigned count)
{
    virtio_offer(parts, count);
    return virtio_finish();
}
