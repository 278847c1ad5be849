/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands where libvirt would behind the plugin, for tests/libvirt/adapter.c: it remembers what reaches it and answers
 * what the test wants. Built with BARE it has only the public functions, as a libvirt of the future might.
 */
#include "fake-libvirt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvirt/private.h"

_Thread_local FakeLibvirt fake;

/* Any pointer will do: nothing looks behind it. */
static char domain;

static virDomainPtr take(const char *function, const char *xml)
{
    fake.function = function;
    fake_called(function);
    fake.xml = xml;
    free(fake.copy);
    fake.copy = xml ? strdup(xml) : NULL;
    return (virDomainPtr)&domain;
}

static char *give(const char *function)
{
    fake.function = function;
    fake.answered = fake.answer ? strdup(fake.answer) : NULL;
    return fake.answered;
}

virDomainPtr virDomainDefineXML(virConnectPtr conn, const char *xml)
{
    return take(__func__, xml);
}

virDomainPtr virDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags)
{
    virDomainPtr defined = take(__func__, xml);

    fake.flags = flags;
    return fake.fails == FAKE_DEFINE_FAILS ? NULL : defined;
}

virDomainPtr virDomainCreateXML(virConnectPtr conn, const char *xml, unsigned int flags)
{
    fake.flags = flags;
    return take(__func__, xml);
}

#ifndef BARE
virDomainPtr virDomainCreateXMLWithFiles(virConnectPtr conn, const char *xml, unsigned int nfiles, int *files,
                                         unsigned int flags)
{
    fake.flags = flags;
    fake.files = files;
    return take(__func__, xml);
}
#endif

char *virDomainGetXMLDesc(virDomainPtr dom, unsigned int flags)
{
    char call[32];

    snprintf(call, sizeof(call), "xml:%u", flags);
    fake_called(call);
    if (fake.calls == NULL)
        fake.flags = flags;
    if (fake.fails == FAKE_SECURE_FAILS && flags & VIR_DOMAIN_XML_SECURE)
        return NULL;
    return give(__func__);
}

char *virConnectGetDomainCapabilities(virConnectPtr conn, const char *emulatorbin, const char *arch, const char *machine,
                                      const char *virttype, unsigned int flags)
{
    fake.flags = flags;
    return give(__func__);
}

#ifndef BARE

void virResetLastError(void)
{
    fake.error_code = 0;
    fake.error_domain = 0;
    fake.error[0] = '\0';
}

void virReportErrorHelper(int error_domain, int code, const char *file, const char *function, size_t line,
                          const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fake.error_code = code;
    fake.error_domain = error_domain;
    vsnprintf(fake.error, sizeof(fake.error), format, arguments);
    va_end(arguments);
}

void virDispatchError(virConnectPtr conn)
{
    fake.dispatched = conn;
}

void virLogMessage(void *source, int priority, const char *file, int line, const char *function, void *metadata,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fake.log_priority = priority;
    vsnprintf(fake.log, sizeof(fake.log), format, arguments);
    va_end(arguments);
}

#endif

#ifndef BARE

/* The functions that carry XML as an argument called xml, and those that carry it in typed parameters. */
#define TAKES(name, ...)         \
    int name(__VA_ARGS__)        \
    {                            \
        take(#name, xml);        \
        return 0;                \
    }
#define TAKES_PARAMETERS(name, ...)                                  \
    int name(__VA_ARGS__)                                            \
    {                                                                \
        fake.parameters = params;                                    \
        take(#name, nparams > 1 ? params[1].value.s : NULL);         \
        return 0;                                                    \
    }

virConnectPtr virDomainGetConnect(virDomainPtr dom)
{
    return fake.connection;
}

int virDomainIsActive(virDomainPtr dom)
{
    fake_called("active");
    return !fake.is_shut_off;
}

char *virDomainSaveImageGetXMLDesc(virConnectPtr conn, const char *file, unsigned int flags)
{
    return strcmp(file, "image") == 0 ? give(__func__) : NULL;
}

char *virDomainManagedSaveGetXMLDesc(virDomainPtr dom, unsigned int flags)
{
    return give(__func__);
}

TAKES(virDomainSaveFlags, virDomainPtr dom, const char *to, const char *xml, unsigned int flags)
TAKES_PARAMETERS(virDomainSaveParams, virDomainPtr dom, virTypedParameterPtr params, int nparams, unsigned int flags)
TAKES(virDomainRestoreFlags, virConnectPtr conn, const char *from, const char *xml, unsigned int flags)
TAKES_PARAMETERS(virDomainRestoreParams, virConnectPtr conn, virTypedParameterPtr params, int nparams,
                 unsigned int flags)
TAKES(virDomainSaveImageDefineXML, virConnectPtr conn, const char *file, const char *xml, unsigned int flags)
TAKES(virDomainManagedSaveDefineXML, virDomainPtr dom, const char *xml, unsigned int flags)
TAKES(virDomainMigratePerform3, virDomainPtr dom, const char *xml, const char *cookie, int cookie_size,
      char **cookie_out, int *cookie_out_size, const char *destination, const char *uri, unsigned long flags,
      const char *name, unsigned long bandwidth)
TAKES_PARAMETERS(virDomainMigratePerform3Params, virDomainPtr dom, const char *destination, virTypedParameterPtr params,
                 int nparams, const char *cookie, int cookie_size, char **cookie_out, int *cookie_out_size,
                 unsigned int flags)
TAKES(virDomainMigratePrepare2, virConnectPtr conn, char **cookie_out, int *cookie_out_size, const char *uri,
      char **uri_out, unsigned long flags, const char *name, unsigned long bandwidth, const char *xml)
TAKES(virDomainMigratePrepare3, virConnectPtr conn, const char *cookie, int cookie_size, char **cookie_out,
      int *cookie_out_size, const char *uri, char **uri_out, unsigned long flags, const char *name,
      unsigned long bandwidth, const char *xml)
TAKES_PARAMETERS(virDomainMigratePrepare3Params, virConnectPtr conn, virTypedParameterPtr params, int nparams,
                 const char *cookie, int cookie_size, char **cookie_out, int *cookie_out_size, char **uri_out,
                 unsigned int flags)
TAKES(virDomainMigratePrepareTunnel, virConnectPtr conn, virStreamPtr stream, unsigned long flags, const char *name,
      unsigned long bandwidth, const char *xml)
TAKES(virDomainMigratePrepareTunnel3, virConnectPtr conn, virStreamPtr stream, const char *cookie, int cookie_size,
      char **cookie_out, int *cookie_out_size, unsigned long flags, const char *name, unsigned long bandwidth,
      const char *xml)
TAKES_PARAMETERS(virDomainMigratePrepareTunnel3Params, virConnectPtr conn, virStreamPtr stream,
                 virTypedParameterPtr params, int nparams, const char *cookie, int cookie_size, char **cookie_out,
                 int *cookie_out_size, unsigned int flags)

char *virDomainMigrateBegin3(virDomainPtr dom, const char *xml, char **cookie_out, int *cookie_out_size,
                             unsigned long flags, const char *name, unsigned long bandwidth)
{
    take(__func__, xml);
    return fake.copy != NULL ? strdup(fake.copy) : NULL;
}

char *virDomainMigrateBegin3Params(virDomainPtr dom, virTypedParameterPtr params, int nparams, char **cookie_out,
                                   int *cookie_out_size, unsigned int flags)
{
    take(__func__, nparams > 1 ? params[1].value.s : NULL);
    return fake.copy != NULL ? strdup(fake.copy) : NULL;
}

char *virDomainGetMetadata(virDomainPtr dom, int type, const char *uri, unsigned int flags)
{
    take(__func__, uri);
    return NULL;
}

int virDomainSetMetadata(virDomainPtr dom, int type, const char *metadata, const char *key, const char *uri,
                         unsigned int flags)
{
    take(__func__, uri);
    return 0;
}

#endif
