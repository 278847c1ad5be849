/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest asked, and whether it asked correctly. Everything in it is chosen by a hostile guest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qemu/config.h"

struct bz_hypercall {
    uint64_t input;      /* the hypercall input value */
    uint64_t output_gpa; /* where the guest wants the answer */
};

/* True for the calls that config offers. All others, also unknown ones, are QEMU's to answer. */
bool bz_hypercall_is_offered(struct bz_hypercall call, const struct bz_config *config);

/* Bytes the call writes at output_gpa: fixed by the specification. */
size_t bz_hypercall_output_size(struct bz_hypercall call);

/*
 * The checks that need no knowledge of the guest's memory. physical_bits is the width of the guest's physical
 * addresses. Returns BZ_HV_SUCCESS or the status the guest gets.
 */
uint16_t bz_hypercall_check(struct bz_hypercall call, unsigned physical_bits);
