/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Says by its exit code whether this host's KVM can run the jobs without nesting: it emulates Hyper-V and forwards
 * extended hypercalls (CPUID 0x40000003 EBX bit 20). Independent of bootzero's own probe, which is under test.
 * Source: linux/Documentation/virt/kvm/api.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_LEAVES 64

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    struct kvm_cpuid2 *leaves = calloc(1, sizeof(*leaves) + MAX_LEAVES * sizeof(leaves->entries[0]));

    if (kvm < 0 || leaves == NULL) {
        printf("/dev/kvm: %s\n", strerror(errno));
        return 1;
    }
    if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV) <= 0) {
        printf("KVM has no Hyper-V emulation\n");
        return 1;
    }
    leaves->nent = MAX_LEAVES;
    if (ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, leaves) != 0) {
        printf("KVM_GET_SUPPORTED_HV_CPUID: %s\n", strerror(errno));
        return 1;
    }
    for (unsigned i = 0; i < leaves->nent; i++) {
        if (leaves->entries[i].function == 0x40000003 && (leaves->entries[i].ebx & 1u << 20) != 0) {
            printf("KVM forwards extended hypercalls\n");
            return 0;
        }
    }
    printf("KVM does not forward extended hypercalls\n");
    return 1;
}
