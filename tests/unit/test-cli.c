/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-bootzero translate and validate, run as a user runs them. */
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

static const char *program;
static const char *examples;
static char *configuration; /* an empty file: the defaults, whatever this host has */

typedef struct {
    char *out;
    char *err;
    int status;
} Result;

static void result_clear(Result *result)
{
    g_free(result->out);
    g_free(result->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

static void run(Result *result, const char *input, ...)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GSubprocess) child = NULL;
    g_autoptr(GError) error = NULL;
    va_list list;
    const char *word;

    g_ptr_array_add(argv, (char *)program);
    va_start(list, input);
    while ((word = va_arg(list, const char *)))
        g_ptr_array_add(argv, (char *)word);
    va_end(list);
    g_ptr_array_add(argv, NULL);

    g_subprocess_launcher_setenv(launcher, "BOOTZERO_CONFIG", configuration, TRUE);
    child = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, &error);
    g_assert_no_error(error);
    g_subprocess_communicate_utf8(child, input, NULL, &result->out, &result->err, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(child));
    result->status = g_subprocess_get_exit_status(child);
}

static char *example(const char *name)
{
    return g_build_filename(examples, name, NULL);
}

static char *read_example(const char *name)
{
    g_autofree char *path = example(name);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void test_there_and_back(void)
{
    static const char *const providers[] = {"preload", "qemu"};
    g_autofree char *xml = read_example("win11.xml");
    g_autofree char *path = example("win11.xml");

    for (guint i = 0; i < G_N_ELEMENTS(providers); i++) {
        g_auto(Result) stored = {0}, again = {0}, back = {0};

        run(&stored, NULL, "translate", "--provider", providers[i], path, NULL);
        g_assert_cmpstr(stored.err, ==, "");
        g_assert_cmpint(stored.status, ==, 0);
        g_assert_nonnull(strstr(stored.out, i == 0 ? "name='LD_PRELOAD'" : "value='x86_64-cpu.hv-boot-zeroed-mem=on'"));
        run(&again, stored.out, "translate", "-p", providers[i], NULL);
        g_assert_cmpstr(again.out, ==, stored.out);
        run(&back, stored.out, "translate", "--reverse", NULL);
        g_assert_cmpstr(back.out, ==, xml);
        g_assert_cmpint(back.status, ==, 0);
    }
}

static void test_untouched(void)
{
    static const char xml[] = "<domain type=\"kvm\"  ><name>a</name></domain   >";
    g_autofree char *long_xml = g_strnfill(6 * 1024 * 1024, ' ');
    g_auto(Result) plain = {0}, large = {0};

    run(&plain, xml, "translate", NULL);
    g_assert_cmpstr(plain.out, ==, xml);
    g_assert_cmpint(plain.status, ==, 0);
    run(&large, long_xml, "translate", "-", NULL);
    g_assert_cmpstr(large.out, ==, long_xml);
}

static void assert_refused(const Result *result, const char *err)
{
    g_assert_cmpstr(result->err, ==, err);
    g_assert_cmpstr(result->out, ==, "");
    g_assert_cmpint(result->status, ==, 1);
}

static void test_refusals(void)
{
    g_autofree char *wrong = example("wrong-state-invalid.xml");
    g_autofree char *alone = example("only-element.xml");
    g_autofree char *large = g_strnfill(10 * 1024 * 1024, ' ');
    g_auto(Result) state = {0}, missing = {0}, malformed = {0}, single = {0}, size = {0};

    run(&state, NULL, "translate", wrong, NULL);
    assert_refused(&state, "error: XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'.\n");
    run(&missing, NULL, "translate", "/nonexistent/g.xml", NULL);
    assert_refused(&missing, "error: internal error: cannot open '/nonexistent/g.xml': No such file or directory\n");
    run(&malformed, "<domain>\n<boot_zeroed_memory></domain>", "translate", NULL);
    assert_refused(&malformed, "error: XML error: line 2: Opening and ending tag mismatch: boot_zeroed_memory line 2 and "
                               "domain\n");
    run(&single, NULL, "translate", "--provider=preload", alone, NULL);
    assert_refused(&single, "error: unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available: "
                            "provider 'preload' needs another enlightenment, for QEMU to offer Hyper-V at all: add one to "
                            "<hyperv>, for example <relaxed state='on'/>\n");
    memcpy(large, "<boot_zeroed_memory/>", 21);
    run(&size, large, "translate", NULL);
    assert_refused(&size, "error: XML error: the XML is 10485760 bytes long, and at most 4194304 are read: remove what does "
                          "not belong to the domain\n");
}

static void test_usage(void)
{
    g_auto(Result) provider = {0}, operands = {0}, nothing = {0}, command = {0};

    run(&provider, "", "translate", "--provider", "both", NULL);
    g_assert_cmpint(provider.status, ==, 2);
    g_assert_true(g_str_has_prefix(provider.err, "error: unknown provider 'both': it must be auto, qemu or preload\n"));
    run(&operands, "", "translate", "a", "b", NULL);
    g_assert_cmpint(operands.status, ==, 2);
    run(&nothing, "", "validate", NULL);
    g_assert_cmpint(nothing.status, ==, 2);
    run(&command, "", "no-such", NULL);
    g_assert_cmpint(command.status, ==, 2);
}

static void test_validate(void)
{
    g_autofree char *good = example("win11.xml");
    g_autofree char *bad = example("twice-invalid.xml");
    g_autofree char *expected = g_strdup_printf("%s validates\n%s fails to validate\n", good, bad);
    g_auto(Result) result = {0}, all_good = {0}, other = {0};

    run(&result, NULL, "validate", good, bad, NULL);
    g_assert_cmpstr(result.out, ==, expected);
    g_assert_cmpstr(result.err, ==, "error: XML error: element 'boot_zeroed_memory' is given more than once: remove all but "
                                    "one\n");
    g_assert_cmpint(result.status, ==, 1);
    run(&all_good, NULL, "validate", good, NULL);
    g_assert_cmpint(all_good.status, ==, 0);
    run(&other, "<network/>", "validate", "-", NULL);
    g_assert_cmpstr(other.err, ==, "error: XML error: unexpected root element <network>, expecting <domain>\n");
}

/* Against a schema of which little is right. */
static void test_schema(void)
{
    static const char common[] =
        "<grammar xmlns='http://relaxng.org/ns/structure/1.0'><define name='h'><element name='hyperv'><interleave><optional>"
        "<element name='relaxed'><empty/></element></optional></interleave></element></define></grammar>";
    static const char domain[] =
        "<grammar xmlns='http://relaxng.org/ns/structure/1.0'><include href='domaincommon.rng'/><start><element name='domain'>"
        "<element name='features'><ref name='h'/></element></element></start></grammar>";
    static const char xml[] = "<domain><features><hyperv><boot_zeroed_memory state='on'/></hyperv></features></domain>";
    g_autofree char *from = g_dir_make_tmp("bootzero-XXXXXX", NULL);
    g_autofree char *to = g_build_filename(from, "to", NULL);
    g_autofree char *copy = g_build_filename(to, "domaincommon.rng", NULL);
    g_autofree char *text = NULL, *expected = NULL;
    g_auto(Result) written = {0}, valid = {0}, invalid = {0}, missing = {0}, nothing = {0};
    const char *remove[] = {"rm", "-rf", from, NULL};

    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(from, i ? "domain.rng" : "domaincommon.rng", NULL);

        g_assert_true(g_file_set_contents(path, i ? domain : common, -1, NULL));
    }
    run(&written, NULL, "schema", "--from", from, "--to", to, NULL);
    g_assert_cmpstr(written.err, ==, "");
    g_assert_cmpint(written.status, ==, 0);
    g_assert_true(g_file_get_contents(copy, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "<element name=\"boot_zeroed_memory\">"));

    run(&valid, xml, "validate", "--from", from, "-", NULL);
    g_assert_cmpstr(valid.out, ==, "- validates\n");
    g_assert_cmpstr(valid.err, ==, "");
    run(&invalid, "<domain><name>a</name></domain>", "validate", "--from", from, "-", NULL);
    expected = g_strdup_printf("error: XML document failed to validate against schema: Unable to validate doc against "
                               "%s/domain.rng\n", from);
    g_assert_true(g_str_has_prefix(invalid.err, expected));
    g_assert_nonnull(strstr(invalid.err, "name"));
    g_assert_cmpint(invalid.status, ==, 1);
    run(&missing, xml, "validate", "--from", "/nonexistent", "-", NULL);
    g_assert_cmpint(missing.status, ==, 1);
    g_assert_nonnull(strstr(missing.err, "error: internal error: cannot read libvirt's schema: "));
    run(&nothing, NULL, "schema", NULL);
    g_assert_cmpint(nothing.status, ==, 2);
    g_assert_true(g_spawn_sync(NULL, (char **)remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_autofree char *path = g_build_filename(g_getenv("BOOTZERO_BUILD"), "plugin/cli/virt-bootzero", NULL);

    g_autoptr(GError) error = NULL;
    int fd, result;

    g_test_init(&argc, &argv, NULL);
    fd = g_file_open_tmp("bootzero-XXXXXX.conf", &configuration, &error);
    g_assert_no_error(error);
    close(fd);
    program = path;
    examples = g_getenv("BOOTZERO_EXAMPLES");
    g_test_add_func("/cli/there-and-back", test_there_and_back);
    g_test_add_func("/cli/untouched", test_untouched);
    g_test_add_func("/cli/refusals", test_refusals);
    g_test_add_func("/cli/usage", test_usage);
    g_test_add_func("/cli/validate", test_validate);
    g_test_add_func("/cli/schema", test_schema);
    result = g_test_run();
    unlink(configuration);
    g_free(configuration);
    return result;
}
