/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration space of bus 0 by ports 0xcf8 and 0xcfc: one processor at a time. */
#pragma once
#include "port.h"

static inline uint32_t pci_read(uint32_t device, uint32_t at)
{
    port_write32(0xcf8, 1u << 31 | device << 11 | (at & 0xfc));
    return port_read32(0xcfc);
}

static inline uint8_t pci_read_byte(uint32_t device, uint32_t at)
{
    return (uint8_t) (pci_read(device, at) >> at % 4 * 8);
}

static inline void pci_write_byte(uint32_t device, uint32_t at, uint8_t value)
{
    port_write32(0xcf8, 1u << 31 | device << 11 | (at & 0xfc));
    port_write8((uint16_t) (0xcfc + at % 4), value);
}
