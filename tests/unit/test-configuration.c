/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "core/configuration.h"
#include "core/error.h"
#include "scratch.h"

static void test_defaults(Scratch *scratch, gconstpointer data)
{
    g_autofree char *path = g_build_filename(scratch->path, "none", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BzConfiguration) configuration = bz_configuration_load(path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(configuration->provider, ==, BZ_PROVIDER_AUTO);
    g_assert_cmpstr(configuration->ext_query_caps_property, ==, "hv-ext-query-caps");
    g_assert_cmpstr(configuration->boot_zeroed_mem_property, ==, "hv-boot-zeroed-mem");
    g_assert_cmpstr(configuration->provider_library, ==, BZ_PROVIDER_LIBRARY);
    g_assert_cmpuint(configuration->probe_timeout, ==, 10);
    g_assert_cmpuint(configuration->track_seconds, ==, 300);
    g_assert_cmpstr(configuration->cache_directory, ==, BZ_CACHE_DIR);
    g_autofree char *of_user = g_build_filename(g_get_user_runtime_dir(), "bootzero", NULL);
    g_assert_cmpstr(configuration->runtime_directory, ==, geteuid() == 0 ? "/run/bootzero" : of_user);
}

static void test_all_keys(Scratch *scratch, gconstpointer data)
{
    g_autofree char *path = scratch_file(scratch, "conf",
                                         "# comment\n[bootzero]\nprovider = preload  \n"
                                         "ext-query-caps-property = hv-vapic\nboot-zeroed-mem-property=hv-time\n"
                                         "provider-library = /opt/bootzero-qemu.so\nprobe-timeout=3\ncache-directory = /x/y z\n"
                                         "runtime-directory = /r//\ntrack-seconds = 86400\n",
                                         0644);
    g_autoptr(GError) error = NULL;

    g_setenv("BOOTZERO_CONFIG", path, TRUE);
    g_autoptr(BzConfiguration) configuration = bz_configuration_load(NULL, &error);
    g_unsetenv("BOOTZERO_CONFIG");

    g_assert_no_error(error);
    g_assert_cmpint(configuration->provider, ==, BZ_PROVIDER_PRELOAD);
    g_assert_cmpstr(configuration->ext_query_caps_property, ==, "hv-vapic");
    g_assert_cmpstr(configuration->boot_zeroed_mem_property, ==, "hv-time");
    g_assert_cmpstr(configuration->provider_library, ==, "/opt/bootzero-qemu.so");
    g_assert_cmpuint(configuration->probe_timeout, ==, 3);
    g_assert_cmpstr(configuration->cache_directory, ==, "/x/y z");
    g_assert_cmpstr(configuration->runtime_directory, ==, "/r");
    g_assert_cmpuint(configuration->track_seconds, ==, 86400);
}

static const struct {
    const char *content;
    const char *message; /* behind the path */
} refusals[] = {
    {"[bootzero]\nprovider=none\n", ": invalid value for 'provider': 'none': must be auto, qemu or preload"},
    {"[bootzero]\nprovider=\n", ": invalid value for 'provider': '': must be auto, qemu or preload"},
    {"[bootzero]\nprovider=QEMU\n", ": invalid value for 'provider': 'QEMU': must be auto, qemu or preload"},
    {"[bootzero]\nboot-zeroed-mem-property=a=b,c\n",
     ": invalid value for 'boot-zeroed-mem-property': 'a=b,c': must be the name of a CPU property: a-z, 0-9 and '-'"},
    {"[bootzero]\next-query-caps-property=-x\n",
     ": invalid value for 'ext-query-caps-property': '-x': must be the name of a CPU property: a-z, 0-9 and '-'"},
    {"[bootzero]\nprovider-library=b.so\n",
     ": invalid value for 'provider-library': 'b.so': must be an absolute path without spaces and colons to a bootzero-qemu.so"},
    {"[bootzero]\nprovider-library=/opt/other.so\n",
     ": invalid value for 'provider-library': '/opt/other.so': must be an absolute path without spaces and colons to a "
     "bootzero-qemu.so"},
    {"[bootzero]\nprovider-library=/a:/b.so\n",
     ": invalid value for 'provider-library': '/a:/b.so': must be an absolute path without spaces and colons to a bootzero-qemu.so"},
    {"[bootzero]\nruntime-directory=/a,b\n",
     ": invalid value for 'runtime-directory': '/a,b': must be an absolute path of at most 64 bytes without commas"},
    {"[bootzero]\nprobe-timeout=0\n",
     ": invalid value for 'probe-timeout': '0': must be a number of seconds from 1 to 600"},
    {"[bootzero]\nprobe-timeout=10s\n",
     ": invalid value for 'probe-timeout': '10s': must be a number of seconds from 1 to 600"},
    {"[bootzero]\ntrack-seconds=86401\n",
     ": invalid value for 'track-seconds': '86401': must be a number of seconds from 1 to 86400"},
    {"[bootzero]\ncache-directory=cache\n", ": invalid value for 'cache-directory': 'cache': must be an absolute path"},
    {"[bootzero]\nproviders=auto\n", ": unknown key 'providers' in [bootzero]: must be one of provider, "},
    {"[bootzero]\nprovider[de]=auto\n", ": unknown key 'provider[de]' in [bootzero]: must be one of provider, "},
    {"[other]\nprovider=auto\n", ": unknown group [other]: must be [bootzero]"},
    {"provider=auto\n", ": "},
    {"[bootzero]\nnonsense\n", ": "},
};

static void test_refusals(Scratch *scratch, gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = scratch_file(scratch, "conf", refusals[i].content, 0644);
        g_autofree char *message = g_strconcat(path, refusals[i].message, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(bz_configuration_load(path, &error));
        assert_message(error, BZ_ERROR, BZ_ERROR_FAILED, message);
    }
}

static void test_environment_must_exist(Scratch *scratch, gconstpointer data)
{
    g_autofree char *path = g_build_filename(scratch->path, "none", NULL);
    g_autofree char *message = g_strconcat(path, " (named by BOOTZERO_CONFIG): No such file", NULL);
    g_autoptr(GError) error = NULL;

    g_setenv("BOOTZERO_CONFIG", path, TRUE);
    g_assert_null(bz_configuration_load(NULL, &error));
    g_unsetenv("BOOTZERO_CONFIG");
    assert_message(error, BZ_ERROR, BZ_ERROR_FAILED, message);
}

/* What the shipped file calls the default, behind '#', is the default. */
static void test_shipped(Scratch *scratch, gconstpointer data)
{
    g_autofree char *content = NULL;
    g_autoptr(GRegex) commented = g_regex_new("^#([a-z-]+ = )", G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_get_contents(g_getenv("BOOTZERO_SHIPPED_CONF"), &content, NULL, NULL));
    g_autofree char *active = g_regex_replace(commented, content, -1, 0, "\\1", 0, NULL);
    g_autofree char *path = scratch_file(scratch, "conf", active, 0644);
    g_autoptr(BzConfiguration) shipped = bz_configuration_load(path, &error);
    g_assert_no_error(error);
    g_autoptr(BzConfiguration) defaults = bz_configuration_load("/nonexistent", &error);
    g_assert_no_error(error);

    g_assert_nonnull(strstr(active, "\nprovider = auto\n"));
    g_assert_nonnull(strstr(active, "\next-query-caps-property = "));
    g_assert_nonnull(strstr(active, "\nboot-zeroed-mem-property = "));
    g_assert_nonnull(strstr(active, "\nprovider-library = "));
    g_assert_nonnull(strstr(active, "\nprobe-timeout = "));
    g_assert_nonnull(strstr(active, "\ncache-directory = "));
    g_assert_nonnull(strstr(active, "\ntrack-seconds = "));
    g_assert_cmpint(shipped->provider, ==, defaults->provider);
    g_assert_cmpstr(shipped->ext_query_caps_property, ==, defaults->ext_query_caps_property);
    g_assert_cmpstr(shipped->boot_zeroed_mem_property, ==, defaults->boot_zeroed_mem_property);
    g_assert_cmpstr(shipped->provider_library, ==, defaults->provider_library);
    g_assert_cmpuint(shipped->probe_timeout, ==, defaults->probe_timeout);
    g_assert_cmpuint(shipped->track_seconds, ==, defaults->track_seconds);
    g_assert_cmpstr(shipped->cache_directory, ==, defaults->cache_directory);
}

static void test_provider_names(void)
{
    BzProvider provider = BZ_PROVIDER_NONE;

    g_assert_true(bz_provider_from_string("qemu", &provider));
    g_assert_cmpint(provider, ==, BZ_PROVIDER_QEMU);
    g_assert_false(bz_provider_from_string("none", &provider));
    g_assert_cmpstr(bz_provider_to_string(BZ_PROVIDER_NONE), ==, "none");
    g_assert_cmpstr(bz_provider_to_string(BZ_PROVIDER_PRELOAD), ==, "preload");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/configuration/defaults", Scratch, NULL, scratch_set_up, test_defaults, scratch_tear_down);
    g_test_add("/configuration/all-keys", Scratch, NULL, scratch_set_up, test_all_keys, scratch_tear_down);
    g_test_add("/configuration/refusals", Scratch, NULL, scratch_set_up, test_refusals, scratch_tear_down);
    g_test_add("/configuration/environment", Scratch, NULL, scratch_set_up, test_environment_must_exist, scratch_tear_down);
    g_test_add("/configuration/shipped", Scratch, NULL, scratch_set_up, test_shipped, scratch_tear_down);
    g_test_add_func("/configuration/provider-names", test_provider_names);
    return g_test_run();
}
