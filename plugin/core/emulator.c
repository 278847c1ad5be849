/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/emulator.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

/* The kernel's overflow id, nobody on every distribution: owns nothing. */
#define NOBODY 65534
#define STDERR_LIMIT (64 * 1024)

typedef struct {
    gboolean drop_root;
    gboolean no_new_privs;
    rlim_t cpu_seconds;
    pid_t parent;
} Confinement;

/* AppArmor refuses to leave our profile for the emulator's, or for none, once no_new_privs is set. */
static gboolean apparmor_confines_us(void)
{
    g_autofree char *label = NULL;

    return g_file_get_contents("/proc/self/attr/apparmor/current", &label, NULL, NULL) && label[0] != '\0' &&
           !g_str_has_prefix(label, "unconfined");
}

static void G_GNUC_NORETURN give_up(const char *what)
{
    ssize_t ignored = write(STDERR_FILENO, what, strlen(what));
    (void)ignored;
    _exit(126);
}

/*
 * Between fork and exec in a process with threads: system calls only. The C library's setuid() is not one, it talks to
 * all threads.
 */
static void confine(gpointer data)
{
    const Confinement *wanted = data;
    const struct rlimit core = {0, 0};
    const struct rlimit cpu = {wanted->cpu_seconds, wanted->cpu_seconds};
    const struct rlimit file = {STDERR_LIMIT, STDERR_LIMIT};
    sigset_t none;

    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_FSIZE, &file);

    if (wanted->drop_root) {
        for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
        if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 ||
            syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0)
            give_up("cannot become user 65534 (nobody) for the probe");
    }
    if (wanted->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        give_up("cannot set no_new_privs for the probe");

    /* After the change of user, which resets it. The parent may be gone already. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != wanted->parent)
        _exit(126);
}

gboolean bz_emulator_start(BzEmulator *emulator, const char *path, guint cpu_seconds, GError **error)
{
    const char *argv[] = {path,          "-machine", "none", "-nodefaults", "-no-user-config", "-nographic",
                          "-S",          "-qmp",     "stdio", NULL};
    const char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/", NULL};
    Confinement wanted = {
        .drop_root = geteuid() == 0,
        .no_new_privs = !apparmor_confines_us(),
        .cpu_seconds = cpu_seconds,
        .parent = getpid(),
    };
    g_autoptr(GError) cause = NULL;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot be run: socketpair: %s", g_strerror(errno));
        return FALSE;
    }
    emulator->monitor = ends[0];
    emulator->errors = memfd_create("bootzero-probe", MFD_CLOEXEC);
    if (emulator->errors < 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot be run: memfd_create: %s", g_strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return FALSE;
    }

    gboolean started = g_spawn_async_with_fds("/", (char **)argv, (char **)environment, G_SPAWN_DO_NOT_REAP_CHILD, confine,
                                              &wanted, &emulator->pid, ends[1], ends[1], emulator->errors, &cause);
    close(ends[1]);
    if (started)
        return TRUE;

    close(emulator->monitor);
    close(emulator->errors);
    if (g_error_matches(cause, G_SPAWN_ERROR, G_SPAWN_ERROR_ACCES) && wanted.drop_root)
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot be run by user nobody, as which it is probed: %s: make it and "
                    "the folders above it readable and executable for all", cause->message);
    else
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot be run: %s", cause->message);
    return FALSE;
}

/* TRUE once it has ended; it stays a zombie, so that its id and its process group remain its own. */
static gboolean has_ended(GPid pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

static char *describe_end(int status, int errors)
{
    char buffer[4096];
    ssize_t length = pread(errors, buffer, sizeof(buffer), 0);
    g_autofree char *words = bz_text_first_line(buffer, (gsize)MAX(length, 0), 200);
    g_autofree char *how = NULL;

    if (WIFSIGNALED(status))
        how = g_strdup_printf("was killed by signal %d (%s) when probed", WTERMSIG(status), g_strsignal(WTERMSIG(status)));
    else
        how = g_strdup_printf("ended with exit status %d when probed", WEXITSTATUS(status));
    return words[0] ? g_strdup_printf("%s: %s", how, words) : g_steal_pointer(&how);
}

char *bz_emulator_stop(BzEmulator *emulator, gint64 patience)
{
    gint64 end = g_get_monotonic_time() + patience;
    gboolean ended;
    char *description = NULL;
    int status = 0;
    pid_t reaped;

    while (!(ended = has_ended(emulator->pid)) && g_get_monotonic_time() < end)
        g_usleep(2000);

    /* With what it may have started itself. */
    kill(-emulator->pid, SIGKILL);
    kill(emulator->pid, SIGKILL);
    do
        reaped = waitpid(emulator->pid, &status, 0);
    while (reaped < 0 && errno == EINTR);

    /* A daemon that ignores SIGCHLD takes the status away. */
    if (ended)
        description = reaped < 0 ? g_strdup("ended when probed") : describe_end(status, emulator->errors);
    close(emulator->monitor);
    close(emulator->errors);
    return description;
}
