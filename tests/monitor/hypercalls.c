/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into QEMU behind the provider, for hosts whose KVM has no Hyper-V emulation: makes a running guest's next
 * KVM_RUN return as if the guest had issued the hypercall whose code, in hexadecimal, is in the file BZ_HYPERCALL
 * names. The file is taken away. All else about the guest is real. The answer goes to its memory at 32 MiB.
 */
#include <dlfcn.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define VCPUS 4
#define OUTPUT (32u << 20)

static struct {
    int fd;
    struct kvm_run *run;
} vcpus[VCPUS];

static unsigned asked_for(void)
{
    const char *path = getenv("BZ_HYPERCALL");
    FILE *file = path ? fopen(path, "re") : NULL;
    unsigned code = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%x", &code) != 1)
        code = 0;
    fclose(file);
    if (code)
        unlink(path);
    return code;
}

static int pretend(int fd)
{
    for (int i = 0; i < VCPUS; i++) {
        if (vcpus[i].run == NULL || vcpus[i].fd != fd)
            continue;
        unsigned code = asked_for();
        if (code == 0)
            return 0;
        struct kvm_run *run = vcpus[i].run;
        run->exit_reason = KVM_EXIT_HYPERV;
        run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
        run->hyperv.u.hcall.input = code;
        run->hyperv.u.hcall.params[0] = 0;
        run->hyperv.u.hcall.params[1] = OUTPUT;
        return 1;
    }
    return 0;
}

static void remember(int fd)
{
    for (int i = 0; i < VCPUS; i++) {
        if (vcpus[i].run)
            continue;
        void *run = mmap(NULL, sizeof(struct kvm_run), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (run == MAP_FAILED)
            return;
        vcpus[i].fd = fd;
        vcpus[i].run = run;
        return;
    }
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
    int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if ((uint32_t)request == KVM_RUN && pretend(fd))
        return 0;
    int result = next(fd, request, argument);
    if ((uint32_t)request == KVM_CREATE_VCPU && result >= 0)
        remember(result);
    return result;
}
