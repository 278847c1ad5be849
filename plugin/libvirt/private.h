/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The steps of a migration, which libvirt exports to its own daemons alone and declares in no installed header. Their
 * form is that of its wire protocol, which is never changed, only added to.
 */
#pragma once
#include <libvirt/libvirt.h>

char *virDomainMigrateBegin3(virDomainPtr domain, const char *xml, char **cookie_out, int *cookie_out_size,
                             unsigned long flags, const char *name, unsigned long bandwidth);
char *virDomainMigrateBegin3Params(virDomainPtr domain, virTypedParameterPtr params, int n_params, char **cookie_out,
                                   int *cookie_out_size, unsigned int flags);
int virDomainMigratePerform3(virDomainPtr domain, const char *xml, const char *cookie, int cookie_size,
                             char **cookie_out, int *cookie_out_size, const char *destination, const char *uri,
                             unsigned long flags, const char *name, unsigned long bandwidth);
int virDomainMigratePerform3Params(virDomainPtr domain, const char *destination, virTypedParameterPtr params,
                                   int n_params, const char *cookie, int cookie_size, char **cookie_out,
                                   int *cookie_out_size, unsigned int flags);
int virDomainMigratePrepare2(virConnectPtr conn, char **cookie_out, int *cookie_out_size, const char *uri,
                             char **uri_out, unsigned long flags, const char *name, unsigned long bandwidth,
                             const char *xml);
int virDomainMigratePrepare3(virConnectPtr conn, const char *cookie, int cookie_size, char **cookie_out,
                             int *cookie_out_size, const char *uri, char **uri_out, unsigned long flags,
                             const char *name, unsigned long bandwidth, const char *xml);
int virDomainMigratePrepare3Params(virConnectPtr conn, virTypedParameterPtr params, int n_params, const char *cookie,
                                   int cookie_size, char **cookie_out, int *cookie_out_size, char **uri_out,
                                   unsigned int flags);
int virDomainMigratePrepareTunnel(virConnectPtr conn, virStreamPtr stream, unsigned long flags, const char *name,
                                  unsigned long bandwidth, const char *xml);
int virDomainMigratePrepareTunnel3(virConnectPtr conn, virStreamPtr stream, const char *cookie, int cookie_size,
                                   char **cookie_out, int *cookie_out_size, unsigned long flags, const char *name,
                                   unsigned long bandwidth, const char *xml);
int virDomainMigratePrepareTunnel3Params(virConnectPtr conn, virStreamPtr stream, virTypedParameterPtr params,
                                         int n_params, const char *cookie, int cookie_size, char **cookie_out,
                                         int *cookie_out_size, unsigned int flags);
