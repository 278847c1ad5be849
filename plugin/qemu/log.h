/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines on stderr, which libvirt keeps as the domain's log. Callers hold the VM's lock, or are alone. */
#pragma once

#include <stdint.h>

/* For what the administrator causes: configuration, start. One line, "bootzero: " before it. */
void bz_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * For what the guest causes. The line appears only when (status, reason) differ from the last time for that call,
 * and never more than BZ_LOG_GUEST_LINES in the life of the process: a hostile guest cannot fill a disk.
 */
#define BZ_LOG_GUEST_LINES 64
void bz_log_outcome(uint16_t call, uint16_t status, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
