/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into the daemons under test, so that every machine with KVM gives the tests the same answers: KVM's about
 * Hyper-V, which /run/bootzero-test-kvm holds in the sandbox's own /run.
 *
 *   able      Hyper-V emulation that forwards extended hypercalls
 *   old       Hyper-V emulation without them
 *   unable    no Hyper-V emulation
 *
 * Without the file, and in QEMU itself, KVM answers.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HYPERV_FEATURES_LEAF = 0x40000003, ENABLE_EXTENDED_HYPERCALLS = 1 << 20 };

static int starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The file's word; empty when KVM itself is to answer. No stdio: the benchmark has this in its calls. */
static void read_answer(char answer[16])
{
    int file = open("/run/bootzero-test-kvm", O_RDONLY | O_CLOEXEC);
    ssize_t length = 0;

    if (file >= 0) {
        length = read(file, answer, 15);
        close(file);
    }
    if (length < 0 || starts_with(program_invocation_short_name, "qemu-"))
        length = 0;
    answer[length] = '\0';
    answer[strcspn(answer, "\n")] = '\0';
}

static int supported_cpuid(struct kvm_cpuid2 *cpuid, int extended)
{
    if (cpuid->nent < 1) {
        errno = E2BIG;
        return -1;
    }
    memset(&cpuid->entries[0], 0, sizeof(cpuid->entries[0]));
    cpuid->entries[0].function = HYPERV_FEATURES_LEAF;
    cpuid->entries[0].ebx = extended ? ENABLE_EXTENDED_HYPERCALLS : 0;
    cpuid->nent = 1;
    return 0;
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
    static int (*next)(int, unsigned long, ...);
    char answer[16] = "";
    va_list arguments;
    void *argument;
    int able;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (next == NULL)
        next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");

    if (request == KVM_CHECK_EXTENSION || request == KVM_GET_SUPPORTED_HV_CPUID)
        read_answer(answer);
    if (answer[0] == '\0')
        return next(fd, request, argument);
    able = strcmp(answer, "unable") != 0;
    if (request == KVM_GET_SUPPORTED_HV_CPUID) {
        if (able)
            return supported_cpuid(argument, strcmp(answer, "able") == 0);
        errno = EINVAL;
        return -1;
    }
    if ((unsigned long)argument == KVM_CAP_HYPERV || (unsigned long)argument == KVM_CAP_SYS_HYPERV_CPUID)
        return able;
    return next(fd, request, argument);
}
