/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The usual machine asks, and what it is told. */
#pragma once

#include "machine.h"

#define ON "boot-zeroed-mem=on"
#define OUT (2 * MIB)
#define SIZE (16 * MIB)

/* For machine_expect_exactly(). */
bool nothing_written(uint64_t page);

/* Asks at OUT and checks the answer; that exactly bytes are reported in [start, end); that nothing is, and the log's reason. */
struct bz_hv_boot_zeroed_memory ask(void);
void expect_reported(uint64_t start, uint64_t end, uint64_t bytes);
void expect_none(const char *reason);

/*
 * The usual machine with BOOTZERO as bootzero has it, and more of it before the registers are loaded: everything that is
 * not plain memory stays out even then.
 */
extern const char *bootzero;
void start_with(int (*more)(void));
