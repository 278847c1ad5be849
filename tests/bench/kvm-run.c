/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the provider costs each KVM_RUN: a guest that exits without pause, run by ioctl(), which the preloaded provider
 * stands before, and by the system call itself, in turn. The exit is looked at as every monitor does.
 *
 *   LD_PRELOAD=bootzero-qemu.so BOOTZERO=boot-zeroed-mem=on kvm-run-bench
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCH 20
#define BATCHES 20000

static void must(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(77);
    }
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* What else the machine does only ever adds time: of many short batches, the tenth part that was disturbed least. */
static double undisturbed(double *values)
{
    qsort(values, BATCHES, sizeof *values, ascending);
    return values[BATCHES / 10];
}

static volatile struct kvm_run *run;

/* Nanoseconds for one KVM_RUN. */
static double run_batch(int vcpu, bool wrapped)
{
    double started = now_ns();

    for (unsigned i = 0; i < BATCH; i++) {
        long result = wrapped ? ioctl(vcpu, KVM_RUN, 0) : syscall(SYS_ioctl, vcpu, KVM_RUN, 0);
        must(result == 0 && run->exit_reason == KVM_EXIT_IO, "KVM_RUN");
    }
    return (now_ns() - started) / BATCH;
}

int main(void)
{
    static const uint8_t code[] = { 0xe6, 0x10, 0xeb, 0xfc }; /* again: out 0x10, al; jmp again */
    static double wrapped[BATCHES], bare[BATCHES];
    struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
    struct kvm_sregs sregs;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    must(kvm >= 0, "kvm-run-bench: /dev/kvm");
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    must(vm >= 0, "kvm-run-bench: KVM_CREATE_VM");
    uint8_t *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED, "memory");
    memcpy(memory + 0x1000, code, sizeof code);
    struct kvm_userspace_memory_region region = { .memory_size = 65536, .userspace_addr = (uintptr_t)memory };
    must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    must(vcpu >= 0 && ioctl(vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_CREATE_VCPU");
    sregs.cs.base = sregs.cs.selector = 0;
    must(ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(vcpu, KVM_SET_REGS, &regs) == 0, "registers");

    run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    must(run != MAP_FAILED, "kvm_run");

    /* Whatever comes first in a round may be at an advantage: it changes. */
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        bool wrapped_first = batch % 2;
        double first = run_batch(vcpu, wrapped_first), second = run_batch(vcpu, !wrapped_first);
        wrapped[batch] = wrapped_first ? first : second;
        bare[batch] = wrapped_first ? second : first;
    }
    double with = undisturbed(wrapped), without = undisturbed(bare);
    fprintf(stderr, "KVM_RUN with one exit: %.1f ns, without the provider %.1f ns\n", with, without);
    printf("[\n  {\"name\": \"kvm-run-ratio\", \"value\": %.4f, \"unit\": \"ratio\", \"goal\": 1.01, \"anchor\": "
           "\"KVM_RUN that nothing stands before\"}\n]\n",
           with / without);
    return 0;
}
