/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/guest.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "qemu/abi-hyperv.h"
#include "qemu/answer.h"
#include "qemu/events.h"
#include "qemu/log.h"
#include "qemu/persistent.h"

/* Why no range may be given, whatever the memory looks like; or NULL. */
static const char *reason_to_decline(const struct bz_guest *guest)
{
    unsigned never = atomic_load(&guest->never);

    if (never & BZ_GUEST_ENCRYPTED)
        return "the guest's memory is encrypted, so zero in the host is not zero in the guest";
    if (never & BZ_GUEST_HAS_SIBLING)
        return "this process has had a second VM";
    if (!guest->self_is_open)
        return guest->self_why;
    if (!bz_self_is_me(&guest->self))
        return "this process was forked from the one that created the VM";
    return NULL;
}

static uint64_t reported_below(const struct bz_guest *guest)
{
    return guest->persistent_memory ? BZ_MEMORY_DEVICES_FROM : UINT64_MAX;
}

static void find_zeroed(const struct bz_guest *guest, struct bz_span output, struct bz_zeroed *zeroed)
{
    const char *reason = reason_to_decline(guest);

    if (reason) {
        *zeroed = (struct bz_zeroed){ .backend = "" };
        snprintf(zeroed->reason, sizeof zeroed->reason, "%s", reason);
        return;
    }
    struct bz_question question = {
        .memory = { &guest->self, &guest->files, &guest->protect },
        .slots = &guest->slots,
        .boot = &guest->boot,
        .unsure = &guest->userfaults,
        .below_gpa = reported_below(guest),
        .output = output,
    };
    bz_answer(&question, zeroed);
    if (guest->persistent_memory && zeroed->reason[0] == '\0')
        snprintf(zeroed->reason, sizeof zeroed->reason, "nothing above 4 GiB: %s", guest->persistent_memory);
}

static void log_zeroed(const struct bz_zeroed *zeroed)
{
    const char *reason = zeroed->reason;
    char outcome[sizeof zeroed->reason + 8];

    if (zeroed->ranges.n_kept == 0) {
        if (*reason == '\0')
            reason = "no page of its memory is still zero";
        snprintf(outcome, sizeof outcome, "none: %s", reason);
        bz_log_outcome(BZ_HV_GET_BOOT_ZEROED_MEMORY, BZ_HV_SUCCESS, outcome,
                       "the guest asked for boot-zeroed memory (0x8002) and got no range: %s", reason);
        return;
    }
    snprintf(outcome, sizeof outcome, "some: %s", reason);
    bz_log_outcome(BZ_HV_GET_BOOT_ZEROED_MEMORY, BZ_HV_SUCCESS, outcome,
                   "the guest asked for boot-zeroed memory (0x8002) and got %u ranges, %" PRIu64 " of %" PRIu64
                   " bytes, in %" PRIu64 " us by %s%s%s",
                   zeroed->ranges.n_kept, bz_ranges_total(&zeroed->ranges) << BZ_HV_PAGE_SHIFT, zeroed->boot_bytes,
                   zeroed->scan_ns / 1000, zeroed->backend, *reason ? "; left out: " : "", reason);
}

/*
 * Writes the answer where the guest wants it. Not by memcpy: a page that QEMU itself could not fault in (a file that
 * was truncated, no huge page left) must fail this call, not kill QEMU by SIGBUS.
 */
static bool write_output(struct bz_span output, const void *data)
{
    struct iovec from = { (void *)(uintptr_t)data, output.end - output.start };
    struct iovec to = { (void *)(uintptr_t)output.start, output.end - output.start };

    return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)(output.end - output.start);
}

static uint16_t write_capabilities(const struct bz_guest *guest, struct bz_span output)
{
    uint64_t capabilities = guest->config.boot_zeroed_mem ? BZ_HV_CAPABILITY_BOOT_ZEROED_MEMORY : 0;

    if (!write_output(output, &capabilities))
        return BZ_HV_INVALID_PARAMETER;
    bz_log_outcome(BZ_HV_QUERY_CAPABILITIES, BZ_HV_SUCCESS, "",
                   "the guest asked for its extended capabilities (0x8001): 0x%" PRIx64, capabilities);
    bz_events_discovered();
    return BZ_HV_SUCCESS;
}

static uint16_t write_zeroed(struct bz_guest *guest, struct bz_span output)
{
    /* Too large for a stack of unknown size; the lock guards them. */
    static struct bz_zeroed zeroed;
    static struct bz_hv_boot_zeroed_memory answer;

    /* Before the scan: so the page is a written one by whichever mapping, of one file it may have several, it is seen. */
    answer = (struct bz_hv_boot_zeroed_memory){ 0 };
    if (!write_output(output, &answer))
        return BZ_HV_INVALID_PARAMETER;
    find_zeroed(guest, output, &zeroed);
    answer = (struct bz_hv_boot_zeroed_memory){ .range_count = zeroed.ranges.n_kept };
    for (unsigned i = 0; i < zeroed.ranges.n_kept; i++) {
        answer.ranges[i].start_page = zeroed.ranges.kept[i].page;
        answer.ranges[i].page_count = zeroed.ranges.kept[i].count;
    }
    if (!write_output(output, &answer))
        return BZ_HV_INVALID_PARAMETER;
    log_zeroed(&zeroed);
    bz_write_protect_drop(&guest->protect, "the guest had its answer before");
    bz_events_answered(&zeroed);
    return BZ_HV_SUCCESS;
}

static uint16_t answer(struct bz_guest *guest, struct bz_hypercall call)
{
    uint16_t status = bz_hypercall_check(call, atomic_load(&guest->physical_bits));
    if (status != BZ_HV_SUCCESS)
        return status;
    if (guest->tables_are_lost)
        return BZ_HV_INSUFFICIENT_MEMORY;

    /* The output does not cross a page, and slots are of whole pages. */
    const struct bz_slot *slot = bz_slots_find(&guest->slots, call.output_gpa);
    if (slot == NULL || !bz_slot_is_ram(slot))
        return BZ_HV_INVALID_PARAMETER;
    /* KVM does not log what this process writes: a migration would lose the answer. */
    if (bz_slot_logs_writes(slot))
        return BZ_HV_ACCESS_DENIED;

    struct bz_span output = { .start = slot->host + (call.output_gpa - slot->gpa) };
    output.end = output.start + bz_hypercall_output_size(call);
    /* The write would wait for the page to arrive or to be saved, and this lock would be held all the while. */
    if (bz_spans_overlap(&guest->faulting, output))
        return BZ_HV_ACCESS_DENIED;
    if (BZ_HV_INPUT_CODE(call.input) == BZ_HV_QUERY_CAPABILITIES)
        return write_capabilities(guest, output);
    return write_zeroed(guest, output);
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

static void tell_refusal(struct bz_hypercall call, uint16_t status)
{
    char reason[80];

    if (status == BZ_HV_SUCCESS || BZ_HV_INPUT_CODE(call.input) != BZ_HV_GET_BOOT_ZEROED_MEMORY)
        return;
    snprintf(reason, sizeof reason, "%s (status %u)",
             status == BZ_HV_ACCESS_DENIED ? "the guest is being migrated or saved" : "the call was refused", status);
    bz_events_refused(reason);
}

uint16_t bz_guest_answer(struct bz_guest *guest, struct bz_hypercall call)
{
    uint16_t status = answer(guest, call);

    log_refusal(call, status);
    tell_refusal(call, status);
    return status;
}

void bz_guest_look(const struct bz_guest *guest, struct bz_zeroed *zeroed, struct bz_memory_map *map)
{
    if (guest->tables_are_lost) {
        *zeroed = (struct bz_zeroed){ .backend = "", .reason = "there was no memory to record what happened" };
        map->count = 0;
        return;
    }
    find_zeroed(guest, (struct bz_span){ 0, 0 }, zeroed);
    bz_memory_map_make(map, &guest->slots, &guest->boot, reported_below(guest), guest->persistent_memory);
}
