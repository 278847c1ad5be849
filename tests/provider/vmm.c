/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyperv-exit.h"

#define LOW_SIZE (640u << 10)
#define CODE_WRITE 0x1000
#define CODE_READ 0x1100
#define CODE_CALL 0x1200
#define OUTPUT 0x3000
#define DONE_PORT 0x10
#define PLUGGED_SLOT 200
#define PLUGGED_BASE (VMM_BASE + (64ull << 20))
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01

static struct {
    int kvm, vm, vcpu;
    struct kvm_run *run;
    uint8_t *low;
    void *memory;
    size_t size;
    unsigned first_slot, slots;
} vmm;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stdout, "cannot go on: %s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(1);
    }
}

bool vmm_possible(const char **why)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    *why = "/dev/kvm cannot be opened";
    if (kvm < 0)
        return false;
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    *why = "KVM cannot create a VM";
    if (vm >= 0)
        close(vm);
    close(kvm);
    return vm >= 0;
}

void vmm_create(void)
{
    setenv("BOOTZERO", "boot-zeroed-mem=on", 1);
    vmm.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    must(vmm.kvm >= 0, "/dev/kvm");
    vmm.vm = ioctl(vmm.kvm, KVM_CREATE_VM, 0);
    must(vmm.vm >= 0, "KVM_CREATE_VM");
    vmm.vcpu = ioctl(vmm.vm, KVM_CREATE_VCPU, 0);
    must(vmm.vcpu >= 0, "KVM_CREATE_VCPU");
    vmm.run = mmap(NULL, sizeof *vmm.run, PROT_READ | PROT_WRITE, MAP_SHARED, vmm.vcpu, 0);
    must(vmm.run != MAP_FAILED, "mmap of kvm_run");
}

static void set_slot(unsigned id, unsigned flags, uint64_t gpa, uint64_t size, void *host)
{
    struct kvm_userspace_memory_region region = { id, flags, gpa, size, (uintptr_t)host };

    must(ioctl(vmm.vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
}

/* Flat 32-bit segments, no paging. */
static void protected_mode(void)
{
    struct kvm_sregs sregs;
    struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };

    must(ioctl(vmm.vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
    sregs.cr0 |= 1;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.cs = data;
    sregs.cs.selector = 8;
    sregs.cs.type = 11;
    must(ioctl(vmm.vcpu, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
}

/* Runs the code at eip until it tells that it is done. */
static void run(uint32_t eip, uint64_t address)
{
    struct kvm_regs regs = { .rip = eip, .rdi = address, .rax = 0xa5a5a5a5, .rflags = 2 };

    must(ioctl(vmm.vcpu, KVM_SET_REGS, &regs) == 0, "KVM_SET_REGS");
    int done;
    do /* who stops and continues the process interrupts it */
        done = ioctl(vmm.vcpu, KVM_RUN, 0);
    while (done != 0 && errno == EINTR);
    must(done == 0, "KVM_RUN");
    if (vmm.run->exit_reason != KVM_EXIT_IO || vmm.run->io.port != DONE_PORT) {
        fprintf(stdout, "the guest stopped for another reason: %u\n", vmm.run->exit_reason);
        fflush(stdout);
        _exit(1);
    }
}

/* Flags are KVM_MEM_*; size 0 takes them away. */
static void set_slots(unsigned flags, size_t size)
{
    for (unsigned i = 0; i < vmm.slots; i++) {
        size_t offset = vmm.size / vmm.slots * i;
        set_slot(vmm.first_slot + i, flags, VMM_BASE + offset, size / vmm.slots, (uint8_t *)vmm.memory + offset);
    }
}

void vmm_start(void *memory, size_t size, unsigned slots)
{
    static const uint8_t write[] = { 0x89, 0x07, 0xe6, DONE_PORT, 0xf4 };             /* mov [edi], eax; out; hlt */
    static const uint8_t read[] = { 0x8b, 0x07, 0xe6, DONE_PORT, 0xf4 };              /* mov eax, [edi]; out; hlt */
    static const uint8_t call[] = { 0xe6, HYPERV_EXIT_PORT, 0xe6, DONE_PORT, 0xf4 }; /* out; out; hlt */

    vmm.low = mmap(NULL, LOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(vmm.low != MAP_FAILED, "low memory");
    memcpy(vmm.low + CODE_WRITE, write, sizeof write);
    memcpy(vmm.low + CODE_READ, read, sizeof read);
    memcpy(vmm.low + CODE_CALL, call, sizeof call);
    vmm.memory = memory;
    vmm.size = size;
    vmm.first_slot = 1;
    vmm.slots = slots;
    set_slot(0, 0, 0, LOW_SIZE, vmm.low);
    set_slots(0, size);
    protected_mode();
    run(CODE_READ, 0x1000);
}

void vmm_recreate_slots(unsigned flags)
{
    set_slots(0, 0);
    vmm.first_slot = vmm.first_slot % 100 + 1;
    set_slots(flags, vmm.size);
}

void vmm_reset(void)
{
    struct kvm_sregs sregs;

    must(ioctl(vmm.vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
    sregs.cr0 &= ~1ull;
    sregs.cs.selector = 0xf000;
    sregs.cs.base = 0xffff0000;
    must(ioctl(vmm.vcpu, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
    vmm_recreate_slots(0);
    protected_mode();
    run(CODE_READ, 0x1000);
}

void vmm_plug(void *memory, size_t size)
{
    set_slot(PLUGGED_SLOT, 0, PLUGGED_BASE, memory ? size : 0, memory);
}

void vmm_guest_writes(uint64_t offset)
{
    run(CODE_WRITE, VMM_BASE + offset);
}

void vmm_guest_reads(uint64_t offset)
{
    run(CODE_READ, VMM_BASE + offset);
}

bool vmm_kvm_writes(uint64_t offset)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } msrs = { .head.nmsrs = 1, .entry = { .index = MSR_KVM_SYSTEM_TIME_NEW, .data = (VMM_BASE + offset) | 1 } };

    if (ioctl(vmm.vcpu, KVM_SET_MSRS, &msrs) != 1)
        return false;
    run(CODE_READ, 0x1000);
    /* Left on, it would write again whenever the vCPU comes to another processor. */
    msrs.entry.data = 0;
    return ioctl(vmm.vcpu, KVM_SET_MSRS, &msrs) == 1;
}

static uint64_t ask(uint64_t gpa)
{
    hyperv_exit_prepare(BZ_HV_GET_BOOT_ZEROED_MEMORY, gpa);
    run(CODE_CALL, 0);
    return hyperv_exit_result();
}

uint64_t vmm_ask(struct bz_hv_boot_zeroed_memory *answer)
{
    uint64_t status = ask(OUTPUT);

    memcpy(answer, vmm.low + OUTPUT, sizeof *answer);
    return status;
}

uint64_t vmm_ask_at(uint64_t offset)
{
    return ask(VMM_BASE + offset);
}
