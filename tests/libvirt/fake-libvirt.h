/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <libvirt/libvirt.h>

typedef struct {
    const char *function; /* the last one called */
    const char *xml;      /* the very pointer it got, maybe freed since */
    char *copy;           /* what was there */
    unsigned int flags;
    int *files;
    virTypedParameterPtr parameters;
    virConnectPtr connection; /* of every domain */
    int is_shut_off;
    int has_managed_save;
    const char *monitor; /* what QEMU says to any command; NULL: nothing */

    const char *answer; /* what the functions that return XML copy */
    char *answered;     /* the very pointer they returned */

    int error_code;
    int error_domain;
    char error[4096];
    virConnectPtr dispatched;
    int log_priority;
    char log[4096];
} FakeLibvirt;

extern _Thread_local FakeLibvirt fake; /* each thread has its own */

/* libvirt's private ones, as far as the fake has them. */
void virReportErrorHelper(int error_domain, int code, const char *file, const char *function, size_t line,
                          const char *format, ...) __attribute__((format(printf, 6, 7)));
void virDispatchError(virConnectPtr conn);
void virLogMessage(void *source, int priority, const char *file, int line, const char *function, void *metadata,
                   const char *format, ...) __attribute__((format(printf, 7, 8)));
