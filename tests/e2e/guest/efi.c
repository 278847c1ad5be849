/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "efi.h"
#include "port.h"
#include "start-info.h"
#include <stdbool.h>
#include <stddef.h>

#define PAGE_SIZE 4096ul
#define IMAGE_AT 0x100000ul       /* as guest.lds says */
#define ENTRY_IN_IMAGE 16         /* of the note that begins the image: where PVH enters */
#define ALLOCATE_BELOW 1
#define ALLOCATE_THERE 2
#define LOADER_DATA 2
#define BOOT_SERVICES_DATA 4
#define CONVENTIONAL 7
#define LOW_END 0x9ffff
#define COM1 0x3f8

/* What is handed over, in low memory, which the guest leaves alone. */
typedef struct {
    StartInfo start;
    char command_line[1024];
    uint8_t descend[256];
    MapEntry map[200];
} Handover;

EfiStatus EFIAPI efi_main(EfiHandle image, EfiSystemTable *system);

static uint8_t map_buffer[65536] __attribute__((aligned(16)));

static void fail(const char *text) __attribute__((noreturn));
static void fail(const char *text)
{
    for (; *text != '\0'; text++)
        port_write8(COM1, (uint8_t) *text);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void copy(void *to, const void *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void clear(void *at, size_t size)
{
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(0) : "memory");
}

static void copy_command_line(EfiBootServices *boot, EfiHandle image, char *text, size_t size)
{
    static const uint32_t loaded_image_guid[4] = {0x5b1b31a1, 0x11d29562, 0xa0003f8e, 0x3b7269c9};
    EfiLoadedImage *loaded;
    size_t length = 0;

    if (boot->handle_protocol(image, loaded_image_guid, (void **) &loaded) != 0)
        fail("efi: no loaded image\n");
    while (length < size - 1 && length < loaded->options_size / 2 && loaded->options[length] != 0) {
        text[length] = (char) loaded->options[length];
        length++;
    }
    text[length] = '\0';
}

/* Loader's and boot services' memory is free once boot services have ended. Attributes of the rest do not matter. */
static bool is_free(uint32_t type)
{
    return type >= 1 && (type <= BOOT_SERVICES_DATA || type == CONVENTIONAL);
}

static void end_boot_services(EfiBootServices *boot, EfiHandle image, Handover *handover)
{
    uint64_t size, key, one;
    uint32_t version;
    unsigned tries = 0;

    do {
        size = sizeof map_buffer;
        if (boot->get_memory_map(&size, map_buffer, &key, &one, &version) != 0)
            fail("efi: no memory map\n");
    } while (boot->exit_boot_services(image, key) != 0 && ++tries < 3);
    if (tries == 3)
        fail("efi: boot services do not end\n");

    for (uint64_t at = 0; at < size; at += one) {
        const EfiMemory *memory = (const EfiMemory *) (map_buffer + at);
        uint32_t type = is_free(memory->type) ? TYPE_RAM : TYPE_RESERVED;
        MapEntry *last = &handover->map[handover->start.map_entries - 1];

        if (handover->start.map_entries > 0 && last->type == type && last->address + last->size == memory->address) {
            last->size += memory->pages * PAGE_SIZE;
            continue;
        }
        if (handover->start.map_entries == sizeof handover->map / sizeof handover->map[0])
            fail("efi: the memory map is too long\n");
        handover->map[handover->start.map_entries++] =
            (MapEntry) {memory->address, memory->pages * PAGE_SIZE, type, 0};
    }
}

EfiStatus EFIAPI efi_main(EfiHandle image, EfiSystemTable *system)
{
    EfiBootServices *boot = system->boot;
    uint64_t image_at = IMAGE_AT, low = LOW_END;
    Handover *handover;

    /* Of the MiB that the image, its zeroed memory and page tables have by guest.lds. */
    if (boot->allocate_pages(ALLOCATE_THERE, LOADER_DATA, IMAGE_AT / PAGE_SIZE, &image_at) != 0)
        fail("efi: the guest's memory is in use\n");
    if (boot->allocate_pages(ALLOCATE_BELOW, LOADER_DATA, (sizeof *handover + PAGE_SIZE - 1) / PAGE_SIZE, &low) != 0)
        fail("efi: no low memory\n");
    handover = (Handover *) low;
    clear(handover, sizeof *handover);
    handover->start.magic = START_MAGIC;
    handover->start.version = 1;
    handover->start.command_line_at = (uint64_t) handover->command_line;
    handover->start.map_at = (uint64_t) handover->map;
    copy_command_line(boot, image, handover->command_line, sizeof handover->command_line);
    copy(handover->descend, descend_start, (size_t) (descend_end - descend_start));
    end_boot_services(boot, image, handover);

    __asm__ volatile("cli");
    copy((void *) image_at, blob_start, (size_t) (blob_end - blob_start));
    ((Descend *) (uint64_t) handover->descend)((uint32_t) low, *(uint32_t *) (image_at + ENTRY_IN_IMAGE));
    __builtin_unreachable();
}
