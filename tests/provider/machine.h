/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtual machine monitor as small as can be, on the fake KVM, with the provider in between as in QEMU. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "fake-kvm.h"
#include "qemu/abi-hyperv.h"

#define KIB 1024ull
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define PAGE 4096u

/* Result of a call that the provider did not answer: it reached the monitor. */
#define REACHED_MONITOR UINT64_MAX
/* Result of a call during which KVM_RUN failed; errno tells. */
#define RUN_FAILED (UINT64_MAX - 1)

struct machine {
    int kvm, vm, vcpu;
    struct kvm_run *run; /* the monitor's own mapping */
    uint8_t *ram;        /* one block, private anonymous, small pages */
    size_t ram_size;
};

extern struct machine machine;

/* Sets BOOTZERO (NULL: unset) and creates VM and vCPU. Stops the test when that fails. stderr is captured from here. */
void machine_create(const char *bootzero);

/* Memory as a monitor would give to a guest. */
uint8_t *machine_memory(size_t size);

/* KVM_SET_USER_MEMORY_REGION; returns what it returns. */
int machine_slot(uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size, const void *host);

/* KVM_SET_CPUID2 with Hyper-V's leaves and 40 bits of physical address. */
void machine_cpuid(void);

/*
 * The usual machine: BOOTZERO as given, CPUID, RAM of size bytes at 0 with a hole for video memory below 1 MiB (slots 0
 * and 1), and the registers loaded.
 */
void machine_start(const char *bootzero, size_t size);

/* The guest issues a call and the monitor runs it until it sees an exit. Returns rax, or one of the two above. */
uint64_t machine_call(uint64_t input, uint64_t output_gpa);
uint64_t machine_call_on(int vcpu, uint64_t input, uint64_t output_gpa);

/* What HvExtCallGetBootZeroedMemory wrote, copied from the RAM block; gpa must be RAM of machine_start. */
struct bz_hv_boot_zeroed_memory machine_answer(uint64_t gpa);

/* The bytes the answer reports in [start, end). */
uint64_t machine_reported(const struct bz_hv_boot_zeroed_memory *answer, uint64_t start, uint64_t end);

/*
 * Every reported range is whole, apart from the others, and never below 1 MiB; each page of it in the RAM block (by the
 * usual layout) is zero; the rest of the answer is zero. Then: asks once more at output_gpa and checks that exactly the
 * pages of RAM for which written(page) is false are reported, the output page excepted.
 */
void machine_check_answer(const struct bz_hv_boot_zeroed_memory *answer);
void machine_expect_exactly(uint64_t output_gpa, bool (*written)(uint64_t page));

/* What the provider wrote to stderr so far. */
const char *machine_log(void);
