/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtual machine monitor on the real /dev/kvm with the provider in front, as in QEMU, and hyperv-exit.h behind. Its
 * guest runs what it is told: writes, reads, and extended hypercalls.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qemu/abi-hyperv.h"

/* Where the memory that is tried out begins for the guest. */
#define VMM_BASE (16ull << 20)

/* True when there is a usable KVM here; else why not. */
bool vmm_possible(const char **why);

/* KVM_CREATE_VM with BOOTZERO on, before the guest's memory is made. Ends the process when that fails. */
void vmm_create(void);

/* Gives the guest size bytes at memory, in so many slots, and its own low memory; then its registers. */
void vmm_start(void *memory, size_t size, unsigned slots);

/* Takes the slots away and gives them back under other numbers; flags are KVM_MEM_*. */
void vmm_recreate_slots(unsigned flags);

/* As a monitor resets a machine: the registers of its start, then those that its firmware would set. */
void vmm_reset(void);

/* Plugs memory, a little behind the other; NULL takes it away again. */
void vmm_plug(void *memory, size_t size);

/* The guest writes (nonzero) to or reads from the page at VMM_BASE + offset. */
void vmm_guest_writes(uint64_t offset);
void vmm_guest_reads(uint64_t offset);

/* KVM itself writes there: the clock of the guest. False when it has none. */
bool vmm_kvm_writes(uint64_t offset);

/* The guest asks 0x8002 with its output in its low memory, or at VMM_BASE + offset. The status; the answer when 0. */
uint64_t vmm_ask(struct bz_hv_boot_zeroed_memory *answer);
uint64_t vmm_ask_at(uint64_t offset);
