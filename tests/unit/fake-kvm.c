/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plays /dev/kvm, for tests of both answers on any host: linked into a test, or preloaded into a program. Only the
 * questions of core/kvm-probe.c are known. BZ_FAKE_KVM says what to play; without it the real device is used.
 *
 *   missing   no such device
 *   denied    no right to open it
 *   other     something that is not KVM
 *   plain     KVM without Hyper-V emulation
 *   old       Hyper-V emulation that cannot be asked at the device: before Linux 5.11
 *   closed    Hyper-V emulation that keeps extended hypercalls to itself: before Linux 6.3
 *   full      everything
 */
/* Both names of open() are defined below: the header must not turn one into the other. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static int fake_fd = -1;

static const char *role(void)
{
    return getenv("BZ_FAKE_KVM");
}

static int is(const char *name)
{
    return role() && strcmp(role(), name) == 0;
}

static int do_open(const char *path, int flags, mode_t mode)
{
    if (!role() || strcmp(path, "/dev/kvm") != 0)
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (is("missing")) {
        errno = ENOENT;
        return -1;
    }
    if (is("denied")) {
        errno = EACCES;
        return -1;
    }
    fake_fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", flags, 0);
    return fake_fd;
}

PUBLIC int open(const char *path, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return do_open(path, flags, mode);
}

PUBLIC int open64(const char *path, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return do_open(path, flags, mode);
}

static int supported_cpuid(struct kvm_cpuid2 *cpuid)
{
    static const struct {
        unsigned function;
        unsigned ebx;
    } leaves[] = {{0x40000000, 0}, {0x40000001, 0}, {0x40000002, 0}, {0x40000003, 0}, {0x40000004, 1u << 20}};
    unsigned count = sizeof(leaves) / sizeof(leaves[0]);

    if (cpuid->nent < count) {
        errno = E2BIG;
        return -1;
    }
    memset(cpuid->entries, 0, count * sizeof(cpuid->entries[0]));
    for (unsigned i = 0; i < count; i++) {
        cpuid->entries[i].function = leaves[i].function;
        cpuid->entries[i].ebx = leaves[i].ebx;
        if (leaves[i].function == 0x40000003 && is("full"))
            cpuid->entries[i].ebx |= 1u << 20;
    }
    cpuid->nent = count;
    return 0;
}

PUBLIC int ioctl(int fd, unsigned long request, ...)
{
    va_list list;

    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);

    if (!role() || fd < 0 || fd != fake_fd)
        return (int)syscall(SYS_ioctl, fd, request, argument);
    if (is("other")) {
        errno = ENOTTY;
        return -1;
    }
    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        if ((long)argument == KVM_CAP_HYPERV)
            return !is("plain");
        if ((long)argument == KVM_CAP_SYS_HYPERV_CPUID)
            return is("closed") || is("full");
        return 0;
    case KVM_GET_SUPPORTED_HV_CPUID:
        if (is("plain") || is("old"))
            break;
        return supported_cpuid(argument);
    }
    errno = EINVAL;
    return -1;
}
