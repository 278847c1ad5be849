/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boot_zeroed_memory on and off, in XML as libvirt and as people write it. */
#include "core/set-state.h"

#include "translate-helper.h"

#define DOMAIN(features) "<domain type='kvm'>\n  <name>g</name>\n" features "  <devices/>\n</domain>\n"
#define HYPERV(content)                                                                                                \
    DOMAIN("  <features>\n    <acpi/>\n    <hyperv mode='custom'>\n" content "    </hyperv>\n  </features>\n")

static char *set(const char *xml, BzState state)
{
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    g_assert_true(bz_set_state(xml, &test_configuration, state, &out, &error));
    g_assert_no_error(error);
    return out;
}

static void test_set(void)
{
    static const struct {
        const char *before, *on, *off; /* NULL: as before */
    } cases[] = {
        {HYPERV("      <relaxed state='on'/>\n"),
         HYPERV("      <relaxed state='on'/>\n      <boot_zeroed_memory state='on'/>\n"), NULL},
        {HYPERV("      <boot_zeroed_memory state='on'/>\n"), NULL, HYPERV("      <boot_zeroed_memory state='off'/>\n")},
        {HYPERV("      <boot_zeroed_memory state='off'/>\n      <relaxed state='on'/>\n"),
         HYPERV("      <boot_zeroed_memory state='on'/>\n      <relaxed state='on'/>\n"), NULL},
        {HYPERV("      <ext_query_caps state='on'/>\n"),
         HYPERV("      <ext_query_caps state='on'/>\n      <boot_zeroed_memory state='on'/>\n"), NULL},
        /* containers that are not there yet */
        {DOMAIN(""),
         DOMAIN("  <features>\n    <hyperv mode='custom'>\n      <boot_zeroed_memory state='on'/>\n    </hyperv>\n"
                "  </features>\n"),
         NULL},
        {DOMAIN("  <features>\n    <acpi/>\n  </features>\n"), HYPERV("      <boot_zeroed_memory state='on'/>\n"),
         NULL},
        {DOMAIN("  <features/>\n"),
         DOMAIN("  <features>\n    <hyperv mode='custom'>\n      <boot_zeroed_memory state='on'/>\n    </hyperv>\n  "
                "</features>\n"),
         NULL},
        {DOMAIN("  <features>\n    <hyperv mode='passthrough'/>\n  </features>\n"),
         DOMAIN("  <features>\n    <hyperv mode='passthrough'>\n      <boot_zeroed_memory state='on'/>\n    </hyperv>\n"
                "  </features>\n"),
         NULL},
        /* other writing, and the name where it is no element */
        {"<domain><!-- boot_zeroed_memory state='off' --><features><hyperv><boot_zeroed_memory\n state = \"off\" "
         "></boot_zeroed_memory>"
         "</hyperv></features></domain>",
         "<domain><!-- boot_zeroed_memory state='off' --><features><hyperv><boot_zeroed_memory\n state = \"on\" "
         "></boot_zeroed_memory>"
         "</hyperv></features></domain>",
         NULL},
        {"<domain><metadata><x:y xmlns:x='u:x'><boot_zeroed_memory state='off'/></x:y></metadata><features><hyperv>"
         "<boot_zeroed_memory state='on'/></hyperv></features></domain>",
         NULL,
         "<domain><metadata><x:y xmlns:x='u:x'><boot_zeroed_memory state='off'/></x:y></metadata><features><hyperv>"
         "<boot_zeroed_memory state='off'/></hyperv></features></domain>"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *on = set(cases[i].before, BZ_STATE_ON);
        g_autofree char *off = set(cases[i].before, BZ_STATE_OFF);

        g_assert_cmpstr(on, ==, cases[i].on);
        g_assert_cmpstr(off, ==, cases[i].off);
    }
}

static void test_refusals(void)
{
    static const struct {
        const char *xml, *message;
    } cases[] = {
        {"<network/>", "unexpected root element <network>, expecting <domain>"},
        {HYPERV("      <boot_zeroed_memory state='maybe'/>\n"),
         "Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'."},
        {DOMAIN("  <boot_zeroed_memory state='on'/>\n"),
         "element 'boot_zeroed_memory' is not allowed in element 'domain': it belongs in <features><hyperv>"},
        {"<domain>", "line 1: Premature end of data in tag domain line 1"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        char *out = NULL;

        g_assert_false(bz_set_state(cases[i].xml, &test_configuration, BZ_STATE_ON, &out, &error));
        g_assert_null(out);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/set-state/set", test_set);
    g_test_add_func("/set-state/refusals", test_refusals);
    return g_test_run();
}
