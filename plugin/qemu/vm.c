/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/vm.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qemu/abi-kvm.h"
#include "qemu/cpuid.h"
#include "qemu/endpoint.h"
#include "qemu/events.h"
#include "qemu/fair-lock.h"
#include "qemu/guest.h"
#include "qemu/log.h"
#include "qemu/mapping.h"
#include "qemu/persistent.h"
#include "qemu/vcpu.h"

#define NO_VM (-1)
#define DEFAULT_PHYSICAL_BITS 52

static struct {
    atomic_int fd;            /* NO_VM until it is created and the guest's constants are in place */
    atomic_bool boot_is_over; /* slots that come now are hot-plugged, or device memory */
    atomic_bool is_loaded;    /* with other memory, and has not run since */
    bool track_is_limited;    /* under the lock */
    struct bz_guest guest;
    /*
     * Held across a change of a slot in KVM and in the table, and across scan and write of an answer: so what is
     * scanned and written to is a slot all the while. QEMU unmaps memory only after it took the slot away.
     */
    struct bz_fair_lock lock;
} vm = {
    .fd = NO_VM,
    .guest.physical_bits = DEFAULT_PHYSICAL_BITS,
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

/* For the endpoint. */
static void look(struct bz_zeroed *zeroed, struct bz_memory_map *map)
{
    bz_fair_lock(&vm.lock);
    bz_guest_look(&vm.guest, zeroed, map);
    bz_fair_unlock(&vm.lock);
}

static void start_tracking(const struct bz_ioctl *call, int vm_fd)
{
    if ((uintptr_t)call->argument != 0)
        atomic_fetch_or(&vm.guest.never, BZ_GUEST_ENCRYPTED);
    vm.guest.self_is_open = bz_self_open(&vm.guest.self, vm.guest.self_why, sizeof vm.guest.self_why);
    vm.guest.persistent_memory = bz_persistent_memory_of_self();
    atomic_store_explicit(&vm.fd, vm_fd, memory_order_release);

    bz_log("version " BZ_VERSION ", offering the guest %s", vm.guest.config.boot_zeroed_mem
                                                               ? "ext-query-caps and boot-zeroed-mem"
                                                               : "ext-query-caps without any capability");
    if (call->real(call->fd, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_HYPERV) <= 0)
        bz_log("this kernel's KVM has no Hyper-V emulation: the guest cannot ask");
    bz_events_start(vm.guest.config.boot_zeroed_mem);
    if (vm.guest.config.qmp[0])
        bz_endpoint_start(vm.guest.config.qmp, look);
}

int bz_vm_create(const struct bz_ioctl *call)
{
    char message[512];

    if (!is_tracked()) {
        if (!bz_config_parse(getenv("BOOTZERO"), &vm.guest.config, message, sizeof message)) {
            bz_log("%s", message);
            errno = EINVAL;
            return -1;
        }
        if (!vm.guest.config.ext_query_caps)
            return bz_pass(call);
    }
    int vm_fd = bz_pass(call);
    if (vm_fd < 0)
        return vm_fd;
    if (!is_tracked())
        start_tracking(call, vm_fd);
    else
        atomic_fetch_or(&vm.guest.never, BZ_GUEST_HAS_SIBLING);
    return vm_fd;
}

int bz_vm_create_vcpu(const struct bz_ioctl *call)
{
    int fd = bz_pass(call);

    if (fd < 0 || !is_tracked())
        return fd;
    bz_fair_lock(&vm.lock);
    if (!is_our_vm(call->fd))
        bz_vcpu_forget(fd);
    else if (!bz_vcpu_add(fd))
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
    atomic_store(&vm.guest.physical_bits, bz_cpuid_physical_bits(copy->entries, copy->nent, DEFAULT_PHYSICAL_BITS));
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
    if (vm.guest.slots.count > 0 || even_without_memory)
        atomic_store_explicit(&vm.boot_is_over, true, memory_order_release);
    bz_fair_unlock(&vm.lock);
}

/*
 * QEMU loads the registers of all vCPUs when the machine is complete. A machine that waits for an incoming migration or
 * under -S gets more slots before it first runs: those of device memory and of hot-plugged DIMMs. Registers loaded
 * before there is any memory tell nothing.
 */
int bz_vm_set_regs(const struct bz_ioctl *call)
{
    if (!boot_is_over() && bz_vcpu_find(call->fd))
        end_boot(false);
    return bz_pass(call);
}

/* Flag in IA32_APIC_BASE. */
static bool is_boot_processor(const struct kvm_sregs *sregs)
{
    return sregs->apic_base & (1u << 8);
}

/* Segment and base of a processor that starts: Intel SDM 3A, table 10-1. */
static bool is_at_its_start(const struct kvm_sregs *sregs)
{
    return sregs->cs.selector == 0xf000 && sregs->cs.base == 0xffff0000;
}

/*
 * One reset may load the registers of the start several times; it counts once, as the processor has not run in between.
 * Others that come before it first runs are of a machine that was running: a restore, an incoming migration, a
 * snapshot.
 */
static void judge_sregs(const struct kvm_sregs *sregs)
{
    if (!is_boot_processor(sregs))
        return;
    if (is_at_its_start(sregs)) {
        if (atomic_exchange(&bz_hot.has_run, false))
            bz_events_reset();
    } else if (!atomic_load(&bz_hot.has_run) && !atomic_exchange(&vm.is_loaded, true)) {
        bz_events_loaded();
    }
}

int bz_vm_set_sregs(const struct bz_ioctl *call)
{
    int result = bz_pass(call);

    /* Both requests' structures begin with the same members. */
    if (result == 0 && bz_vcpu_find(call->fd))
        judge_sregs(call->argument);
    return result;
}

/* The files behind new boot memory. What cannot be found out stays unknown, and that memory is left out. */
static void learn_files(struct bz_span span)
{
    struct bz_mappings mappings = { 0 };
    char why[160];

    if (vm.guest.self_is_open && bz_mappings_read(vm.guest.self.maps, span, &mappings, why, sizeof why))
        for (size_t i = 0; i < mappings.count; i++)
            bz_files_learn(&vm.guest.files, &mappings.items[i]);
    bz_mappings_clear(&mappings);
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
        bool recorded = bz_slots_set(&vm.guest.slots, slot) &&
                        (!is_boot_memory || bz_spans_add(&vm.guest.boot, bz_slot_host(&slot)));
        if (!recorded)
            vm.guest.tables_are_lost = true;
        if (is_boot_memory && slot.size > 0)
            learn_files(bz_slot_host(&slot));
    }
    bz_fair_unlock(&vm.lock);
    errno = saved_errno;
    return result;
}

int bz_vm_populate(int (*real)(void *start, size_t size, int advice), void *start, size_t size, int advice)
{
    struct bz_span span = { (uintptr_t)start, (uintptr_t)start + size };
    bool fresh = false;

    if (is_tracked() && !boot_is_over() && vm.guest.config.boot_zeroed_mem && vm.guest.self_is_open &&
        bz_self_is_me(&vm.guest.self) && !bz_span_is_empty(span)) {
        bz_fair_lock(&vm.lock);
        fresh = bz_write_protect_begin(&vm.guest.protect, &vm.guest.self, &vm.guest.files, span);
        bz_fair_unlock(&vm.lock);
    }
    int result = real(start, size, advice);
    int saved_errno = errno;
    if (fresh) {
        bz_fair_lock(&vm.lock);
        bz_write_protect_end(&vm.guest.protect, &vm.guest.self, &vm.guest.files, span, result == 0);
        bz_fair_unlock(&vm.lock);
    }
    errno = saved_errno;
    return result;
}

int bz_vm_encrypt(const struct bz_ioctl *call)
{
    if (is_our_vm(call->fd))
        atomic_fetch_or(&vm.guest.never, BZ_GUEST_ENCRYPTED);
    return bz_pass(call);
}

int bz_vm_register_userfaults(const struct bz_ioctl *call)
{
    if (!is_tracked())
        return bz_pass(call);

    const struct uffdio_register *given = call->argument;
    struct bz_span span = { given->range.start, given->range.start + given->range.len };
    bz_fair_lock(&vm.lock);
    /* Memory can be registered with one userfaultfd only. */
    if (bz_spans_overlap(&vm.guest.protect.spans, span))
        bz_write_protect_drop(&vm.guest.protect, "postcopy migration or a background snapshot needs userfaultfd");
    int result = bz_pass(call);
    int saved_errno = errno;
    if (result == 0 && !(bz_spans_add(&vm.guest.userfaults, span) && bz_spans_add(&vm.guest.faulting, span)))
        vm.guest.tables_are_lost = true;
    bz_fair_unlock(&vm.lock);
    errno = saved_errno;
    return result;
}

int bz_vm_unregister_userfaults(const struct bz_ioctl *call)
{
    const struct uffdio_range *given = call->argument;
    int result = bz_pass(call);

    if (result != 0 || !is_tracked())
        return result;
    bz_fair_lock(&vm.lock);
    if (!bz_spans_remove(&vm.guest.faulting, (struct bz_span){ given->start, given->start + given->len }))
        vm.guest.tables_are_lost = true;
    bz_fair_unlock(&vm.lock);
    return result;
}

/* --- running --- */

bool bz_vm_answer(struct kvm_run *run)
{
    if (run->hyperv.type != KVM_EXIT_HYPERV_HCALL)
        return false;
    struct bz_hypercall call = { .input = run->hyperv.u.hcall.input, .output_gpa = run->hyperv.u.hcall.params[1] };
    if (!bz_hypercall_is_offered(call, &vm.guest.config))
        return false;

    bz_fair_lock(&vm.lock);
    uint16_t status = bz_guest_answer(&vm.guest, call);
    bz_fair_unlock(&vm.lock);
    run->hyperv.u.hcall.result = status;
    return true;
}

static void *drop_in_time(void *unused)
{
    struct timespec rest = { .tv_sec = vm.guest.config.track_seconds };

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
    bz_fair_lock(&vm.lock);
    bz_write_protect_drop(&vm.guest.protect, "the guest did not ask in time");
    bz_fair_unlock(&vm.lock);
    return NULL;
}

/* A vCPU may stay in KVM for long, so the time is kept by a thread. QEMU's signals are none of its business. */
static void limit_write_protection(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, drop_in_time, NULL) != 0)
        bz_write_protect_drop(&vm.guest.protect, "no thread to end its write-protection");
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void bz_vm_begin_to_run(void)
{
    if (!boot_is_over())
        end_boot(true);
    atomic_store_explicit(&bz_hot.has_run, true, memory_order_relaxed);
    atomic_store_explicit(&vm.is_loaded, false, memory_order_relaxed);
    bz_fair_lock(&vm.lock);
    if (!vm.track_is_limited && vm.guest.protect.spans.count > 0) {
        vm.track_is_limited = true;
        limit_write_protection();
    }
    bz_fair_unlock(&vm.lock);
}
