/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An emulator as a child process with a QMP monitor, for one short question.
 *
 * The child gets no right the question does not need. When we are root: user and group nobody, no supplementary group,
 * an empty capability bounding set. Always: no_new_privs, except where AppArmor confines us, because it then refuses
 * the profile change its own rules prescribe for an emulator; a bare environment; no descriptor but the three below;
 * a session of its own; limits for CPU time, core dumps and files; death with the thread that started it.
 *   0, 1  the monitor, a socket
 *   2     a file in memory: nobody has to drain it, and the file limit bounds it
 *
 * No signal handler is installed and only this one child is waited for, so it is safe in a thread of any daemon.
 */
#pragma once
#include <glib.h>

typedef struct {
    GPid pid;
    int monitor; /* our end of the socket */
    int errors;  /* what it writes to stderr */
} BzEmulator;

/* path is absolute and stands for itself. cpu_seconds: its RLIMIT_CPU. Errors: BZ_ERROR_FAILED, a clause. */
gboolean bz_emulator_start(BzEmulator *emulator, const char *path, guint cpu_seconds, GError **error);

/*
 * Ends it, at once when it has not ended by itself before patience (microseconds) is over, and frees all that belongs
 * to it. Gives a clause on how it came to its end, "ended with exit status 1 when probed", with its first line on stderr if there
 * is one, or NULL when it had to be killed. Free with g_free().
 */
char *bz_emulator_stop(BzEmulator *emulator, gint64 patience);
