/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/error.h"
#include "core/outline.h"

static BzOutline *outline_of(const char *xml)
{
    g_autoptr(GError) error = NULL;
    BzOutline *outline = bz_outline_new(xml, &error);

    g_assert_no_error(error);
    return outline;
}

static void assert_slice(const BzOutline *outline, gsize start, gsize end, const char *expected)
{
    g_autofree char *slice = g_strndup(bz_outline_source(outline) + start, end - start);

    g_assert_cmpstr(slice, ==, expected);
}

/* Every offset is checked by what it cuts out, with everything that could confuse a search around it. */
static void test_spans(void)
{
    g_autoptr(BzOutline) outline =
        outline_of("<?xml version='1.0'?>\n<!-- <a> -->\n<d x='&lt;>' y=\"é\"  ><a  /><![CDATA[<a>]]><b\n>é&amp;</b ></d>\n");
    const BzNode *root = bz_outline_node(outline, BZ_NODE_ROOT);
    int a = bz_outline_child(outline, BZ_NODE_ROOT, BZ_NODE_NONE, NULL, "a");
    int b = bz_outline_child(outline, BZ_NODE_ROOT, a, NULL, "b");

    g_assert_cmpint(bz_outline_count(outline), ==, 3);
    assert_slice(outline, root->start, root->open_end, "<d x='&lt;>' y=\"é\"  >");
    assert_slice(outline, root->close_start, root->end, "</d>");
    assert_slice(outline, bz_outline_node(outline, a)->start, bz_outline_node(outline, a)->end, "<a  />");
    assert_slice(outline, bz_outline_node(outline, b)->start, bz_outline_node(outline, b)->open_end, "<b\n>");
    assert_slice(outline, bz_outline_node(outline, b)->close_start, bz_outline_node(outline, b)->end, "</b >");
    g_assert_cmpstr(bz_outline_attribute(outline, BZ_NODE_ROOT, "x"), ==, "<>");
    g_assert_true(root->has_text);
    g_assert_cmpint(bz_outline_last_child(outline, BZ_NODE_ROOT), ==, b);
}

static void test_references(void)
{
    g_autoptr(BzOutline) outline = outline_of("<d a='&amp;' b='&#38;amp;' c='&amp;#38;&lt;&apos;' e='&#x41;'><name>&amp;</name></d>");

    g_assert_cmpstr(bz_outline_attribute(outline, BZ_NODE_ROOT, "a"), ==, "&");
    g_assert_cmpstr(bz_outline_attribute(outline, BZ_NODE_ROOT, "b"), ==, "&amp;");
    g_assert_cmpstr(bz_outline_attribute(outline, BZ_NODE_ROOT, "c"), ==, "&#38;<'");
    g_assert_cmpstr(bz_outline_attribute(outline, BZ_NODE_ROOT, "e"), ==, "A");
    g_assert_cmpstr(bz_outline_node(outline, 1)->text->str, ==, "&");
}

static void test_byte_order_mark(void)
{
    g_autoptr(BzOutline) outline = outline_of("\xef\xbb\xbf<d><a/></d>");

    assert_slice(outline, bz_outline_node(outline, 1)->start, bz_outline_node(outline, 1)->end, "<a/>");
}

/* libxml2 moves its buffer while it reads; offsets must survive that in a long text. */
static void test_long_text(void)
{
    g_autoptr(GString) xml = g_string_new("<domain>\n");
    g_autoptr(BzOutline) outline = NULL;

    for (int i = 0; i < 20000; i++)
        g_string_append_printf(xml, "  <e%d n='&amp;%d'>é&#%d;</e%d>\n", i % 7, i, 'a' + i % 26, i % 7);
    g_string_append(xml, "</domain>\n");
    outline = outline_of(xml->str);
    g_assert_cmpint(bz_outline_count(outline), ==, 20001);
    for (int i = 0; i < 20000; i++) {
        const BzNode *node = bz_outline_node(outline, i + 1);
        g_autofree char *expected = g_strdup_printf("<e%d n='&amp;%d'>é&#%d;</e%d>", i % 7, i, 'a' + i % 26, i % 7);

        assert_slice(outline, node->start, node->end, expected);
    }
}

static void test_namespaces(void)
{
    g_autoptr(BzOutline) outline = outline_of("<d xmlns:q='" BZ_NS_QEMU "'><q:a/><a xmlns='u:x'><b/></a><a/></d>");
    int q = bz_outline_child(outline, BZ_NODE_ROOT, BZ_NODE_NONE, BZ_NS_QEMU, "a");
    int other = bz_outline_child(outline, BZ_NODE_ROOT, BZ_NODE_NONE, "u:x", NULL);
    int plain = bz_outline_child(outline, BZ_NODE_ROOT, BZ_NODE_NONE, NULL, "a");

    g_assert_cmpint(q, ==, 1);
    g_assert_cmpint(other, ==, 2);
    g_assert_cmpint(plain, ==, 4);
    g_assert_cmpstr(bz_outline_node(outline, 3)->ns, ==, "u:x");
}

static void test_attribute_span(void)
{
    g_autoptr(BzOutline) outline = outline_of("<d bvalue='1' value = \"a'b\" x:value='2' xmlns:x='u:x'/>");
    gsize start, end;

    g_assert_true(bz_outline_attribute_span(outline, BZ_NODE_ROOT, "value", &start, &end));
    assert_slice(outline, start, end, "a'b");
    g_assert_true(bz_outline_attribute_span(outline, BZ_NODE_ROOT, "x:value", &start, &end));
    assert_slice(outline, start, end, "2");
    g_assert_false(bz_outline_attribute_span(outline, BZ_NODE_ROOT, "alue", &start, &end));
}

static void assert_refused(const char *xml, int code, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(bz_outline_new(xml, &error));
    g_assert_error(error, BZ_ERROR, code);
    if (!strstr(error->message, part))
        g_error("'%s' is not in '%s'", part, error->message);
}

static void test_malformed(void)
{
    assert_refused("", BZ_ERROR_MALFORMED, "line 1: the document is empty");
    assert_refused("<d>\n<a></d>", BZ_ERROR_MALFORMED, "line 2: Opening and ending tag mismatch");
    assert_refused("<d a='<'/>", BZ_ERROR_MALFORMED, "line 1: ");
    assert_refused("<d/><e/>", BZ_ERROR_MALFORMED, "Extra content");
    assert_refused("<d>\xff</d>", BZ_ERROR_MALFORMED, "not proper UTF-8");
    assert_refused("<d>&what;</d>", BZ_ERROR_MALFORMED, "Entity 'what' not defined");
}

static void test_deep(void)
{
    g_autoptr(GString) xml = g_string_new(NULL);

    for (int i = 0; i < 100000; i++)
        g_string_append(xml, "<a>");
    assert_refused(xml->str, BZ_ERROR_MALFORMED, "Excessive depth in document");
}

static void test_too_long(void)
{
    g_autofree char *xml = g_strnfill(10 * 1024 * 1024, ' ');

    assert_refused(xml, BZ_ERROR_XML, "the XML is 10485760 bytes long, and at most 4194304 are read");
}

static void test_entities(void)
{
    assert_refused("<!DOCTYPE d [<!ENTITY a 'x'>]><d>&a;</d>", BZ_ERROR_XML, "declares an entity");
    assert_refused("<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><d>&a;</d>", BZ_ERROR_XML,
                   "remove the DOCTYPE");
    assert_refused("<!DOCTYPE d [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/x'> %p;]><d/>", BZ_ERROR_XML,
                   "declares an entity");
    assert_refused("<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
                   "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><d>&c;</d>",
                   BZ_ERROR_XML, "declares an entity");
}

static void test_doctype(void)
{
    g_autoptr(BzOutline) outline = outline_of("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><d/>");

    g_assert_true(bz_outline_has_doctype(outline));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outline/spans", test_spans);
    g_test_add_func("/outline/references", test_references);
    g_test_add_func("/outline/byte-order-mark", test_byte_order_mark);
    g_test_add_func("/outline/long-text", test_long_text);
    g_test_add_func("/outline/namespaces", test_namespaces);
    g_test_add_func("/outline/attribute-span", test_attribute_span);
    g_test_add_func("/outline/malformed", test_malformed);
    g_test_add_func("/outline/deep", test_deep);
    g_test_add_func("/outline/too-long", test_too_long);
    g_test_add_func("/outline/entities", test_entities);
    g_test_add_func("/outline/doctype", test_doctype);
    return g_test_run();
}
