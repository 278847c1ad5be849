/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same guest as an EFI application, for firmware that boots no other kernel (-kernel with OVMF): it asks the
 * firmware for the memory map, ends its boot services, puts the guest where it is linked to be and enters it as PVH
 * does. Sources: UEFI specification 2.10, chapters 2.3.4, 4.3, 7.2, 7.4, 9.1.
 */
#pragma once
#include <stdint.h>

#pragma GCC visibility push(hidden)
/* The guest's image as it lies in memory, without its last zeroes. */
extern const uint8_t blob_start[], blob_end[];
/* efi.S: code and its table of segments that run wherever they are copied to below 4 GiB: to 32-bit mode, then to entry. */
extern const uint8_t descend_start[], descend_end[];
typedef void Descend(uint32_t start_info, uint32_t entry);
#pragma GCC visibility pop

#define EFIAPI __attribute__((ms_abi))

typedef uint64_t EfiStatus;
typedef void *EfiHandle;

typedef struct {
    uint32_t type, padding;
    uint64_t address, virtual_address, pages, attribute;
} EfiMemory;

typedef struct {
    uint64_t header[3];
    void *raise_tpl, *restore_tpl;
    EfiStatus(EFIAPI *allocate_pages)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address);
    void *free_pages;
    EfiStatus(EFIAPI *get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *one, uint32_t *version);
    void *allocate_pool, *free_pool, *events[6], *interfaces[3];
    EfiStatus(EFIAPI *handle_protocol)(EfiHandle handle, const void *guid, void **interface);
    void *reserved, *others[8];
    EfiStatus(EFIAPI *exit_boot_services)(EfiHandle image, uint64_t key);
} EfiBootServices;

typedef struct {
    uint64_t header[3];
    void *vendor;
    uint64_t revision;
    void *console[6], *runtime;
    EfiBootServices *boot;
} EfiSystemTable;

typedef struct {
    uint64_t revision;
    void *parent, *system, *device, *path, *reserved;
    uint32_t options_size, padding;
    const uint16_t *options;
} EfiLoadedImage;
