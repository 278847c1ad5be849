/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/probe-cache.h"
#include "scratch.h"

static guint runs;
static gboolean fail;

static BzQemuProbe *prober(const char *path, const BzConfiguration *configuration, GError **error)
{
    runs++;
    if (fail) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED, "failure %u", runs);
        return NULL;
    }
    BzQemuProbe *probe = bz_qemu_probe_new();
    const char *properties[] = {"hv-a", "with;semicolon", NULL};
    probe->path = g_strdup(path);
    probe->version = g_strdup_printf("8.0.%u", runs);
    probe->target = g_strdup("i386");
    probe->cpu_type = g_strdup("i386-cpu");
    probe->properties = g_strdupv((char **)properties);
    return probe;
}

typedef struct {
    Scratch scratch;
    BzConfiguration *configuration;
    char *emulator;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    scratch_set_up(&fixture->scratch, NULL);
    fixture->configuration = g_new0(BzConfiguration, 1);
    fixture->configuration->cache_directory = g_build_filename(fixture->scratch.path, "a", "cache", NULL);
    fixture->emulator = scratch_file(&fixture->scratch, "emulator", "x", 0755);
    runs = 0;
    fail = FALSE;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    bz_probe_cache_forget();
    bz_configuration_free(fixture->configuration);
    g_free(fixture->emulator);
    scratch_tear_down(&fixture->scratch, NULL);
}

/* Asks, and tells which run of the prober the answer is from. */
static char *ask(Fixture *fixture)
{
    struct stat st;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(stat(fixture->emulator, &st), ==, 0);
    g_autoptr(BzQemuProbe) probe = bz_probe_cache_get(fixture->emulator, &st, fixture->configuration, prober, &error);
    if (!probe)
        return g_strdup(error->message);
    g_assert_cmpstr(probe->path, ==, fixture->emulator);
    g_assert_cmpstr(probe->cpu_type, ==, "i386-cpu");
    g_assert_cmpuint(g_strv_length(probe->properties), ==, 2);
    g_assert_cmpstr(probe->properties[1], ==, "with;semicolon");
    return g_strdup(probe->version);
}

#define assert_answer(fixture, expected)                                                                               \
    do {                                                                                                               \
        g_autofree char *answer = ask(fixture);                                                                        \
        g_assert_cmpstr(answer, ==, expected);                                                                         \
    } while (0)

static char *cache_file(Fixture *fixture)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->configuration->cache_directory, 0, NULL);

    g_assert_nonnull(dir);
    char *path = g_build_filename(fixture->configuration->cache_directory, g_dir_read_name(dir), NULL);
    g_assert_null(g_dir_read_name(dir));
    return path;
}

static void test_memory(Fixture *fixture, gconstpointer data)
{
    g_free(fixture->configuration->cache_directory);
    fixture->configuration->cache_directory = g_strdup("/proc/nowhere");
    assert_answer(fixture, "8.0.1");
    assert_answer(fixture, "8.0.1");
    bz_probe_cache_forget();
    assert_answer(fixture, "8.0.2");
}

static void test_disk(Fixture *fixture, gconstpointer data)
{
    assert_answer(fixture, "8.0.1");
    bz_probe_cache_forget();
    assert_answer(fixture, "8.0.1");
    g_assert_cmpuint(runs, ==, 1);
}

static void test_state(Fixture *fixture, gconstpointer data)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000, .tv_nsec = 1}};

    g_assert_cmpint(utimensat(AT_FDCWD, fixture->emulator, times, 0), ==, 0);
    assert_answer(fixture, "8.0.1");
    times[1].tv_nsec = 2;
    g_assert_cmpint(utimensat(AT_FDCWD, fixture->emulator, times, 0), ==, 0);
    assert_answer(fixture, "8.0.2");
    bz_probe_cache_forget();
    assert_answer(fixture, "8.0.2");

    g_assert_cmpint(truncate(fixture->emulator, 2), ==, 0);
    g_assert_cmpint(utimensat(AT_FDCWD, fixture->emulator, times, 0), ==, 0);
    assert_answer(fixture, "8.0.3");
}

static void test_damage(Fixture *fixture, gconstpointer data)
{
    assert_answer(fixture, "8.0.1");
    g_autofree char *file = cache_file(fixture);
    g_autofree char *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(file, &content, &length, NULL));

    /* Cut at each length short of its last newline, it is asked anew, and mended. */
    for (gsize cut = 0; cut < length - 1; cut += 7) {
        guint before = runs;
        g_autofree char *expected = g_strdup_printf("8.0.%u", before + 1);
        g_assert_true(g_file_set_contents(file, content, (gssize)cut, NULL));
        g_assert_cmpint(g_chmod(file, 0644), ==, 0);
        bz_probe_cache_forget();
        assert_answer(fixture, expected);
    }
    const char *others[] = {"\xff\xfe\x00garbage", "[probe]\nbootzero=0.0.0\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *expected = g_strdup_printf("8.0.%u", runs + 1);
        g_assert_true(g_file_set_contents(file, others[i], -1, NULL));
        bz_probe_cache_forget();
        assert_answer(fixture, expected);
    }
}

static void test_untrusted(Fixture *fixture, gconstpointer data)
{
    assert_answer(fixture, "8.0.1");
    g_autofree char *file = cache_file(fixture);

    g_assert_cmpint(g_chmod(file, 0666), ==, 0);
    bz_probe_cache_forget();
    assert_answer(fixture, "8.0.2");

    g_assert_cmpint(g_chmod(fixture->configuration->cache_directory, 0777), ==, 0);
    bz_probe_cache_forget();
    assert_answer(fixture, "8.0.3");
    g_assert_cmpint(g_chmod(fixture->configuration->cache_directory, 0755), ==, 0);

    if (geteuid() == 0) {
        g_assert_cmpint(chown(file, 12345, 0), ==, 0);
        bz_probe_cache_forget();
        assert_answer(fixture, "8.0.4");
    }
    bz_probe_cache_forget();
    g_autofree char *last = g_strdup_printf("8.0.%u", runs);
    assert_answer(fixture, last);
}

static void test_failure(Fixture *fixture, gconstpointer data)
{
    fail = TRUE;
    assert_answer(fixture, "failure 1");
    fail = FALSE;
    assert_answer(fixture, "failure 1");
    g_assert_false(g_file_test(fixture->configuration->cache_directory, G_FILE_TEST_EXISTS));
    bz_probe_cache_forget();
    assert_answer(fixture, "8.0.2");
}

#define ADD(name, function) g_test_add("/probe-cache/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("memory", test_memory);
    ADD("disk", test_disk);
    ADD("state", test_state);
    ADD("damage", test_damage);
    ADD("untrusted", test_untrusted);
    ADD("failure", test_failure);
    return g_test_run();
}
