/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hyperv-exit.h"

#include <linux/kvm.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_FD 1024

static struct kvm_run *runs[MAX_FD];
static struct {
    uint64_t input, output, result;
    int under_way; /* the vCPU that was shown the exit, or 0 */
} call;

EXPORT void hyperv_exit_prepare(uint64_t input, uint64_t output_gpa)
{
    call.input = input;
    call.output = output_gpa;
    call.result = UINT64_MAX;
}

EXPORT uint64_t hyperv_exit_result(void)
{
    return call.result;
}

static void show_hypercall(int vcpu, struct kvm_run *run)
{
    run->exit_reason = KVM_EXIT_HYPERV;
    run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
    run->hyperv.u.hcall.input = call.input;
    run->hyperv.u.hcall.params[0] = 0;
    run->hyperv.u.hcall.params[1] = call.output;
    run->hyperv.u.hcall.result = UINT64_MAX;
    call.under_way = vcpu;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);

    struct kvm_run *run = request == KVM_RUN && fd < MAX_FD ? runs[fd] : NULL;
    if (run && call.under_way == fd) {
        call.result = run->hyperv.u.hcall.result;
        call.under_way = 0;
    }
    int result = (int)syscall(SYS_ioctl, fd, request, argument);
    if (run && result == 0 && run->exit_reason == KVM_EXIT_IO && run->io.port == HYPERV_EXIT_PORT)
        show_hypercall(fd, run);
    if (request == KVM_CREATE_VCPU && result >= 0 && result < MAX_FD)
        runs[result] = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED, result, 0);
    return result;
}
