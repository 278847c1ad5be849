/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

enum { FAKE_SECURE_FAILS = 1, FAKE_DEFINE_FAILS };

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
    const char *uri;
    const char *monitor; /* what QEMU says to any command; NULL: nothing */
    int fails;           /* FAKE_..., with failure as libvirt's last error */
    virError failure;
    GString *calls; /* when not NULL: names of functions, in the order they were called */

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

static inline void fake_called(const char *name)
{
    if (fake.calls != NULL)
        g_string_append_printf(fake.calls, "%s ", name);
}

/* Two parameters, for saving and for migrating: an image's name, and XML under that name. They point to what was given. */
static inline virTypedParameter *fake_parameters(virTypedParameter params[2], const char *name, const char *xml)
{
    memset(params, 0, 2 * sizeof(*params));
    g_strlcpy(params[0].field, VIR_DOMAIN_SAVE_PARAM_FILE, sizeof(params[0].field));
    params[0].type = VIR_TYPED_PARAM_STRING;
    params[0].value.s = (char *)"image";
    g_strlcpy(params[1].field, name, sizeof(params[1].field));
    params[1].type = VIR_TYPED_PARAM_STRING;
    params[1].value.s = (char *)xml;
    return params;
}

/* libvirt's private ones, as far as the fake has them. */
void virReportErrorHelper(int error_domain, int code, const char *file, const char *function, size_t line,
                          const char *format, ...) __attribute__((format(printf, 6, 7)));
void virDispatchError(virConnectPtr conn);
void virLogMessage(void *source, int priority, const char *file, int line, const char *function, void *metadata,
                   const char *format, ...) __attribute__((format(printf, 7, 8)));
