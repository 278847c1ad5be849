/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schemas agree with the code: on the elements of every example, and on every marker the code writes. */
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <string.h>

#include "translate-helper.h"

static const char *examples;
static const char *schemas;

/* Those whose element itself is wrong; the other invalid examples are wrong around it. */
static gboolean element_is_wrong(const char *name)
{
    static const char *const wrong[] = {"wrong-state-invalid.xml", "no-state-invalid.xml", "twice-invalid.xml",
                                        "unknown-attribute-invalid.xml", "unknown-child-invalid.xml"};

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
        if (strcmp(wrong[i], name) == 0)
            return TRUE;
    return FALSE;
}

static void be_quiet(void *ctx, const char *format, ...)
{
}

static gboolean is_valid(const char *schema_name, xmlDoc *doc)
{
    g_autofree char *path = g_build_filename(schemas, schema_name, NULL);
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    xmlRelaxNGValidCtxt *valid;
    int result;

    g_assert_nonnull(schema);
    valid = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidErrors(valid, be_quiet, be_quiet, NULL);
    result = xmlRelaxNGValidateDoc(valid, doc);
    xmlRelaxNGFreeValidCtxt(valid);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return result == 0;
}

/* A document of its own with copies of what the expression finds, below root or, without one, as its root. */
static xmlDoc *extract(xmlDoc *doc, const char *expression, const char *root, int *count)
{
    xmlXPathContext *context = xmlXPathNewContext(doc);
    xmlDoc *part = xmlNewDoc(BAD_CAST "1.0");
    xmlXPathObject *found;

    xmlXPathRegisterNs(context, BAD_CAST "b", BAD_CAST "urn:bootzero:domain:1");
    found = xmlXPathEvalExpression(BAD_CAST expression, context);
    if (root)
        xmlDocSetRootElement(part, xmlNewNode(NULL, BAD_CAST root));
    *count = found->nodesetval ? found->nodesetval->nodeNr : 0;
    for (int i = 0; i < *count; i++) {
        xmlNode *copy = xmlDocCopyNode(found->nodesetval->nodeTab[i], part, 1);

        if (root)
            xmlAddChild(xmlDocGetRootElement(part), copy);
        else
            xmlDocSetRootElement(part, copy);
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    return part;
}

static void test_example(gconstpointer data)
{
    const char *name = data;
    g_autofree char *path = g_build_filename(examples, name, NULL);
    g_autofree char *text = NULL, *stored = NULL;
    xmlDoc *doc, *part;
    int count;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    doc = xmlReadDoc(BAD_CAST text, NULL, NULL, XML_PARSE_NONET);
    part = extract(doc, "/domain/features/hyperv/*[self::boot_zeroed_memory or self::ext_query_caps]", "hyperv", &count);
    if (count > 0)
        g_assert_cmpint(is_valid("boot-zeroed-memory.rng", part), ==, !element_is_wrong(name));
    xmlFreeDoc(part);
    xmlFreeDoc(doc);

    stored = translate(text, BZ_TRANSLATE_ALLOW_NONE | BZ_TRANSLATE_EXACT, BZ_PROVIDER_NONE, NULL);
    if (!stored)
        return;
    doc = xmlReadDoc(BAD_CAST stored, NULL, NULL, XML_PARSE_NONET);
    part = extract(doc, "/domain/metadata/b:features", NULL, &count);
    g_assert_cmpint(count, ==, 1);
    g_assert_true(is_valid("boot-zeroed-memory-metadata.rng", part));
    xmlFreeDoc(part);
    xmlFreeDoc(doc);
}

int main(int argc, char **argv)
{
    g_autoptr(GDir) dir = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    int result;

    examples = g_getenv("BOOTZERO_EXAMPLES");
    schemas = g_getenv("BOOTZERO_SCHEMAS");
    g_test_init(&argc, &argv, NULL);
    dir = g_dir_open(examples, 0, NULL);
    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".xml")) {
            g_autofree char *test = g_strdup_printf("/schema/%s", name);

            g_ptr_array_add(names, g_strdup(name));
            g_test_add_data_func(test, g_ptr_array_index(names, names->len - 1), test_example);
        }
    }
    g_assert_cmpuint(names->len, >=, 17);
    result = g_test_run();
    xmlCleanupParser();
    return result;
}
