/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bootzero-qemu.so: lets an unmodified QEMU tell its guest which memory is still zero.
 *
 * Theory of operation
 *
 * The object is preloaded into QEMU and stands between it and the kernel at one place, ioctl(). Seeing a handful of
 * KVM's requests is enough:
 *
 *   KVM_CREATE_VM                reads BOOTZERO; opens /proc/self/pagemap and maps     vm.c config.c self.c
 *   KVM_CREATE_VCPU              maps the page in which KVM tells why a vCPU stopped   vcpu.c
 *   KVM_SET_CPUID2               offers the guest extended hypercalls                  cpuid.c
 *   KVM_SET_USER_MEMORY_REGION   keeps the table: guest address -> host address        slots.c
 *   KVM_SET_REGS                 the machine is complete: its memory is boot memory    vm.c span.c
 *   KVM_SET_SREGS                the machine is reset: who boots now may ask again     vm.c events.c
 *   UFFDIO_REGISTER, UNREGISTER  memory filled on demand: absent is not zero there     vm.c
 *   KVM_RUN                      answers the two hypercalls and runs on                below, guest.c
 *
 * A guest that issues HvExtCallGetBootZeroedMemory leaves KVM_RUN with KVM_EXIT_HYPERV. QEMU would answer "invalid
 * code"; here the call is checked (hypercall.c) and the answer found (answer.c) by asking, for each slot of boot
 * memory, what kind of memory it is (mapping.c), and the kernel's page tables which of its pages were never written
 * (scan.h, scan-*.c). A page that is neither present nor swapped out reads zero, whoever might have written it. The 255
 * largest ranges (ranges.c) are written to the guest's output page, and the vCPU goes on. QEMU never knows.
 *
 * Memory that QEMU populates in advance, by madvise(MADV_POPULATE_WRITE), is always present. It is write-protected at
 * that moment, in a way that lets every write pass and notes it (write-protect.h).
 *
 * Nothing is kept between calls: there is no bitmap that could become wrong. A second call, a reset, a balloon, an
 * incoming migration all get the truth of that moment. Between calls the cost is the switch below and, for KVM_RUN,
 * four loads.
 *
 * How far the guest has come is told to whoever asks, by a thread of its own behind a Unix socket (endpoint.c, events.c).
 *
 * What cannot be judged is left out, with a reason in the domain's log (log.c). docs/architecture/provider.md has the
 * rules and where they come from.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "qemu/abi-kvm.h"
#include "qemu/vcpu.h"
#include "qemu/vm.h"

typedef int ioctl_function(int fd, unsigned long request, ...);
typedef int madvise_function(void *start, size_t size, int advice);

/* Found at the first call: constructors of other libraries may run, and call ioctl, before any of ours. */
static ioctl_function *find_ioctl(void)
{
    ioctl_function *found = (ioctl_function *)dlsym(RTLD_NEXT, "ioctl");
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    if (found == NULL)
        abort(); /* a process without libc */
    /* Whoever else was preloaded, behind this library, is called. libc would do no more than enter_kernel() does. */
    if (libc && found == (ioctl_function *)dlsym(libc, "ioctl"))
        atomic_store_explicit(&bz_hot.next_is_libc, true, memory_order_relaxed);
    if (libc)
        dlclose(libc);
    atomic_store_explicit(&bz_hot.next_ioctl, found, memory_order_release);
    return found;
}

static ioctl_function *next_ioctl(void)
{
    ioctl_function *next = atomic_load_explicit(&bz_hot.next_ioctl, memory_order_acquire);

    return next ? next : find_ioctl();
}

/*
 * The system call. After an exit of the guest the processor predicts no return and has lost the pages of code it knew:
 * to go through libc cost each KVM_RUN 40 ns, and all the rest here costs 20.
 */
static inline int enter_kernel(int fd, unsigned long request, void *argument)
{
    long result = SYS_ioctl;

    __asm__ volatile("syscall" : "+a"(result) : "D"(fd), "S"(request), "d"(argument) : "rcx", "r11", "memory");
    if (result >= 0)
        return (int)result;
    errno = (int)-result;
    return -1;
}

/*
 * KVM_RUN: answers the offered calls and goes on running; every other return is the caller's. Part of ioctl() below,
 * because what is called and touched around an exit of the guest is what standing here costs.
 */
static inline int run(int fd, unsigned long request, void *argument)
{
    struct kvm_run *vcpu = bz_vcpu_find(fd);

    if (vcpu == NULL)
        return next_ioctl()(fd, request, argument);
    if (!atomic_load_explicit(&bz_hot.has_run, memory_order_relaxed))
        bz_vm_begin_to_run();
    for (;;) {
        int result = atomic_load_explicit(&bz_hot.next_is_libc, memory_order_relaxed)
                         ? enter_kernel(fd, request, argument)
                         : next_ioctl()(fd, request, argument);
        /* KVM_RUN again delivers the answer. A signal or immediate_exit ends that one with EINTR, as QEMU expects. */
        if (result != 0 || vcpu->exit_reason != KVM_EXIT_HYPERV || !bz_vm_answer(vcpu))
            return result;
    }
}

/* Every other request. Apart, so that KVM_RUN saves no register for it. */
static __attribute__((noinline)) int watch(int fd, unsigned long request, void *argument)
{
    struct bz_ioctl call = { next_ioctl(), fd, request, argument };

    /* Requests are 32 bits; QEMU passes some through an int, which extends the sign. */
    switch ((uint32_t)request) {
    case KVM_CREATE_VM:
        return bz_vm_create(&call);
    case KVM_CREATE_VCPU:
        return bz_vm_create_vcpu(&call);
    case KVM_SET_CPUID2:
        return bz_vm_set_cpuid(&call);
    case KVM_SET_REGS:
        return bz_vm_set_regs(&call);
    case KVM_SET_SREGS:
    case KVM_SET_SREGS2:
        return bz_vm_set_sregs(&call);
    case KVM_SET_USER_MEMORY_REGION:
    case KVM_SET_USER_MEMORY_REGION2:
        return bz_vm_set_memory(&call);
    case KVM_MEMORY_ENCRYPT_OP:
        return bz_vm_encrypt(&call);
    case UFFDIO_REGISTER:
        return bz_vm_register_userfaults(&call);
    case UFFDIO_UNREGISTER:
        return bz_vm_unregister_userfaults(&call);
    default:
        return bz_pass(&call);
    }
}

__attribute__((visibility("default"), hot)) int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return (uint32_t)request == KVM_RUN ? run(fd, request, argument) : watch(fd, request, argument);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

__attribute__((visibility("default"))) int madvise(void *start, size_t size, int advice)
{
    static madvise_function *_Atomic next;
    madvise_function *found = atomic_load_explicit(&next, memory_order_relaxed);

    if (found == NULL) {
        found = (madvise_function *)dlsym(RTLD_NEXT, "madvise");
        if (found == NULL)
            abort(); /* a process without libc */
        atomic_store_explicit(&next, found, memory_order_relaxed);
    }
    return advice == MADV_POPULATE_WRITE ? bz_vm_populate(found, start, size, advice) : found(start, size, advice);
}
