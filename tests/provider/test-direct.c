/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The provider in front of the real KVM with nothing in between, as in QEMU: KVM_RUN returns what it always returns. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "check.h"

#define ENTRY 0x1000

static struct {
    int vm, vcpu;
    volatile struct kvm_run *run;
    uint8_t *memory;
} guest;

/* A guest that runs code, with its vCPU at a descriptor of at least lowest. */
static void start(const void *code, size_t size, int lowest)
{
    struct kvm_regs regs = { .rip = ENTRY, .rflags = 2 };
    struct kvm_sregs sregs;

    setenv("BOOTZERO", "boot-zeroed-mem=on", 1);
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    guest.vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    if (guest.vm < 0)
        SKIP("/dev/kvm cannot be used");
    while (kvm < lowest - 1)
        if ((kvm = dup(kvm)) < 0)
            SKIP("so many descriptors are not allowed here");
    guest.vcpu = ioctl(guest.vm, KVM_CREATE_VCPU, 0);
    CHECK(guest.vcpu >= lowest);
    guest.memory = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(guest.memory + ENTRY, code, size);
    struct kvm_userspace_memory_region region = { .memory_size = 1 << 16, .userspace_addr = (uintptr_t)guest.memory };
    CHECK_EQUAL(ioctl(guest.vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
    CHECK_EQUAL(ioctl(guest.vcpu, KVM_GET_SREGS, &sregs), 0);
    sregs.cs.base = sregs.cs.selector = 0;
    CHECK_EQUAL(ioctl(guest.vcpu, KVM_SET_SREGS, &sregs), 0);
    CHECK_EQUAL(ioctl(guest.vcpu, KVM_SET_REGS, &regs), 0);
    guest.run = mmap(NULL, sizeof *guest.run, PROT_READ | PROT_WRITE, MAP_SHARED, guest.vcpu, 0);
    CHECK(guest.run != MAP_FAILED);
}

static const uint8_t writes_to_port[] = { 0xe6, 0x10, 0xeb, 0xfc }; /* again: out 0x10, al; jmp again */
static const uint8_t never_exits[] = { 0xeb, 0xfe };

static void check_exits(int lowest)
{
    start(writes_to_port, sizeof writes_to_port, lowest);
    for (unsigned i = 0; i < 100; i++) {
        errno = ENOENT;
        CHECK_EQUAL(ioctl(guest.vcpu, KVM_RUN, 0), 0);
        CHECK_EQUAL(guest.run->exit_reason, KVM_EXIT_IO);
        CHECK_EQUAL(guest.run->io.port, 0x10);
        CHECK_EQUAL(errno, ENOENT);
    }
}

static void exits(void)
{
    check_exits(0);
}

/* Of so large a descriptor that its page is looked up in the second table. */
static void exits_of_a_far_vcpu(void)
{
    check_exits(600);
}

static void immediate_exit(void)
{
    start(writes_to_port, sizeof writes_to_port, 0);
    CHECK_EQUAL(ioctl(guest.vcpu, KVM_RUN, 0), 0);
    guest.run->immediate_exit = 1;
    for (unsigned i = 0; i < 2; i++) {
        errno = 0;
        CHECK_EQUAL(ioctl(guest.vcpu, KVM_RUN, 0), -1);
        CHECK_EQUAL(errno, EINTR);
    }
    guest.run->immediate_exit = 0;
    CHECK_EQUAL(ioctl(guest.vcpu, KVM_RUN, 0), 0);
}

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    signals++;
}

static void a_signal(void)
{
    const struct sigaction action = { .sa_handler = count_signal };
    const struct itimerval soon = { .it_interval.tv_usec = 20000, .it_value.tv_usec = 20000 };

    start(never_exits, sizeof never_exits, 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    for (unsigned i = 0; i < 3; i++) {
        errno = 0;
        CHECK_EQUAL(ioctl(guest.vcpu, KVM_RUN, 0), -1);
        CHECK_EQUAL(errno, EINTR);
    }
    CHECK(signals >= 3);
}

/* What is no vCPU gets what the kernel says of it. */
static void not_a_vcpu(void)
{
    start(writes_to_port, sizeof writes_to_port, 0);
    errno = 0;
    CHECK_EQUAL(ioctl(guest.vm, KVM_RUN, 0), -1);
    CHECK_EQUAL(errno, ENOTTY);
    CHECK_EQUAL(ioctl(-1, KVM_RUN, 0), -1);
    CHECK_EQUAL(errno, EBADF);
    CHECK_EQUAL(ioctl(1 << 30, KVM_RUN, 0), -1);
    CHECK_EQUAL(errno, EBADF);
}

CHECK_MAIN(CASE(exits), CASE(exits_of_a_far_vcpu), CASE(immediate_exit), CASE(a_signal), CASE(not_a_vcpu))
