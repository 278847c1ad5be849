/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a program of the build, with fake-kvm.c as its /dev/kvm. */
#pragma once
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

typedef struct {
    char *out, *err;
    int status;
    gsize consumed; /* bytes of the input that were read */
} Run;

static inline void run_clear(Run *run)
{
    g_free(run->out);
    g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* argv ends in NULL. input, when not NULL, is the name of a file. kvm: what fake-kvm.c plays. */
static inline Run run_program(const char *const *argv, const char *input, const char *kvm, const char *configuration)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GError) error = NULL;
    const char *options = g_getenv("ASAN_OPTIONS");
    g_autofree char *asan = g_strconcat(options ? options : "", options ? ":" : "", "verify_asan_link_order=0", NULL);
    Run run = {0};
    int fd = open(input ? input : "/dev/null", O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_subprocess_launcher_take_stdin_fd(launcher, dup(fd));
    g_subprocess_launcher_setenv(launcher, "LC_ALL", "C", TRUE);
    g_subprocess_launcher_setenv(launcher, "LD_PRELOAD", g_getenv("BOOTZERO_FAKE_KVM"), TRUE);
    g_subprocess_launcher_setenv(launcher, "ASAN_OPTIONS", asan, TRUE);
    g_subprocess_launcher_setenv(launcher, "BZ_FAKE_KVM", kvm, TRUE);
    g_subprocess_launcher_setenv(launcher, "BOOTZERO_CONFIG", configuration, TRUE);
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawnv(launcher, argv, &error);
    g_assert_no_error(error);
    g_subprocess_communicate_utf8(process, NULL, NULL, &run.out, &run.err, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(process));
    run.status = g_subprocess_get_exit_status(process);
    if (input)
        run.consumed = (gsize)lseek(fd, 0, SEEK_CUR);
    close(fd);
    return run;
}
