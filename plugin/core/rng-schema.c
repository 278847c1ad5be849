/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/rng-schema.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xmlIO.h>
#include <string.h>

#include "core/element.h"
#include "core/error.h"

#define NS_RNG "http://relaxng.org/ns/structure/1.0"
#define DOMAIN "domain.rng"
#define COMMON "domaincommon.rng"

static gboolean is_pattern(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns && strcmp((const char *)node->ns->href, NS_RNG) == 0 &&
           strcmp((const char *)node->name, name) == 0;
}

static gboolean has_name(xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, BAD_CAST "name");
    gboolean same = value && strcmp((const char *)value, name) == 0;

    xmlFree(value);
    return same;
}

/* Patterns that hold others and match no element themselves. */
static gboolean is_transparent(const xmlNode *node)
{
    static const char *const names[] = {"choice", "define", "div", "group", "interleave", "optional", "zeroOrMore"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (is_pattern(node, names[i]))
            return TRUE;
    return FALSE;
}

/* The <element name="NAME"> in a list of enlightenments: a member of it, or in an <optional> that is one. */
static xmlNode *find_member(xmlNode *list, const char *name)
{
    for (xmlNode *node = list->children; node; node = node->next) {
        if (is_pattern(node, "element") && has_name(node, name))
            return node;
        if (is_pattern(node, "optional")) {
            xmlNode *found = find_member(node, name);

            if (found)
                return found;
        }
    }
    return NULL;
}

static xmlNode *find_pattern(xmlNode *below, const char *kind, const char *name)
{
    for (xmlNode *node = below->children; node; node = node->next) {
        xmlNode *found = is_pattern(node, kind) && has_name(node, name) ? node : find_pattern(node, kind, name);

        if (found)
            return found;
    }
    return NULL;
}

/*
 * Collects the lists of enlightenments below a pattern into lists; a reference is followed once (seen), so that a
 * grammar which refers to itself ends.
 */
static void find_lists(xmlNode *pattern, GPtrArray *lists, GHashTable *seen)
{
    if (!is_pattern(pattern, "optional") && find_member(pattern, "relaxed")) {
        g_ptr_array_add(lists, pattern);
        return;
    }
    for (xmlNode *node = pattern->children; node; node = node->next) {
        if (is_transparent(node)) {
            find_lists(node, lists, seen);
        } else if (is_pattern(node, "ref")) {
            xmlChar *name = xmlGetNoNsProp(node, BAD_CAST "name");
            xmlNode *define = name ? find_pattern(xmlDocGetRootElement(node->doc), "define", (const char *)name) : NULL;

            xmlFree(name);
            if (define && g_hash_table_add(seen, define))
                find_lists(define, lists, seen);
        }
    }
}

static xmlNode *add_child(xmlNode *parent, const char *pattern, const char *name, const char *text)
{
    xmlNode *node = xmlNewTextChild(parent, parent->ns, BAD_CAST pattern, BAD_CAST text);

    if (name)
        xmlNewProp(node, BAD_CAST "name", BAD_CAST name);
    return node;
}

/* <optional><element name="NAME"><attribute name="state">on or off, on a line of its own where the others are. */
static void add_element(xmlNode *list, const char *name)
{
    xmlNode *first = list->children, *last = list->last;
    xmlNode *optional, *state;

    if (find_member(list, name))
        return;
    optional = add_child(list, is_pattern(list, "choice") ? "group" : "optional", NULL, NULL);
    if (first->type == XML_TEXT_NODE && last->type == XML_TEXT_NODE && first != last) {
        xmlUnlinkNode(optional);
        xmlAddPrevSibling(last, optional);
        xmlAddPrevSibling(optional, xmlNewText(first->content));
    }
    state = add_child(add_child(add_child(optional, "element", name, NULL), "attribute", "state", NULL), "choice", NULL,
                      NULL);
    add_child(state, "value", NULL, "on");
    add_child(state, "value", NULL, "off");
}

static gboolean extend(xmlDoc *doc, const char *path, GError **error)
{
    g_autoptr(GPtrArray) lists = g_ptr_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    xmlNode *root = xmlDocGetRootElement(doc);
    xmlNode *hyperv = root ? find_pattern(root, "element", "hyperv") : NULL;

    if (!hyperv) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED,
                    "'%s' defines no element 'hyperv': it is not a schema of a libvirt that "
                    "knows Hyper-V enlightenments",
                    path);
        return FALSE;
    }
    find_lists(hyperv, lists, seen);
    if (lists->len == 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED,
                    "'%s': no list of enlightenments with 'relaxed' was found in element "
                    "'hyperv': this libvirt's schema is not understood",
                    path);
        return FALSE;
    }
    for (guint i = 0; i < lists->len; i++) {
        add_element(lists->pdata[i], BZ_ELEMENT_EXT_QUERY_CAPS);
        add_element(lists->pdata[i], BZ_ELEMENT_BOOT_ZEROED_MEMORY);
    }
    return TRUE;
}

static void keep_line(void *data, const xmlError *problem)
{
    GString *lines = data;

    if (!problem->message)
        return;
    g_string_append(lines, problem->message);
    if (!g_str_has_suffix(problem->message, "\n"))
        g_string_append_c(lines, '\n');
}

static char *read_file(const char *path, gsize *length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, length, &cause))
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot read libvirt's schema: %s", cause->message);
    return text;
}

/* The text of a schema, extended when it is the one to extend. Free with g_free(). */
static char *read_extended(const char *folder, const char *name, gsize *length, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = read_file(path, length, error);
    xmlDoc *doc;
    xmlChar *dump = NULL;
    char *out = NULL;
    int size = 0;

    if (!text || strcmp(name, COMMON) != 0)
        return g_steal_pointer(&text);
    doc = *length <= G_MAXINT
              ? xmlReadMemory(text, (int)*length, path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
              : NULL;
    if (!doc) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "'%s' is not well-formed: install libvirt's schemas again", path);
        return NULL;
    }
    if (extend(doc, path, error)) {
        xmlDocDumpMemory(doc, &dump, &size);
        out = g_strndup((const char *)dump, (gsize)size);
        *length = (gsize)size;
        xmlFree(dump);
    }
    xmlFreeDoc(doc);
    return out;
}

gboolean bz_rng_schema_is_there(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, COMMON, NULL);

    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static gboolean is_same_folder(const char *a, const char *b)
{
    GStatBuf first, second;

    return g_stat(a, &first) == 0 && g_stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static gboolean copy_file(const char *from, const char *to, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(to, name, NULL);
    g_autoptr(GError) cause = NULL;
    gsize length;
    g_autofree char *text = read_extended(from, name, &length, error);

    if (!text)
        return FALSE;
    if (g_file_set_contents(path, text, (gssize)length, &cause))
        return TRUE;
    g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "%s", cause->message);
    return FALSE;
}

gboolean bz_rng_schema_copy(const char *from, const char *to, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(from, 0, &cause);
    const char *name;

    if (!dir || !bz_rng_schema_is_there(from)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED,
                    "no " COMMON " in '%s': install libvirt, or name the folder of its "
                    "schemas with --from",
                    from);
        return FALSE;
    }
    if (g_mkdir_with_parents(to, 0755) < 0) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot make folder '%s': %s", to, g_strerror(errno));
        return FALSE;
    }
    if (is_same_folder(from, to)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "'%s' has libvirt's own schemas: name another folder with --to",
                    to);
        return FALSE;
    }
    while ((name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".rng") && !copy_file(from, to, name, error))
            return FALSE;
    return TRUE;
}

/*
 * The schemas include each other by name. So that libxml2 finds the extended text, and nothing outside of the folder,
 * all of them are read under a scheme of their own.
 */
#define SCHEME "bootzero-schema:/"

typedef struct {
    char *text;
    gsize length, at;
} Input;

static struct {
    const char *folder;
    GError *error; /* the first one */
} source;

static int input_match(const char *uri)
{
    return g_str_has_prefix(uri, SCHEME);
}

static void *input_open(const char *uri)
{
    const char *name = uri + strlen(SCHEME);
    Input *input;

    if (strchr(name, '/'))
        return NULL;
    input = g_new0(Input, 1);
    input->text = read_extended(source.folder, name, &input->length, source.error ? NULL : &source.error);
    if (!input->text)
        g_clear_pointer(&input, g_free);
    return input;
}

static int input_read(void *context, char *buffer, int size)
{
    Input *input = context;
    gsize n = MIN((gsize)size, input->length - input->at);

    memcpy(buffer, input->text + input->at, n);
    input->at += n;
    return (int)n;
}

static int input_close(void *context)
{
    Input *input = context;

    g_free(input->text);
    g_free(input);
    return 0;
}

static xmlRelaxNG *parse_schema(const char *folder, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    xmlRelaxNGParserCtxt *parser;
    xmlRelaxNG *schema;

    xmlInitParser();
    xmlRegisterInputCallbacks(input_match, input_open, input_read, input_close);
    source.folder = folder;
    parser = xmlRelaxNGNewParserCtxt(SCHEME DOMAIN);
    xmlRelaxNGSetParserStructuredErrors(parser, (xmlStructuredErrorFunc)keep_line, lines);
    xmlSetStructuredErrorFunc(lines, (xmlStructuredErrorFunc)keep_line); /* of the files themselves */
    schema = xmlRelaxNGParse(parser);
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlRelaxNGFreeParserCtxt(parser);
    xmlPopInputCallbacks();
    if (!schema && source.error)
        g_propagate_error(error, g_steal_pointer(&source.error));
    else if (!schema)
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "Unable to parse RNG %s/" DOMAIN ": %s", folder,
                    g_strchomp(lines->str));
    g_clear_error(&source.error);
    return schema;
}

gboolean bz_rng_schema_validate(const char *from, const char *xml, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    xmlRelaxNG *schema = parse_schema(from, error);
    xmlRelaxNGValidCtxt *context;
    xmlDoc *doc;
    int result = -1;

    if (!schema)
        return FALSE;
    doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    context = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidStructuredErrors(context, (xmlStructuredErrorFunc)keep_line, lines);
    if (doc)
        result = xmlRelaxNGValidateDoc(context, doc);
    else
        g_string_append(lines, "not well-formed");
    xmlRelaxNGFreeValidCtxt(context);
    xmlRelaxNGFree(schema);
    xmlFreeDoc(doc);
    if (result != 0)
        g_set_error(error, BZ_LIBVIRT_ERROR, BZ_LIBVIRT_ERROR_INVALID_SCHEMA,
                    "XML document failed to validate against schema: Unable to validate doc against %s/" DOMAIN "\n%s",
                    from, g_strchomp(lines->str));
    return result == 0;
}
