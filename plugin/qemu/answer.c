/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "qemu/mapping.h"

/* The work on one answer; also what the backends give their findings to. */
struct work {
    struct bz_zero_sink sink;
    const struct bz_question *question;
    struct bz_zeroed *zeroed;
    const struct bz_slot *slot; /* the one being scanned */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Only pages that are zero from end to end count. */
static struct bz_span whole_pages(struct bz_span span)
{
    span.start = (span.start + BZ_HV_PAGE_SIZE - 1) & -(uint64_t)BZ_HV_PAGE_SIZE;
    span.end &= -(uint64_t)BZ_HV_PAGE_SIZE;
    return span;
}

static void add_guest_pages(struct work *work, struct bz_span host)
{
    if (bz_span_is_empty(host))
        return;
    uint64_t gpa = work->slot->gpa + (host.start - work->slot->host);
    bz_ranges_add(&work->zeroed->ranges, gpa >> BZ_HV_PAGE_SHIFT, (host.end - host.start) >> BZ_HV_PAGE_SHIFT);
}

/* The output page is about to be written. Excluded by host address, and so under each of its guest addresses. */
static void take_zero(struct bz_zero_sink *sink, struct bz_span zero)
{
    struct work *work = (struct work *)sink;
    struct bz_span output = work->question->output;

    output.start &= -(uint64_t)BZ_HV_PAGE_SIZE;
    output.end = (output.end + BZ_HV_PAGE_SIZE - 1) & -(uint64_t)BZ_HV_PAGE_SIZE;
    zero = whole_pages(zero);
    if (bz_span_is_empty(bz_span_intersect(zero, output))) {
        add_guest_pages(work, zero);
        return;
    }
    add_guest_pages(work, (struct bz_span){ zero.start, output.start });
    add_guest_pages(work, (struct bz_span){ output.end, zero.end });
}

static void leave_out(struct bz_zeroed *zeroed, const char *why)
{
    if (zeroed->reason[0] == '\0')
        snprintf(zeroed->reason, sizeof zeroed->reason, "%s", why);
}

/* Once each. Those that do not fit are not named. */
static void add_backend(struct bz_zeroed *zeroed, const char *name)
{
    size_t used = strlen(zeroed->backend), length = strlen(name);

    for (const char *at = zeroed->backend; *at; at += strspn(at, ",")) {
        if (strcspn(at, ",") == length && strncmp(at, name, length) == 0)
            return;
        at += strcspn(at, ",");
    }
    if (used + 1 + length < sizeof zeroed->backend)
        snprintf(zeroed->backend + used, sizeof zeroed->backend - used, "%s%s", used ? "," : "", name);
}

/* Host memory of one mapping in one slot, write-protected or not. False when the scan failed. */
static bool scan_piece(struct work *work, const struct bz_mapping *mapping, struct bz_span piece)
{
    struct bz_zeroed *zeroed = work->zeroed;
    char why[sizeof zeroed->reason];
    const char *backend;
    enum bz_scan_result result =
        bz_scan(&work->question->memory, mapping, piece, &work->sink, &backend, why, sizeof why);

    if (result == BZ_SCAN_DONE)
        add_backend(zeroed, backend);
    else
        leave_out(zeroed, why);
    return result != BZ_SCAN_FAILED;
}

/* Host memory of one mapping in one slot. False when a scan failed. */
static bool scan_mapping(struct work *work, const struct bz_mapping *mapping, struct bz_span part)
{
    const struct bz_question *question = work->question;

    while (!bz_span_is_empty(part)) {
        bool is_protected, is_unsure;
        struct bz_span piece = bz_spans_first_part(&question->memory.protect->spans, part, &is_protected);
        piece = bz_spans_first_part(question->unsure, piece, &is_unsure);
        if (is_unsure)
            leave_out(work->zeroed, "guest memory is, or was, filled by userfaultfd (postcopy migration or background "
                                    "snapshot), where absent is not zero");
        else if (!scan_piece(work, mapping, piece))
            return false;
        part.start = piece.end;
    }
    return true;
}

/* Boot memory in one slot. */
static bool scan_part(struct work *work, const struct bz_mappings *mappings, struct bz_span part)
{
    uint64_t mapped = 0;

    work->zeroed->boot_bytes += part.end - part.start;
    for (size_t i = 0; i < mappings->count; i++) {
        struct bz_span span = bz_span_intersect(part, mappings->items[i].span);
        if (bz_span_is_empty(span))
            continue;
        mapped += span.end - span.start;
        if (!scan_mapping(work, &mappings->items[i], span))
            return false;
    }
    if (mapped < part.end - part.start)
        leave_out(work->zeroed, "guest memory is not mapped in QEMU");
    return true;
}

/* The part of a slot that may be reported at all, by its guest-physical address, as host addresses. */
static struct bz_span reportable(const struct bz_slot *slot, uint64_t below_gpa)
{
    struct bz_span host = bz_slot_host(slot);
    struct bz_span gpa = { slot->gpa, slot->gpa + slot->size };
    struct bz_span allowed = bz_span_intersect(gpa, (struct bz_span){ BZ_LOWEST_REPORTED, below_gpa });

    if (bz_span_is_empty(allowed))
        return (struct bz_span){ 0, 0 };
    return (struct bz_span){ host.start + (allowed.start - gpa.start), host.end - (gpa.end - allowed.end) };
}

static bool scan_slots(struct work *work, const struct bz_mappings *mappings)
{
    const struct bz_question *question = work->question;

    for (size_t i = 0; i < question->slots->count; i++) {
        work->slot = &question->slots->items[i];
        if (!bz_slot_is_ram(work->slot))
            continue;
        struct bz_span host = reportable(work->slot, question->below_gpa);
        for (size_t j = 0; j < question->boot->count; j++) {
            struct bz_span part = bz_span_intersect(host, question->boot->items[j]);
            if (!bz_span_is_empty(part) && !scan_part(work, mappings, part))
                return false;
        }
    }
    return true;
}

void bz_answer(const struct bz_question *question, struct bz_zeroed *zeroed)
{
    /* Kept from answer to answer; the VM's lock guards it. */
    static struct bz_mappings mappings;
    struct work work = { .sink.take = take_zero, .question = question, .zeroed = zeroed };
    uint64_t started = now_ns();
    char why[sizeof zeroed->reason];

    *zeroed = (struct bz_zeroed){ .backend = "" };
    bool good = bz_mappings_read(question->memory.self->maps, bz_spans_hull(question->boot), &mappings, why, sizeof why);
    if (!good)
        leave_out(zeroed, why);
    else
        good = scan_slots(&work, &mappings);
    if (good && question->memory.protect->why[0] != '\0')
        leave_out(zeroed, question->memory.protect->why);
    if (good)
        bz_ranges_finish(&zeroed->ranges);
    else
        zeroed->ranges = (struct bz_ranges){ .n_kept = 0 };
    zeroed->scan_ns = now_ns() - started;
}
