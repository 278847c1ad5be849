/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a PVH kernel is told by who starts it. Source: xen/include/public/arch-x86/hvm/start_info.h, version 1. */
#pragma once
#include <stdint.h>

#define START_MAGIC 0x336ec578
#define TYPE_RAM 1
#define TYPE_RESERVED 2

typedef struct {
    uint32_t magic, version, flags, modules;
    uint64_t modules_at, command_line_at, rsdp_at, map_at;
    uint32_t map_entries, reserved;
} StartInfo;

typedef struct {
    uint64_t address, size;
    uint32_t type, reserved;
} MapEntry;
