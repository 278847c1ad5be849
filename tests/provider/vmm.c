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

static struct {
    int kvm, vm, vcpu;
    struct kvm_run *run;
    uint8_t *low;
    void *memory;
    size_t size;
    unsigned slot;
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
    must(ioctl(vmm.vcpu, KVM_RUN, 0) == 0, "KVM_RUN");
    if (vmm.run->exit_reason != KVM_EXIT_IO || vmm.run->io.port != DONE_PORT) {
        fprintf(stdout, "the guest stopped for another reason: %u\n", vmm.run->exit_reason);
        fflush(stdout);
        _exit(1);
    }
}

void vmm_start(void *memory, size_t size)
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
    vmm.slot = 1;
    set_slot(0, 0, 0, LOW_SIZE, vmm.low);
    set_slot(vmm.slot, 0, VMM_BASE, size, memory);
    protected_mode();
    run(CODE_READ, 0x1000);
}

void vmm_recreate_slot(unsigned flags)
{
    set_slot(vmm.slot, 0, VMM_BASE, 0, NULL);
    vmm.slot = vmm.slot % 100 + 1;
    set_slot(vmm.slot, flags, VMM_BASE, vmm.size, vmm.memory);
}

void vmm_guest_writes(uint64_t offset)
{
    run(CODE_WRITE, VMM_BASE + offset);
}

void vmm_guest_reads(uint64_t offset)
{
    run(CODE_READ, VMM_BASE + offset);
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
