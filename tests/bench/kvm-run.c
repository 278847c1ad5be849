/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the provider costs each KVM_RUN: a guest that exits without pause, by the cheapest exit that reaches a monitor,
 * run through ioctl(), which the preloaded provider stands before, and through libc's own, in turn. The vCPU has a thread
 * and the exit is looked at, as in every monitor.
 *
 *   LD_PRELOAD=bootzero-qemu.so BOOTZERO=boot-zeroed-mem=on kvm-run-bench
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sample.h"

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

static double median(double *values)
{
    return bz_sample(values, BATCHES, BATCHES / 2);
}

typedef int ioctl_function(int fd, unsigned long request, ...);
static ioctl_function *bare_ioctl;
static volatile struct kvm_run *run;
static int vcpu;

/* Nanoseconds for one KVM_RUN. */
static double run_batch(ioctl_function *function)
{
    double started = now_ns();

    for (unsigned i = 0; i < BATCH; i++)
        must(function(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_IO, "KVM_RUN");
    return (now_ns() - started) / BATCH;
}

/*
 * Each short batch is compared with its neighbour, so what else the machine does falls on both. Whatever comes first
 * may be at an advantage: that changes.
 */
static void *measure(void *unused)
{
    static double wrapped[BATCHES], bare[BATCHES], ratio[BATCHES];

    for (unsigned batch = 0; batch < BATCHES; batch++) {
        bool wrapped_first = batch % 2;
        double first = run_batch(wrapped_first ? ioctl : bare_ioctl);
        double second = run_batch(wrapped_first ? bare_ioctl : ioctl);
        wrapped[batch] = wrapped_first ? first : second;
        bare[batch] = wrapped_first ? second : first;
        ratio[batch] = wrapped[batch] / bare[batch];
    }
    fprintf(stderr, "KVM_RUN with one exit: %.1f ns, without the provider %.1f ns\n", median(wrapped), median(bare));
    printf("[\n  {\"name\": \"kvm-run-ratio\", \"value\": %.4f, \"unit\": \"ratio\", \"goal\": 1.01, \"anchor\": "
           "\"KVM_RUN by libc's ioctl(), with the cheapest exit\"}\n]\n",
           median(ratio));
    return NULL;
}

int main(void)
{
    static const uint8_t code[] = { 0xe6, 0x10, 0xeb, 0xfc }; /* again: out 0x10, al; jmp again */
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
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    must(vcpu >= 0 && ioctl(vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_CREATE_VCPU");
    sregs.cs.base = sregs.cs.selector = 0;
    must(ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(vcpu, KVM_SET_REGS, &regs) == 0, "registers");

    run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    must(run != MAP_FAILED, "kvm_run");

    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    bare_ioctl = libc ? (ioctl_function *)dlsym(libc, "ioctl") : NULL;
    if (bare_ioctl == NULL || bare_ioctl == ioctl) {
        fprintf(stderr, "kvm-run-bench: the provider is not preloaded\n");
        return 77;
    }
    pthread_t thread;
    must(pthread_create(&thread, NULL, measure, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
    return 0;
}
