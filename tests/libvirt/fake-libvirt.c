/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands where libvirt would behind the plugin, for tests/libvirt/adapter.c: it remembers what reaches it and answers
 * what the test wants. Built with BARE it has only the public functions, as a libvirt of the future might.
 */
#include "fake-libvirt.h"

#include <libvirt/virterror.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FakeLibvirt fake;

/* Any pointer will do: nothing looks behind it. */
static char domain;

static virDomainPtr take(const char *function, const char *xml)
{
    fake.function = function;
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
    fake.flags = flags;
    return take(__func__, xml);
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
    fake.flags = flags;
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
