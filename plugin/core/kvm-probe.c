/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/kvm-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/text.h"

/* linux/uapi/linux/kvm.h; the headers of other architectures lack the ioctl. */
#ifndef KVM_CAP_HYPERV
#define KVM_CAP_HYPERV 44
#endif
#ifndef KVM_CAP_SYS_HYPERV_CPUID
#define KVM_CAP_SYS_HYPERV_CPUID 191
#endif

#if defined(__x86_64__) || defined(__i386__)

#define HV_CPUID_FEATURES 0x40000003u
#define HV_ENABLE_EXTENDED_HYPERCALLS (1u << 20) /* EBX */

/* KVM answers with about a dozen leaves. */
#define LEAVES_LIMIT 128

/*
 * Asked of the device itself, which kernels since 5.11 allow. Older ones want a vCPU to be made for the question, but
 * as none of them forwards extended hypercalls the answer is known: no.
 */
static gboolean forwards_extended_hypercalls(int kvm)
{
    if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_SYS_HYPERV_CPUID) <= 0)
        return FALSE;

    g_autofree struct kvm_cpuid2 *cpuid = g_malloc0(sizeof(*cpuid) + LEAVES_LIMIT * sizeof(cpuid->entries[0]));
    cpuid->nent = LEAVES_LIMIT;
    if (ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, cpuid) < 0)
        return FALSE;
    for (guint i = 0; i < MIN(cpuid->nent, LEAVES_LIMIT); i++) {
        if (cpuid->entries[i].function == HV_CPUID_FEATURES)
            return (cpuid->entries[i].ebx & HV_ENABLE_EXTENDED_HYPERCALLS) != 0;
    }
    return FALSE;
}

#else

static gboolean forwards_extended_hypercalls(int kvm)
{
    return FALSE;
}

#endif

static char *explain_open(const char *path, int code)
{
    g_autofree char *shown = bz_text_escape(path, 200);

    switch (code) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return g_strdup_printf("%s: %s: load the kernel's KVM module (kvm_intel or kvm_amd) and enable virtualization in "
                               "the firmware", shown, g_strerror(code));
    case EACCES:
    case EPERM:
        return g_strdup_printf("%s: %s: run as root, or as a member of the group the device belongs to", shown,
                               g_strerror(code));
    default:
        return g_strdup_printf("%s: %s", shown, g_strerror(code));
    }
}

BzKvmProbe *bz_kvm_probe(const char *path)
{
    BzKvmProbe *probe = g_new0(BzKvmProbe, 1);
    int kvm = open(path, O_RDWR | O_CLOEXEC);

    if (kvm < 0) {
        probe->reason = explain_open(path, errno);
        return probe;
    }
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
        g_autofree char *shown = bz_text_escape(path, 200);
        probe->reason = g_strdup_printf("%s is not a KVM device: load the kernel's KVM module (kvm_intel or kvm_amd)", shown);
        close(kvm);
        return probe;
    }

    probe->available = TRUE;
    probe->hyperv = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV) > 0;
    probe->extended_hypercalls = probe->hyperv && forwards_extended_hypercalls(kvm);
    close(kvm);

    if (!probe->hyperv) {
        probe->reason = g_strdup("KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV");
    } else if (!probe->extended_hypercalls) {
        struct utsname name = {0};
        uname(&name);
        probe->reason = g_strdup_printf("KVM of kernel %s does not forward extended hypercalls: Linux 6.3 or newer is needed",
                                        name.release);
    }
    return probe;
}

void bz_kvm_probe_free(BzKvmProbe *probe)
{
    if (!probe)
        return;
    g_free(probe->reason);
    g_free(probe);
}
