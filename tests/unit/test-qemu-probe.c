/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/probe-cache.h"
#include "core/qemu-probe.h"
#include "fake-emulator.h"
#include "scratch.h"

/* Long enough for a busy machine; the tests of the limit itself set a short one. */
static guint timeout = 30;

static BzConfiguration *configure(Scratch *scratch)
{
    BzConfiguration *configuration = g_new0(BzConfiguration, 1);

    configuration->probe_timeout = timeout;
    configuration->cache_directory = g_build_filename(scratch->path, "cache", NULL);
    return configuration;
}

/* Neither a child nor a zombie is left of a probe. */
static void assert_no_child(void)
{
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
}

static guint open_files(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

/* message follows "emulator 'PATH'". */
static void check_refused(Scratch *scratch, const char *path, const char *message)
{
    g_autoptr(BzConfiguration) configuration = configure(scratch);
    g_autofree char *expected = g_strdup_printf("emulator '%s' %s", path, message);
    g_autoptr(GError) error = NULL;
    guint files = open_files();
    gint64 start = g_get_monotonic_time();

    g_assert_null(bz_qemu_probe(path, configuration, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, expected);
    g_assert_null(strchr(error->message, '\n'));
    g_assert_cmpint(g_get_monotonic_time() - start, <, (timeout + 30) * G_USEC_PER_SEC);
    g_assert_cmpuint(open_files(), ==, files);
    assert_no_child();
}

static void check_script(Scratch *scratch, const char *script, const char *message)
{
    g_autofree char *path = scratch_file(scratch, "emulator", script, 0755);

    check_refused(scratch, path, message);
}

static void test_answer(Scratch *scratch, gconstpointer data)
{
    g_autoptr(BzConfiguration) configuration = configure(scratch);
    g_autofree char *path = scratch_file(scratch, "emulator", FAKE_STOCK, 0755);
    g_autoptr(GError) error = NULL;
    g_autoptr(BzQemuProbe) probe = bz_qemu_probe(path, configuration, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(probe->path, ==, path);
    g_assert_cmpstr(probe->version, ==, "9.1.3");
    g_assert_cmpstr(probe->target, ==, "x86_64");
    g_assert_cmpstr(probe->cpu_type, ==, "x86_64-cpu");
    g_assert_cmpuint(g_strv_length(probe->properties), ==, 2);
    g_assert_cmpstr(probe->properties[0], ==, "hv-relaxed");
    g_assert_true(bz_qemu_probe_has(probe, "hv-vapic"));
    g_assert_false(bz_qemu_probe_has(probe, "hv-boot-zeroed-mem"));
    g_assert_true(bz_qemu_probe_is_at_least(probe, 9, 1));
    g_assert_true(bz_qemu_probe_is_at_least(probe, 8, 2));
    g_assert_false(bz_qemu_probe_is_at_least(probe, 9, 2));
    g_assert_false(bz_qemu_probe_is_at_least(probe, 10, 0));
    assert_no_child();
}

static void test_other_architecture(Scratch *scratch, gconstpointer data)
{
    g_autoptr(BzConfiguration) configuration = configure(scratch);
    g_autofree char *path = scratch_file(scratch, "emulator", FAKE_EMULATOR("", VERSION_9_1, "aarch64", "[]"), 0755);
    g_autoptr(GError) error = NULL;
    g_autoptr(BzQemuProbe) probe = bz_qemu_probe(path, configuration, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(probe->target, ==, "aarch64");
    g_assert_null(probe->cpu_type);
    g_assert_cmpuint(g_strv_length(probe->properties), ==, 0);
}

static void test_real(Scratch *scratch, gconstpointer data)
{
    g_autofree char *path = bz_qemu_default_path("x86_64");

    if (!path) {
        g_test_skip("qemu-system-x86_64 is not installed");
        return;
    }
    g_autoptr(BzConfiguration) configuration = configure(scratch);
    g_autoptr(GError) error = NULL;
    g_autoptr(BzQemuProbe) probe = bz_qemu_probe(path, configuration, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(probe->target, ==, "x86_64");
    g_assert_cmpstr(probe->cpu_type, ==, "x86_64-cpu");
    g_assert_true(bz_qemu_probe_has(probe, "hv-vapic"));
    g_assert_true(bz_qemu_probe_has(probe, "hv-relaxed"));
    assert_no_child();
}

static void test_file(Scratch *scratch, gconstpointer data)
{
    g_autofree char *missing = g_build_filename(scratch->path, "missing", NULL);
    g_autofree char *plain = scratch_file(scratch, "plain", FAKE_STOCK, 0644);
    g_autofree char *setuid = scratch_file(scratch, "setuid", FAKE_STOCK, 04755);
    g_autofree char *odd = g_build_filename(scratch->path, "a\nb", NULL);
    g_autoptr(BzConfiguration) configuration = configure(scratch);
    g_autoptr(GError) error = NULL;

    check_refused(scratch, missing, "does not exist: install it or correct <emulator>");
    check_refused(scratch, scratch->path, "is not an executable file");
    check_refused(scratch, plain, "is not an executable file");
    check_refused(scratch, setuid, "is not run to probe it: it has the setuid or setgid bit");
    check_refused(scratch, "qemu-system-x86_64", "is not an absolute path");
    g_assert_null(bz_qemu_probe(odd, configuration, &error));
    assert_message(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "a\\x0ab' does not exist");
}

static void test_trust(Scratch *scratch, gconstpointer data)
{
    g_autofree char *path = scratch_file(scratch, "emulator", FAKE_STOCK, 0775);
    g_autofree char *link = g_build_filename(scratch->path, "link", NULL);
    g_autofree char *file_message = g_strdup_printf("is not trusted: others can write to '%s' (mode 0775): chmod go-w it", path);
    g_autofree char *dir_message =
        g_strdup_printf("is not trusted: others can write to '%s' (mode 0757): chmod go-w it", scratch->path);

    check_refused(scratch, path, file_message);
    g_assert_cmpint(symlink("emulator", link), ==, 0);
    check_refused(scratch, link, file_message);

    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
    g_assert_cmpint(g_chmod(scratch->path, 0757), ==, 0);
    check_refused(scratch, path, dir_message);

    if (geteuid() == 0) {
        g_autofree char *owner_message = g_strdup_printf("is not trusted: '%s' belongs to user 12345: it must belong to root", path);
        g_assert_cmpint(g_chmod(scratch->path, 0755), ==, 0);
        g_assert_cmpint(chown(path, 12345, 0), ==, 0);
        check_refused(scratch, path, owner_message);
    }
}

static void test_unreachable(Scratch *scratch, gconstpointer data)
{
    g_autofree char *path = scratch_file(scratch, "emulator", FAKE_STOCK, 0755);

    if (geteuid() != 0) {
        g_test_skip("needs root: otherwise the probe does not change its user");
        return;
    }
    g_assert_cmpint(g_chmod(scratch->path, 0700), ==, 0);
    check_refused(scratch, path, "cannot be run by user nobody, as which it is probed: ");
}

/* What the emulator sees of the rights it has, told by its first line on stderr. */
static void test_confinement(Scratch *scratch, gconstpointer data)
{
    g_autofree char *user = geteuid() == 0 ? g_strdup("65534 65534 65534") : g_strdup_printf("%u", geteuid());
    g_autofree char *message = g_strdup_printf("ended with exit status 7 when probed: %s", user);

    check_script(scratch, "#!/bin/sh\necho $(id -u) $(id -g) $(id -G) >&2\nexit 7\n", message);
    check_script(scratch, "#!/bin/sh\necho $(grep -E 'NoNewPrivs|CapEff|SigBlk' /proc/self/status) >&2\nexit 7\n",
                 "ended with exit status 7 when probed: SigBlk: 0000000000000000 CapEff: 0000000000000000 NoNewPrivs: 1");
    check_script(scratch, "#!/bin/sh\ncd /proc/$$/fd\necho [012] $(ls | wc -l) >&2\nexit 7\n",
                 "ended with exit status 7 when probed: 0 1 2 ");
    g_setenv("BZ_TEST_LEAK", "leaked", TRUE);
    check_script(scratch, "#!/bin/sh\necho .$BZ_TEST_LEAK.$LD_PRELOAD.$LC_ALL.$PWD. >&2\nexit 7\n",
                 "ended with exit status 7 when probed: ...C./.");
    g_unsetenv("BZ_TEST_LEAK");
}

static void test_crash(Scratch *scratch, gconstpointer data)
{
    check_script(scratch, "#!/bin/sh\nexit 3\n", "ended with exit status 3 when probed");
    check_script(scratch, "#!/bin/sh\nprintf 'no\\tluck\\nat all\\n' >&2\nexit 1\n",
                 "ended with exit status 1 when probed: no\\x09luck");
    check_script(scratch, "#!/bin/sh\necho '" GREETING "'\nkill -SEGV $$\n",
                 "was killed by signal 11 (Segmentation fault) when probed");
    check_script(scratch, "#!/bin/sh\nexec yes >&2\n", "was killed by signal 25 (File size limit exceeded) when probed: y");
    check_script(scratch, "#!/bin/sh\nexec >&- <&-\nsleep 100\n",
                 "closed its QMP monitor instead of answering the QMP handshake");
}

static void test_garbage(Scratch *scratch, gconstpointer data)
{
    check_script(scratch, "#!/bin/sh\necho 'hello \033[31mworld'\nsleep 100\n",
                 "sent garbage: 'hello \\x1b[31mworld': it is not a QEMU system emulator, or broken");
    check_script(scratch, "#!/bin/sh\nexec yes\n", "sent garbage: 'y'");
    check_script(scratch, "#!/bin/sh\nexec tr '\\0' '[' < /dev/zero\n", "sent garbage: '[[[");
    check_script(scratch, "#!/bin/sh\nprintf '{\"a\":'; exec tr '\\0' '[' < /dev/zero\n",
                 "sent JSON that is nested too deeply: '{\"a\":[[[");
    check_script(scratch, "#!/bin/sh\nprintf '{\"a\":\"'; exec tr '\\0' 'x' < /dev/zero\n", "sent JSON without end: '{\"a\":\"xxx");
    check_script(scratch, "#!/bin/sh\necho '{\"hello\": 1}'\nsleep 100\n", "sent garbage: '{\"hello\":1}'");
    check_script(scratch, "#!/bin/sh\necho '" GREETING "'\nexec yes \"$(printf '{\"event\": \"%04000d\"}' 0)\"\n",
                 "sent more than 4194304 bytes");
}

static void test_odd_answers(Scratch *scratch, gconstpointer data)
{
    check_script(scratch, FAKE_EMULATOR("", "{\"major\": -1, \"minor\": 1, \"micro\": 3}", "x86_64", "[]"),
                 "gave an answer to 'query-version' that does not have QMP's form");
    check_script(scratch, FAKE_EMULATOR("", "\"9.1\"", "x86_64", "[]"),
                 "gave an answer to 'query-version' that does not have QMP's form");
    check_script(scratch, FAKE_EMULATOR("", VERSION_9_1, "x86_64", "{}"),
                 "gave an answer to 'device-list-properties' that does not have QMP's form");
    check_script(scratch, FAKE_EMULATOR("", VERSION_9_1, "x86_64", "[1]"),
                 "gave an answer to 'device-list-properties' that does not have QMP's form");
    check_script(scratch, FAKE_EMULATOR("", VERSION_9_1, "x86_64", "[{\"name\": 1}]"),
                 "gave an answer to 'device-list-properties' that does not have QMP's form");
    check_script(scratch,
                 "#!/bin/sh\necho '" GREETING "'\nread a\necho '{\"error\": {\"desc\": \"not\\\\nnow\"}}'\nsleep 100\n",
                 "refused 'qmp_capabilities': not\\x0anow: it is not");
    check_script(scratch, "#!/bin/sh\necho '" GREETING "'\nread a\necho '{\"error\": 5}'\nsleep 100\n",
                 "refused 'qmp_capabilities': no description");
}

#define WITHIN(seconds) " within " seconds " of the start of its probe: try it by hand, or raise probe-timeout"

static void test_slow(Scratch *scratch, gconstpointer data)
{
    g_autofree char *pid_file = scratch_file(scratch, "pid", "", 0666);
    g_autofree char *hang = g_strdup_printf("#!/bin/sh\nsleep 100 &\necho $! > %s\nwait\n", pid_file);
    g_autofree char *pid_text = NULL;

    timeout = 3;
    check_script(scratch, hang, "gave no answer to the QMP handshake within 3 seconds");
    g_assert_true(g_file_get_contents(pid_file, &pid_text, NULL, NULL));

    /* What the emulator started ends with it; init may need a moment to reap it. */
    pid_t pid = (pid_t)g_ascii_strtoll(pid_text, NULL, 10);
    g_assert_cmpint(pid, >, 1);
    for (int i = 0; i < 500; i++) {
        g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", (int)pid);
        g_autofree char *stat_text = NULL;
        if (!g_file_get_contents(stat_path, &stat_text, NULL, NULL) || strstr(stat_text, ") Z "))
            break;
        g_assert_cmpint(i, <, 499);
        g_usleep(10000);
    }

    check_script(scratch, "#!/bin/sh\necho '" GREETING "'\nexec sleep 100\n",
                 "gave no answer to 'qmp_capabilities'" WITHIN("3 seconds"));
    timeout = 1;
    /* Each byte comes in time, the whole does not. */
    check_script(scratch, "#!/bin/sh\nwhile :; do printf ' '; sleep 0.05; done\n",
                 "gave no answer to the QMP handshake" WITHIN("1 seconds"));
    check_script(scratch, "#!/bin/sh\ntrap '' TERM HUP INT\nwhile :; do sleep 1; done\n",
                 "gave no answer to the QMP handshake" WITHIN("1 seconds"));
    timeout = 30;
}

/* A daemon that ignores SIGCHLD reaps before us. */
static void test_ignored_sigchld(Scratch *scratch, gconstpointer data)
{
    g_autoptr(BzConfiguration) configuration = configure(scratch);
    g_autofree char *path = scratch_file(scratch, "emulator", FAKE_STOCK, 0755);
    g_autoptr(GError) error = NULL;
    void (*old)(int) = signal(SIGCHLD, SIG_IGN);

    g_autoptr(BzQemuProbe) probe = bz_qemu_probe(path, configuration, &error);
    g_assert_no_error(error);
    check_script(scratch, "#!/bin/sh\nexit 3\n", "ended when probed");
    signal(SIGCHLD, old);
}

static gpointer probe_in_thread(gpointer data)
{
    g_autoptr(BzConfiguration) configuration = configure(data);
    g_autofree char *path = g_build_filename(((Scratch *)data)->path, "emulator", NULL);
    g_autoptr(GError) error = NULL;

    BzQemuProbe *probe = bz_qemu_probe(path, configuration, &error);
    g_assert_no_error(error);
    return probe;
}

static void test_threads(Scratch *scratch, gconstpointer data)
{
    g_autofree char *runs = scratch_file(scratch, "runs", "", 0666);
    g_autofree char *script = g_strdup_printf(FAKE_EMULATOR("echo run >> %s; sleep 0.3", VERSION_9_1, "x86_64", PROPERTIES_BOTH),
                                              runs);
    g_autofree char *path = scratch_file(scratch, "emulator", script, 0755);
    g_autofree char *content = NULL;
    GThread *threads[8];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("probe", probe_in_thread, scratch);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(BzQemuProbe) probe = g_thread_join(threads[i]);
        g_assert_true(bz_qemu_probe_has(probe, "hv-boot-zeroed-mem"));
    }
    g_assert_true(g_file_get_contents(runs, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "run\n");
    assert_no_child();
}

static void test_default_path(void)
{
    g_autofree char *none = bz_qemu_default_path("no-such-arch");

    g_assert_null(none);
}

#define ADD(name, function) g_test_add("/qemu-probe/" name, Scratch, NULL, scratch_set_up, function, scratch_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("answer", test_answer);
    ADD("other-architecture", test_other_architecture);
    ADD("real", test_real);
    ADD("file", test_file);
    ADD("trust", test_trust);
    ADD("unreachable", test_unreachable);
    ADD("confinement", test_confinement);
    ADD("crash", test_crash);
    ADD("garbage", test_garbage);
    ADD("odd-answers", test_odd_answers);
    ADD("slow", test_slow);
    ADD("ignored-sigchld", test_ignored_sigchld);
    ADD("threads", test_threads);
    g_test_add_func("/qemu-probe/default-path", test_default_path);
    return g_test_run();
}
