/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-kvm.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qemu/abi-kvm.h"
#include "qemu/abi-pagemap.h"

#define EXPORT __attribute__((visibility("default")))
#define MAX_FD 4096
#define MAX_SLOTS 32764
#define RUN_SIZE 12288

enum kind { NOT_OURS, SYSTEM, VM, VCPU };

struct slot {
    uint32_t id;
    uint64_t gpa, size;
};

static struct {
    _Atomic(enum kind) kind;
    struct kvm_run *run;
    struct kvm_cpuid2 *cpuid;
} files[MAX_FD];

/* Of all VMs together: the tests have one that matters. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[MAX_SLOTS];
static unsigned n_slots;
static struct {
    unsigned request, count;
    int fail;
} seen[64];
static bool no_hyperv;
static unsigned scans_left, failed_scans;
static int scan_error;
static fake_guest *guest;
static void *guest_opaque;

EXPORT void fake_kvm_set_guest(fake_guest *function, void *opaque)
{
    guest = function;
    guest_opaque = opaque;
}

EXPORT void fake_kvm_set_hyperv(bool on)
{
    no_hyperv = !on;
}

static unsigned seen_index(unsigned request)
{
    unsigned i = 0;

    while (seen[i].request != request && seen[i].request != 0)
        i++;
    seen[i].request = request;
    return i;
}

EXPORT void fake_kvm_fail_once(unsigned request, int error)
{
    pthread_mutex_lock(&lock);
    seen[seen_index(request)].fail = error;
    pthread_mutex_unlock(&lock);
}

EXPORT unsigned fake_kvm_count(unsigned request)
{
    pthread_mutex_lock(&lock);
    unsigned count = seen[seen_index(request)].count;
    pthread_mutex_unlock(&lock);
    return count;
}

EXPORT const struct kvm_cpuid2 *fake_kvm_cpuid(int vcpu_fd)
{
    return files[vcpu_fd].cpuid;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int new_file(enum kind kind)
{
    int fd = memfd_create("fake-kvm", MFD_CLOEXEC);

    if (fd < 0 || fd >= MAX_FD)
        abort();
    if (kind == VCPU) {
        if (ftruncate(fd, RUN_SIZE) != 0)
            abort();
        files[fd].run = mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    files[fd].kind = kind;
    return fd;
}

/* As kvm_set_memory_region(): numbers and alignment, deletion, overlap. */
static int set_memory(const struct kvm_userspace_memory_region *region)
{
    if ((region->guest_phys_addr | region->memory_size | region->userspace_addr) % 4096)
        return fail(EINVAL);
    unsigned at = 0;
    while (at < n_slots && slots[at].id != region->slot)
        at++;
    if (region->memory_size == 0) {
        if (at == n_slots)
            return fail(EINVAL);
        slots[at] = slots[--n_slots];
        return 0;
    }
    for (unsigned i = 0; i < n_slots; i++) {
        if (i == at || slots[i].id >> 16 != region->slot >> 16)
            continue;
        if (region->guest_phys_addr < slots[i].gpa + slots[i].size &&
            slots[i].gpa < region->guest_phys_addr + region->memory_size)
            return fail(EEXIST);
    }
    /* Only deletion may change the size of a slot that is there. */
    if (at < n_slots && slots[at].size != region->memory_size)
        return fail(EINVAL);
    if (at == MAX_SLOTS)
        return fail(EINVAL);
    slots[at] = (struct slot){ region->slot, region->guest_phys_addr, region->memory_size };
    if (at == n_slots)
        n_slots++;
    return 0;
}

static int set_cpuid(int fd, const struct kvm_cpuid2 *cpuid)
{
    size_t size = sizeof *cpuid + cpuid->nent * sizeof cpuid->entries[0];

    free(files[fd].cpuid);
    files[fd].cpuid = malloc(size);
    memcpy(files[fd].cpuid, cpuid, size);
    return 0;
}

static int run_vcpu(int fd)
{
    struct kvm_run *run = files[fd].run;

    if (*(volatile uint8_t *)&run->immediate_exit) {
        run->exit_reason = KVM_EXIT_INTR;
        return fail(EINTR);
    }
    int error = guest(fd, run, guest_opaque);
    return error ? fail(error) : 0;
}

static int play(int fd, enum kind kind, unsigned request, void *argument)
{
    int result = 0;

    if (kind == VCPU && request == KVM_RUN)
        return run_vcpu(fd);
    pthread_mutex_lock(&lock);
    if (kind == SYSTEM && request == KVM_CREATE_VM)
        result = new_file(VM);
    else if (kind == SYSTEM && request == KVM_CHECK_EXTENSION)
        result = (uintptr_t)argument == KVM_CAP_HYPERV && !no_hyperv;
    else if (kind == VM && request == KVM_CREATE_VCPU)
        result = new_file(VCPU);
    else if (kind == VM && (request == KVM_SET_USER_MEMORY_REGION || request == KVM_SET_USER_MEMORY_REGION2))
        result = set_memory(argument);
    else if (kind == VCPU && request == KVM_SET_CPUID2)
        result = set_cpuid(fd, argument);
    else if (!(kind == VCPU && (request == KVM_SET_REGS || request == KVM_SET_SREGS)) &&
             !(kind == VM && request == KVM_MEMORY_ENCRYPT_OP))
        result = fail(ENOTTY);
    pthread_mutex_unlock(&lock);
    return result;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);

    pthread_mutex_lock(&lock);
    unsigned at = seen_index((unsigned)request);
    seen[at].count++;
    int error = seen[at].fail;
    seen[at].fail = 0;
    pthread_mutex_unlock(&lock);
    if (error)
        return fail(error);

    enum kind kind = fd >= 0 && fd < MAX_FD ? files[fd].kind : NOT_OURS;
    if (kind == NOT_OURS)
        return (int)syscall(SYS_ioctl, fd, request, argument);
    return play(fd, kind, (unsigned)request, argument);
}

static long next_syscall(long number, const long *a)
{
    typedef long syscall_function(long, ...);
    static syscall_function *_Atomic next;

    if (next == NULL)
        next = (syscall_function *)dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The provider scans by the system call itself. Ours pass through here as well. */
EXPORT long syscall(long number, ...)
{
    va_list arguments;
    long a[6];

    va_start(arguments, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_ioctl && (uint32_t)a[1] == (uint32_t)BZ_PAGEMAP_SCAN && scan_error && --scans_left == 0) {
        scans_left = 1;
        failed_scans++;
        return fail(scan_error);
    }
    return next_syscall(number, a);
}

EXPORT void fake_kvm_fail_scans_from(unsigned number, int error)
{
    scans_left = number;
    scan_error = error;
}

EXPORT unsigned fake_kvm_failed_scans(void)
{
    return failed_scans;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (strcmp(path, "/dev/kvm") == 0)
        return new_file(SYSTEM);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
