/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an emulator can do, asked of itself: it is run with `-machine none` and a QMP monitor on stdio, and
 * device-list-properties is read. The answer is cached by path, size and mtime.
 *
 * The path comes from domain XML and is hostile input of a daemon that runs as root, before libvirt's access control
 * has seen it. So only a file that root alone can write is run, with the rights of nobody and no way to gain others.
 */
#pragma once
#include "core/configuration.h"

typedef struct {
    char *path;
    char *version;    /* "7.2.22" */
    char *target;     /* query-target: "x86_64", "i386", "aarch64" ... */
    char *cpu_type;   /* the type -global sets CPU properties on: "x86_64-cpu", "i386-cpu"; NULL when not x86 */
    GStrv properties; /* names of the CPU model's properties that start with "hv-", sorted */
} BzQemuProbe;

/* Default emulator for an architecture (NULL: the host's), as libvirt finds it: in PATH. NULL when there is none. */
char *bz_qemu_default_path(const char *arch);

/* Errors: BZ_ERROR_UNSUPPORTED, naming the path and what went wrong (missing, no answer in time, crashed, garbage). */
BzQemuProbe *bz_qemu_probe(const char *path, const BzConfiguration *configuration, GError **error);
gboolean bz_qemu_probe_has(const BzQemuProbe *probe, const char *property);
void bz_qemu_probe_free(BzQemuProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzQemuProbe, bz_qemu_probe_free)
