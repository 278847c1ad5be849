/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <string.h>

static void collect(const char *folder, GPtrArray *files)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            collect(path, files);
        else if (g_str_has_suffix(name, ".xml") && g_file_test(path, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(files, g_steal_pointer(&path));
    }
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *corpus_files(const char *folder)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

    collect(folder, files);
    g_ptr_array_sort(files, by_name);
    return files;
}

xmlDoc *corpus_parse(const char *text)
{
    return xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                         XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static gboolean is_element(const xmlNode *node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && !node->ns && strcmp((const char *)node->name, name) == 0;
}

gboolean corpus_is_domain(const xmlDoc *doc)
{
    return is_element(xmlDocGetRootElement(doc), "domain");
}

static xmlNode *child(xmlNode *parent, const char *name)
{
    xmlNode *node = parent ? parent->children : NULL;

    while (node && !is_element(node, name))
        node = node->next;
    return node;
}

static xmlNode *need_child(xmlNode *parent, const char *name)
{
    xmlNode *node = child(parent, name);

    return node ? node : xmlNewChild(parent, NULL, BAD_CAST name, NULL);
}

static gboolean has_value(xmlNode *node, const char *attribute, const char *value)
{
    xmlChar *text = node ? xmlGetNoNsProp(node, BAD_CAST attribute) : NULL;
    gboolean same = text && strcmp((const char *)text, value) == 0;

    xmlFree(text);
    return same;
}

static gboolean set_value(xmlNode *node, const char *attribute, const char *value)
{
    if (has_value(node, attribute, value))
        return FALSE;
    xmlSetProp(node, BAD_CAST attribute, BAD_CAST value);
    return TRUE;
}

static void drop(xmlNode *node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

static xmlNode *need_hyperv(xmlDoc *doc)
{
    xmlNode *features = need_child(xmlDocGetRootElement(doc), "features");
    xmlNode *hyperv = child(features, "hyperv");

    if (!hyperv) {
        hyperv = xmlNewChild(features, NULL, BAD_CAST "hyperv", NULL);
        xmlNewProp(hyperv, BAD_CAST "mode", BAD_CAST "custom");
    }
    return hyperv;
}

gboolean corpus_allow(xmlDoc *doc)
{
    xmlNode *domain = xmlDocGetRootElement(doc), *hyperv = need_hyperv(doc), *node;
    gboolean changed = set_value(domain, "type", "kvm");

    node = child(child(domain, "os"), "type");
    if (node && xmlHasProp(node, BAD_CAST "arch") && !has_value(node, "arch", "i686"))
        changed |= set_value(node, "arch", "x86_64");
    while ((node = child(domain, "launchSecurity"))) {
        drop(node);
        changed = TRUE;
    }
    node = child(child(domain, "memoryBacking"), "source");
    if (has_value(node, "type", "file"))
        changed |= set_value(node, "type", "anonymous");
    if (has_value(hyperv, "mode", "passthrough"))
        changed |= set_value(hyperv, "mode", "custom");
    if (!child(hyperv, "relaxed"))
        xmlNewProp(xmlNewChild(hyperv, NULL, BAD_CAST "relaxed", NULL), BAD_CAST "state", BAD_CAST "on");
    return changed;
}

void corpus_insert(xmlDoc *doc, const char *state)
{
    xmlNewProp(xmlNewChild(need_hyperv(doc), NULL, BAD_CAST "boot_zeroed_memory", NULL), BAD_CAST "state",
               BAD_CAST state);
}

void corpus_remove(xmlDoc *doc)
{
    xmlNode *element = child(child(child(xmlDocGetRootElement(doc), "features"), "hyperv"), "boot_zeroed_memory");

    if (element)
        drop(element);
}

char *corpus_format(xmlDoc *doc)
{
    xmlChar *dump = NULL;
    int size = 0;
    char *text;

    xmlDocDumpFormatMemoryEnc(doc, &dump, &size, "UTF-8", 1);
    text = g_strndup((const char *)dump, (gsize)size);
    xmlFree(dump);
    return text;
}

/* By name; those of one name keep their order. */
static void sort_children(xmlNode *parent)
{
    xmlNode *next;

    for (xmlNode *node = parent ? parent->children : NULL; node; node = next) {
        xmlNode *before = node;

        next = node->next;
        while (before->prev && g_strcmp0((const char *)before->prev->name, (const char *)node->name) > 0)
            before = before->prev;
        if (before == node)
            continue;
        xmlUnlinkNode(node);
        xmlAddPrevSibling(before, node);
    }
}

char *corpus_canonical(const char *text)
{
    xmlDoc *doc = corpus_parse(text);
    xmlChar *dump = NULL;
    char *canonical = NULL;

    if (!doc)
        return NULL;
    sort_children(child(xmlDocGetRootElement(doc), "features"));
    if (xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &dump) >= 0)
        canonical = g_strdup((const char *)dump);
    xmlFree(dump);
    xmlFreeDoc(doc);
    return canonical;
}

int corpus_count(const char *text, const char *expression)
{
    xmlDoc *doc = corpus_parse(text);
    xmlXPathContext *context;
    xmlXPathObject *found;
    int count = -1;

    if (!doc)
        return -1;
    context = xmlXPathNewContext(doc);
    xmlXPathRegisterNs(context, BAD_CAST "b", BAD_CAST "urn:bootzero:domain:1");
    xmlXPathRegisterNs(context, BAD_CAST "q", BAD_CAST "http://libvirt.org/schemas/domain/qemu/1.0");
    found = xmlXPathEvalExpression(BAD_CAST expression, context);
    if (found)
        count = found->nodesetval ? found->nodesetval->nodeNr : 0;
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    xmlFreeDoc(doc);
    return count;
}
