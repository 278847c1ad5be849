/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "qemu/abi-hyperv.h"
#include "qemu/abi-kvm.h"
#include "qemu/answer.h"
#include "qemu/config.h"
#include "qemu/cpuid.h"
#include "qemu/fair-lock.h"
#include "qemu/hypercall.h"
#include "qemu/log.h"
#include "qemu/persistent.h"
#include "qemu/self.h"
#include "qemu/slots.h"
#include "qemu/span.h"
#include "qemu/vcpu.h"

#define NO_VM (-1)
#define DEFAULT_PHYSICAL_BITS 52

/* Reasons for which this VM never gets a range again. A bit each, so that setting one needs no lock. */
enum {
    ENCRYPTED = 1 << 0,
    SECOND_VM = 1 << 1,
};

static struct {
    /* Read without the lock. */
    atomic_int fd;             /* NO_VM until it is created and everything else here is in place */
    atomic_bool boot_is_over;  /* slots that come now are hot-plugged, or device memory */
    atomic_uint physical_bits; /* of the guest's addresses */
    atomic_uint never;         /* the reasons above */
    struct bz_config config;   /* constant from creation on */

    /*
     * Held across a change of a slot in KVM and in the table, and across scan and write of an answer: so what is scanned
     * and written to is a slot all the while. QEMU unmaps memory only after it took the slot away.
     */
    struct bz_fair_lock lock;
    struct bz_slots slots;
    struct bz_spans boot;
    struct bz_spans userfaults;
    bool tables_are_lost; /* out of memory while recording: nothing may be believed any more */

    /* Constant from creation on. */
    struct bz_self self;
    bool self_is_open;
    char self_why[160];
    const char *persistent_memory; /* why it must be expected, or NULL */
} vm = {
    .fd = NO_VM,
    .physical_bits = DEFAULT_PHYSICAL_BITS,
    .lock = BZ_FAIR_LOCK_INIT,
};

static bool is_tracked(void)
{
    return atomic_load_explicit(&vm.fd, memory_order_acquire) != NO_VM;
}

static bool is_our_vm(int fd)
{
    return is_tracked() && atomic_load_explicit(&vm.fd, memory_order_relaxed) == fd;
}

/* --- the VM and its vCPUs --- */

static void start_tracking(const struct bz_ioctl *call, int vm_fd)
{
    if ((uintptr_t)call->argument != 0)
        atomic_fetch_or(&vm.never, ENCRYPTED);
    vm.self_is_open = bz_self_open(&vm.self, vm.self_why, sizeof vm.self_why);
    vm.persistent_memory = bz_persistent_memory_of_self();
    atomic_store_explicit(&vm.fd, vm_fd, memory_order_release);

    bz_log("version " BZ_VERSION ", offering the guest %s", vm.config.boot_zeroed_mem
                                                               ? "ext-query-caps and boot-zeroed-mem"
                                                               : "ext-query-caps without any capability");
    if (call->real(call->fd, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV) <= 0)
        bz_log("this kernel's KVM has no Hyper-V emulation: the guest cannot ask");
}

int bz_vm_create(const struct bz_ioctl *call)
{
    char message[512];

    if (!is_tracked()) {
        if (!bz_config_parse(getenv("BOOTZERO"), &vm.config, message, sizeof message)) {
            bz_log("%s", message);
            errno = EINVAL;
            return -1;
        }
        if (!vm.config.ext_query_caps)
            return bz_pass(call);
    }
    int vm_fd = bz_pass(call);
    if (vm_fd < 0)
        return vm_fd;
    if (!is_tracked())
        start_tracking(call, vm_fd);
    else
        atomic_fetch_or(&vm.never, SECOND_VM);
    return vm_fd;
}

int bz_vm_create_vcpu(const struct bz_ioctl *call)
{
    int fd = bz_pass(call);

    if (fd < 0 || !is_our_vm(call->fd))
        return fd;
    bz_fair_lock(&vm.lock);
    if (!bz_vcpu_add(fd))
        bz_log("cannot map a vCPU's state, so its calls go unanswered: %s", strerror(errno));
    bz_fair_unlock(&vm.lock);
    return fd;
}

int bz_vm_set_cpuid(const struct bz_ioctl *call)
{
    const struct kvm_cpuid2 *given = call->argument;

    if (!bz_vcpu_find(call->fd) || given->nent > BZ_CPUID_MAX_ENTRIES)
        return bz_pass(call);

    size_t size = sizeof *given + given->nent * sizeof given->entries[0];
    struct kvm_cpuid2 *copy = malloc(size);
    if (copy == NULL) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(copy, given, size);
    atomic_store(&vm.physical_bits, bz_cpuid_physical_bits(copy->entries, copy->nent, DEFAULT_PHYSICAL_BITS));
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!bz_cpuid_offer_extended_hypercalls(copy->entries, copy->nent) && !atomic_flag_test_and_set(&told))
        bz_log("the guest has no Hyper-V CPUID leaves, so it cannot ask: add an enlightenment such as hv-relaxed");

    int result = call->real(call->fd, call->request, copy);
    int saved_errno = errno;
    free(copy);
    errno = saved_errno;
    return result;
}

/* --- memory --- */

static bool boot_is_over(void)
{
    return atomic_load_explicit(&vm.boot_is_over, memory_order_acquire);
}

static void end_boot(bool even_without_memory)
{
    bz_fair_lock(&vm.lock);
    if (vm.slots.count > 0 || even_without_memory)
        atomic_store_explicit(&vm.boot_is_over, true, memory_order_release);
    bz_fair_unlock(&vm.lock);
}

/*
 * QEMU loads the registers of all vCPUs when the machine is complete. A machine that waits for an incoming migration or
 * under -S gets more slots before it first runs: those of device memory and of hot-plugged DIMMs. Registers loaded before
 * there is any memory tell nothing.
 */
int bz_vm_set_regs(const struct bz_ioctl *call)
{
    if (!boot_is_over() && bz_vcpu_find(call->fd))
        end_boot(false);
    return bz_pass(call);
}

int bz_vm_set_memory(const struct bz_ioctl *call)
{
    if (!is_our_vm(call->fd))
        return bz_pass(call);

    /* Both requests' structures begin with the members of this one. */
    const struct kvm_userspace_memory_region *region = call->argument;
    bz_fair_lock(&vm.lock);
    int result = bz_pass(call);
    int saved_errno = errno;
    if (result == 0) {
        struct bz_slot slot = { .id = region->slot,
                                .flags = region->flags,
                                .gpa = region->guest_phys_addr,
                                .size = region->memory_size,
                                .host = region->userspace_addr };
        bool is_boot_memory = !boot_is_over() && bz_slots_keep(slot.id) && bz_slot_is_ram(&slot);
        if (!bz_slots_set(&vm.slots, slot) || (is_boot_memory && !bz_spans_add(&vm.boot, bz_slot_host(&slot))))
            vm.tables_are_lost = true;
    }
    bz_fair_unlock(&vm.lock);
    errno = saved_errno;
    return result;
}

int bz_vm_encrypt(const struct bz_ioctl *call)
{
    if (is_our_vm(call->fd))
        atomic_fetch_or(&vm.never, ENCRYPTED);
    return bz_pass(call);
}

int bz_vm_register_userfaults(const struct bz_ioctl *call)
{
    if (!is_tracked())
        return bz_pass(call);

    const struct uffdio_register *given = call->argument;
    bz_fair_lock(&vm.lock);
    int result = bz_pass(call);
    int saved_errno = errno;
    struct bz_span span = { given->range.start, given->range.start + given->range.len };
    if (result == 0 && !bz_spans_add(&vm.userfaults, span))
        vm.tables_are_lost = true;
    bz_fair_unlock(&vm.lock);
    errno = saved_errno;
    return result;
}

/* --- answering; the lock is held --- */

/* Why no range may be given, whatever the memory looks like; or NULL. */
static const char *reason_to_decline(void)
{
    unsigned never = atomic_load(&vm.never);

    if (never & ENCRYPTED)
        return "the guest's memory is encrypted, so zero in the host is not zero in the guest";
    if (never & SECOND_VM)
        return "this process has had a second VM";
    if (!vm.self_is_open)
        return vm.self_why;
    if (!bz_self_is_me(&vm.self))
        return "this process was forked from the one that created the VM";
    return NULL;
}

static void find_zeroed(struct bz_span output, struct bz_zeroed *zeroed)
{
    const char *reason = reason_to_decline();

    if (reason) {
        *zeroed = (struct bz_zeroed){ .backend = "" };
        snprintf(zeroed->reason, sizeof zeroed->reason, "%s", reason);
        return;
    }
    struct bz_question question = {
        .self = &vm.self,
        .slots = &vm.slots,
        .boot = &vm.boot,
        .unsure = &vm.userfaults,
        .below_gpa = vm.persistent_memory ? BZ_MEMORY_DEVICES_FROM : UINT64_MAX,
        .output = output,
    };
    bz_answer(&question, zeroed);
    if (vm.persistent_memory && zeroed->reason[0] == '\0')
        snprintf(zeroed->reason, sizeof zeroed->reason, "nothing above 4 GiB: %s", vm.persistent_memory);
}

static void log_zeroed(const struct bz_zeroed *zeroed)
{
    const char *reason = zeroed->reason;
    bool any = zeroed->ranges.n_kept > 0;

    if (!any && *reason == '\0')
        reason = "no page of its memory is still zero";
    if (!any) {
        bz_log_outcome(BZ_HV_GET_BOOT_ZEROED_MEMORY, BZ_HV_SUCCESS, reason,
                       "the guest asked for boot-zeroed memory (0x8002) and got no range: %s", reason);
        return;
    }
    bz_log_outcome(BZ_HV_GET_BOOT_ZEROED_MEMORY, BZ_HV_SUCCESS, any ? "some" : reason,
                   "the guest asked for boot-zeroed memory (0x8002) and got %u ranges, %" PRIu64 " of %" PRIu64
                   " bytes, in %" PRIu64 " us by %s%s%s",
                   zeroed->ranges.n_kept, bz_ranges_total(&zeroed->ranges) << BZ_HV_PAGE_SHIFT, zeroed->boot_bytes,
                   zeroed->scan_ns / 1000, zeroed->backend, *reason ? "; left out: " : "", reason);
}

/*
 * Writes the answer where the guest wants it. Not by memcpy: a page that QEMU itself could not fault in (a file that was
 * truncated, no huge page left) must fail this call, not kill QEMU by SIGBUS.
 */
static bool write_output(struct bz_span output, const void *data)
{
    struct iovec from = { (void *)(uintptr_t)data, output.end - output.start };
    struct iovec to = { (void *)(uintptr_t)output.start, output.end - output.start };

    return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)(output.end - output.start);
}

static uint16_t write_capabilities(struct bz_span output)
{
    uint64_t capabilities = vm.config.boot_zeroed_mem ? BZ_HV_CAPABILITY_BOOT_ZEROED_MEMORY : 0;

    if (!write_output(output, &capabilities))
        return BZ_HV_INVALID_PARAMETER;
    bz_log_outcome(BZ_HV_QUERY_CAPABILITIES, BZ_HV_SUCCESS, "",
                   "the guest asked for its extended capabilities (0x8001): 0x%" PRIx64, capabilities);
    return BZ_HV_SUCCESS;
}

static uint16_t write_zeroed(struct bz_span output)
{
    /* Too large for a stack of unknown size; the lock guards them. */
    static struct bz_zeroed zeroed;
    static struct bz_hv_boot_zeroed_memory answer;

    find_zeroed(output, &zeroed);
    answer = (struct bz_hv_boot_zeroed_memory){ .range_count = zeroed.ranges.n_kept };
    for (unsigned i = 0; i < zeroed.ranges.n_kept; i++) {
        answer.ranges[i].start_page = zeroed.ranges.kept[i].page;
        answer.ranges[i].page_count = zeroed.ranges.kept[i].count;
    }
    if (!write_output(output, &answer))
        return BZ_HV_INVALID_PARAMETER;
    log_zeroed(&zeroed);
    return BZ_HV_SUCCESS;
}

static uint16_t answer_call(struct bz_hypercall call)
{
    uint16_t status = bz_hypercall_check(call, atomic_load(&vm.physical_bits));
    if (status != BZ_HV_SUCCESS)
        return status;
    if (vm.tables_are_lost)
        return BZ_HV_INSUFFICIENT_MEMORY;

    /* The output does not cross a page, and slots are of whole pages. */
    const struct bz_slot *slot = bz_slots_find(&vm.slots, call.output_gpa);
    if (slot == NULL || !bz_slot_is_ram(slot))
        return BZ_HV_INVALID_PARAMETER;
    /* KVM does not log what this process writes: a migration would lose the answer. */
    if (bz_slot_logs_writes(slot))
        return BZ_HV_ACCESS_DENIED;

    struct bz_span output = { .start = slot->host + (call.output_gpa - slot->gpa) };
    output.end = output.start + bz_hypercall_output_size(call);
    if (BZ_HV_INPUT_CODE(call.input) == BZ_HV_QUERY_CAPABILITIES)
        return write_capabilities(output);
    return write_zeroed(output);
}

static void log_refusal(struct bz_hypercall call, uint16_t status)
{
    if (status == BZ_HV_SUCCESS)
        return;
    bz_log_outcome(BZ_HV_INPUT_CODE(call.input), status, "",
                   "refused a call 0x%" PRIx64 " with output at 0x%" PRIx64 ": status %u%s", call.input,
                   call.output_gpa, status,
                   status == BZ_HV_ACCESS_DENIED ? ", the guest is being migrated or saved" : "");
}

/* --- running --- */

/* Answers the exit if it is one of the offered calls. */
static bool answer_exit(struct kvm_run *run)
{
    if (run->exit_reason != KVM_EXIT_HYPERV || run->hyperv.type != KVM_EXIT_HYPERV_HCALL)
        return false;
    struct bz_hypercall call = { .input = run->hyperv.u.hcall.input, .output_gpa = run->hyperv.u.hcall.params[1] };
    if (!bz_hypercall_is_offered(call, &vm.config))
        return false;

    bz_fair_lock(&vm.lock);
    uint16_t status = answer_call(call);
    log_refusal(call, status);
    bz_fair_unlock(&vm.lock);
    run->hyperv.u.hcall.result = status;
    return true;
}

int bz_vm_run(const struct bz_ioctl *call)
{
    struct kvm_run *run = bz_vcpu_find(call->fd);

    if (run == NULL)
        return bz_pass(call);
    if (!boot_is_over())
        end_boot(true);
    for (;;) {
        int result = bz_pass(call);
        /* KVM_RUN again delivers the answer. A signal or immediate_exit ends that one with EINTR, as QEMU expects. */
        if (result != 0 || !answer_exit(run))
            return result;
    }
}
