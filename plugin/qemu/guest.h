/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the guest, and the answers to its calls. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "qemu/answer.h"
#include "qemu/config.h"
#include "qemu/files.h"
#include "qemu/hypercall.h"
#include "qemu/memory-map.h"
#include "qemu/self.h"
#include "qemu/slots.h"
#include "qemu/span.h"
#include "qemu/write-protect.h"

/* Reasons for which a guest never gets a range again. */
#define BZ_GUEST_ENCRYPTED (1u << 0)
#define BZ_GUEST_HAS_SIBLING (1u << 1) /* a second VM in this process: whose memory is whose? */

struct bz_guest {
    /* Constant once the VM is created. */
    struct bz_config config;
    struct bz_self self;
    bool self_is_open;
    char self_why[160];            /* why not */
    const char *persistent_memory; /* why it must be expected, or NULL */

    /* Set from any thread. */
    atomic_uint physical_bits; /* width of guest-physical addresses */
    atomic_uint never;         /* BZ_GUEST_* */

    /* Under the VM's lock. */
    struct bz_slots slots;
    struct bz_spans boot;       /* host memory the guest was started with */
    struct bz_spans userfaults; /* host memory that QEMU ever registered with userfaultfd */
    struct bz_spans faulting;   /* of that: what is registered now, so that a write may wait for someone */
    struct bz_files files;      /* those behind boot memory */
    struct bz_write_protect protect;
    bool tables_are_lost;       /* out of memory while recording: nothing may be believed any more */
};

/*
 * Answers a call that is offered: checks it, finds what was asked, writes it to the guest's memory, and logs the
 * outcome. Returns the call's status. The VM's lock must be held, and be the one held while slots change.
 */
uint16_t bz_guest_answer(struct bz_guest *guest, struct bz_hypercall call);

/* What the guest would be answered now, and what memory it has. The lock is held as for an answer. */
void bz_guest_look(const struct bz_guest *guest, struct bz_zeroed *zeroed, struct bz_memory_map *map);
