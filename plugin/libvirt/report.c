/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions used here are libvirt's own, exported for its drivers. They have kept their form since libvirt 1.3;
 * when one is missing, the next best is used.
 */
#include "libvirt/report.h"

#include <libvirt/virterror.h>
#include <stdio.h>

#include "libvirt/next.h"

/* Composes libvirt's prefix and the message, sets it for the thread and logs it. */
typedef void (*ReportErrorHelper)(int domain, int code, const char *file, const char *function, size_t line,
                                  const char *format, ...) G_GNUC_PRINTF(6, 7);
typedef void (*SetError)(virErrorPtr error);
/* What every public function does on failure: calls the connection's error handler. */
typedef void (*DispatchError)(virConnectPtr conn);

/* libvirt's struct _virLogSource: it keeps in it what the log filters say of this source. */
typedef struct {
    const char *name;
    unsigned int priority;
    unsigned int serial;
    gpointer reserved[4];
} LogSource;

enum { LOG_WARN = 3 }; /* VIR_LOG_WARN of libvirt's virlog.h */

typedef void (*LogMessage)(LogSource *source, int priority, const char *file, int line, const char *function,
                           gpointer metadata, const char *format, ...) G_GNUC_PRINTF(7, 8);

static int libvirt_code(const GError *error)
{
    if (error->domain == BZ_ERROR) {
        switch ((BzError)error->code) {
        case BZ_ERROR_XML:
        case BZ_ERROR_MALFORMED:
            return VIR_ERR_XML_ERROR;
        case BZ_ERROR_UNSUPPORTED:
            return VIR_ERR_CONFIG_UNSUPPORTED;
        case BZ_ERROR_FAILED:
            break;
        }
    }
    return VIR_ERR_INTERNAL_ERROR;
}

static void set_error(const GError *error)
{
    static gpointer report_slot, set_slot;
    ReportErrorHelper report = bz_next(&report_slot, "virReportErrorHelper");
    SetError set = bz_next(&set_slot, "virSetError");
    g_autofree char *text = NULL;

    if (report != NULL) {
        report(VIR_FROM_XML, libvirt_code(error), __FILE__, __func__, __LINE__, "%s", error->message);
        return;
    }
    text = g_strdup_printf("%s: %s", bz_error_prefix(error), error->message);
    if (set != NULL) {
        virError plain = {
            .code = libvirt_code(error), .domain = VIR_FROM_XML, .level = VIR_ERR_ERROR, .message = text};
        set(&plain);
    }
    /* virSetError does not log; and without it the client only hears that the cause is unknown. */
    bz_report_warning("%s", text);
}

void bz_report_error(virConnectPtr conn, const GError *error)
{
    static gpointer reset_slot, dispatch_slot;
    __typeof__(&virResetLastError) reset = bz_next(&reset_slot, "virResetLastError");
    DispatchError dispatch = bz_next(&dispatch_slot, "virDispatchError");

    if (reset != NULL)
        reset();
    set_error(error);
    if (dispatch != NULL)
        dispatch(conn);
}

void bz_report_warning(const char *format, ...)
{
    static gpointer slot;
    static LogSource source = {.name = "bootzero"};
    LogMessage log = bz_next(&slot, "virLogMessage");
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (log != NULL)
        log(&source, LOG_WARN, __FILE__, __LINE__, "bootzero", NULL, "%s", text);
    else
        fprintf(stderr, "bootzero: %s\n", text);
}
