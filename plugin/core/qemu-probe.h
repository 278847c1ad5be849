/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an emulator can do, asked of itself: it is run with `-machine none` and a QMP monitor on stdio, and
 * device-list-properties is read. The answer is cached by path, size and mtime (core/probe-cache.h).
 *
 * The path comes from domain XML and is hostile input of a daemon that runs as root, before libvirt's access control
 * has seen it. So only a file that root alone can write is run (core/trust.h), with the rights of nobody and no way to
 * gain others (core/emulator.h). Who is not root also runs files of its own.
 *
 * Safe in any thread, without a main loop. It takes configuration->probe_timeout at most; callers that ask about the
 * same file at the same time share one run.
 */
#pragma once
#include "core/configuration.h"

/* Shared and never changed once made. */
typedef struct {
    char *path;       /* resolved: no symbolic links */
    char *version;    /* "7.2.22" */
    char *target;     /* query-target: "x86_64", "i386", "aarch64" ... */
    char *cpu_type;   /* the type -global sets CPU properties on: "x86_64-cpu", "i386-cpu"; NULL when not x86 */
    GStrv properties; /* names of all properties of a CPU of that type, sorted; empty when not x86 */
} BzQemuProbe;

/* Default emulator for an architecture (NULL: the host's), as libvirt finds it: in PATH. NULL when there is none. */
char *bz_qemu_default_path(const char *arch);

/*
 * Errors: BZ_ERROR_UNSUPPORTED, "emulator 'PATH' ..." and what went wrong: it does not exist, is not an executable
 * file, is not trusted, gave no answer in time, crashed, sent garbage.
 */
BzQemuProbe *bz_qemu_probe(const char *path, const BzConfiguration *configuration, GError **error);

gboolean bz_qemu_probe_has(const BzQemuProbe *probe, const char *property);
/* The version is major.minor or newer. */
gboolean bz_qemu_probe_is_at_least(const BzQemuProbe *probe, guint major, guint minor);

/* "x86_64-cpu" and "i386-cpu" for the targets that have Hyper-V properties, else NULL. Static storage. */
const char *bz_qemu_cpu_type(const char *target);

/* An empty probe, for who fills it: all members NULL. */
BzQemuProbe *bz_qemu_probe_new(void);
BzQemuProbe *bz_qemu_probe_ref(BzQemuProbe *probe);
/* Drops one reference. */
void bz_qemu_probe_free(BzQemuProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzQemuProbe, bz_qemu_probe_free)
