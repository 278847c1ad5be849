/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/outline.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#include "core/error.h"

struct BzOutline {
    const char *text;
    gsize length;
    GArray *nodes;
    GArray *attributes;
    GStringChunk *strings;
    xmlDict *names; /* owns the names and namespaces of the nodes */
    gboolean has_doctype;
};

typedef struct {
    BzOutline *outline;
    xmlParserCtxt *parser;
    int current;    /* the innermost open element */
    int in_devices; /* index of an open /domain/devices, or BZ_NODE_NONE */
    gboolean has_entities;
    gboolean lost;    /* an offset could not be told */
    char *complaint;  /* libxml2's first error: those after it are often its consequences */
} Reader;

static BzNode *node_at(const BzOutline *outline, int index)
{
    return &g_array_index(outline->nodes, BzNode, index);
}

/* libxml2 calls back after it has read the name and attributes of a start tag and before its '>' or '/>'. */
static gsize parsed_bytes(Reader *reader)
{
    long at = xmlByteConsumed(reader->parser);

    if (at < 0 || (gsize)at > reader->outline->length) {
        reader->lost = TRUE;
        xmlStopParser(reader->parser);
        return 0;
    }
    return (gsize)at;
}

/* A tag never contains a raw '<' but its own, so looking back for one finds where it starts. */
static gsize tag_start(Reader *reader, gsize from)
{
    while (from > 0 && reader->outline->text[from] != '<')
        from--;
    return from;
}

/*
 * As long as it does not replace entities, libxml2 gives an '&' in an attribute as "&#38;", however it was written, so
 * that others can tell it from the start of an entity.
 */
static const char *attribute_value(BzOutline *outline, const char *start, gsize length)
{
    static const char ampersand[] = "&#38;";
    g_autoptr(GString) value = NULL;

    if (!memmem(start, length, ampersand, sizeof ampersand - 1))
        return g_string_chunk_insert_len(outline->strings, start, length);
    value = g_string_new_len(start, length);
    g_string_replace(value, ampersand, "&", 0);
    return g_string_chunk_insert_len(outline->strings, value->str, value->len);
}

static void keep_attributes(BzOutline *outline, BzNode *node, int n, const xmlChar **attributes)
{
    node->attributes = outline->attributes->len;
    node->n_attributes = n;
    for (int i = 0; i < n; i++) {
        const xmlChar **attribute = attributes + 5 * i; /* local name, prefix, URI, value, end of value */
        BzAttribute kept = {
            .name = (const char *)attribute[0],
            .value = attribute_value(outline, (const char *)attribute[3], attribute[4] - attribute[3]),
            .prefixed = attribute[2] != NULL,
        };
        g_array_append_val(outline->attributes, kept);
    }
}

/* Inside <devices>: what core/domain.c asks about. */
static gboolean wants_attributes(const BzNode *node)
{
    static const char *const kept[] = {"disk", "filesystem", "hostdev", "interface", "memory"};

    if (node->depth == 3)
        return strcmp(node->name, "driver") == 0;
    for (guint i = 0; node->depth == 2 && i < G_N_ELEMENTS(kept); i++)
        if (strcmp(node->name, kept[i]) == 0)
            return TRUE;
    return FALSE;
}

/* Of a domain that is the root, or a child of the root. */
static gboolean wants_text(const BzNode *node)
{
    static const char *const with_text[] = {"name", "uuid", "emulator"};

    for (guint i = 0; i < G_N_ELEMENTS(with_text); i++)
        if (node->depth <= 3 && strcmp(node->name, with_text[i]) == 0)
            return TRUE;
    return FALSE;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
                     const xmlChar **ns, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    Reader *reader = ctx;
    BzOutline *outline = reader->outline;
    gsize at = parsed_bytes(reader);
    BzNode node = {
        .name = (const char *)name,
        .ns = (const char *)uri,
        .parent = reader->current,
        .depth = reader->current == BZ_NODE_NONE ? 0 : node_at(outline, reader->current)->depth + 1,
    };

    if (reader->lost)
        return;
    node.start = tag_start(reader, MIN(at, outline->length - 1));
    node.open_end = at + (outline->text[at] == '/' ? 2 : 1);
    if (reader->in_devices == BZ_NODE_NONE || wants_attributes(&node))
        keep_attributes(outline, &node, n_attributes, attributes);
    if (wants_text(&node))
        node.text = g_string_new(NULL);
    g_array_append_val(outline->nodes, node);
    reader->current = (int)outline->nodes->len - 1;
    if (reader->in_devices == BZ_NODE_NONE && node.depth == 1 && strcmp(node.name, "devices") == 0)
        reader->in_devices = reader->current;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    Reader *reader = ctx;
    gsize at = parsed_bytes(reader);
    BzNode *node;

    if (reader->lost)
        return;
    node = node_at(reader->outline, reader->current);
    node->end = at;
    node->close_start = at == node->open_end ? at : tag_start(reader, at - 1);
    if (reader->in_devices == reader->current)
        reader->in_devices = BZ_NODE_NONE;
    reader->current = node->parent;
}

static void on_text(void *ctx, const xmlChar *text, int length)
{
    Reader *reader = ctx;
    BzNode *node;

    if (reader->current == BZ_NODE_NONE)
        return;
    node = node_at(reader->outline, reader->current);
    if (node->text)
        g_string_append_len(node->text, (const char *)text, length);
    for (int i = 0; i < length && !node->has_text; i++)
        node->has_text = !g_ascii_isspace(text[i]);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    Reader *reader = ctx;

    reader->outline->has_doctype = TRUE;
}

static void on_entity(void *ctx, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
                      xmlChar *content)
{
    Reader *reader = ctx;

    reader->has_entities = TRUE;
    xmlStopParser(reader->parser);
}

static void on_error(void *ctx, const xmlError *error)
{
    Reader *reader = ctx;

    if (reader->complaint || error->level < XML_ERR_ERROR)
        return;
    reader->complaint = g_strdup_printf("line %d: %s", error->line, error->message ? error->message : "not well-formed");
    g_strchomp(reader->complaint);
}

/* Every handler that is not set stays NULL: nothing is looked up, loaded or printed. */
static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .internalSubset = on_doctype,
    .entityDecl = on_entity,
    .serror = (xmlStructuredErrorFunc)on_error, /* libxml2 2.12 made its argument const */
};

static gboolean check_length(gsize length, GError **error)
{
    if (length <= BZ_XML_MAX)
        return TRUE;
    g_set_error(error, BZ_ERROR, BZ_ERROR_XML,
                "the XML is %" G_GSIZE_FORMAT " bytes long, and at most %u are read: remove what does not belong to "
                "the domain",
                length, BZ_XML_MAX);
    return FALSE;
}

static void free_node_text(gpointer data)
{
    BzNode *node = data;

    if (node->text)
        g_string_free(node->text, TRUE);
}

BzOutline *bz_outline_new(const char *text, GError **error)
{
    gsize length = strlen(text);
    g_autoptr(BzOutline) outline = NULL;
    Reader reader = {.current = BZ_NODE_NONE, .in_devices = BZ_NODE_NONE};
    gboolean well_formed;

    if (!check_length(length, error))
        return NULL;

    outline = g_new0(BzOutline, 1);
    outline->text = text;
    outline->length = length;
    outline->nodes = g_array_sized_new(FALSE, FALSE, sizeof(BzNode), 256);
    g_array_set_clear_func(outline->nodes, free_node_text);
    outline->attributes = g_array_sized_new(FALSE, FALSE, sizeof(BzAttribute), 128);
    outline->strings = g_string_chunk_new(4096);

    reader.outline = outline;
    reader.parser = xmlCreateMemoryParserCtxt(text, (int)length);
    if (!reader.parser) { /* only for an empty text */
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_MALFORMED, "line 1: the document is empty");
        return NULL;
    }
    *reader.parser->sax = handlers;
    reader.parser->userData = &reader;
    /* Offsets need the bytes as they are. What is not UTF-8 then fails as malformed. */
    xmlCtxtUseOptions(reader.parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlParseDocument(reader.parser);
    well_formed = reader.parser->wellFormed && !reader.lost && outline->nodes->len > 0;

    if (reader.has_entities)
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_XML,
                            "the document type declares an entity, which domain XML has no use for: remove the "
                            "DOCTYPE");
    else if (!well_formed)
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_MALFORMED,
                            reader.complaint ? reader.complaint : "not well-formed");
    g_free(reader.complaint);

    outline->names = reader.parser->dict;
    xmlDictReference(outline->names);
    xmlFreeDoc(reader.parser->myDoc); /* where libxml2 keeps what a document type declares */
    reader.parser->myDoc = NULL;
    xmlFreeParserCtxt(reader.parser);
    return reader.has_entities || !well_formed ? NULL : g_steal_pointer(&outline);
}

void bz_outline_free(BzOutline *outline)
{
    if (!outline)
        return;
    g_array_unref(outline->nodes);
    g_array_unref(outline->attributes);
    g_string_chunk_free(outline->strings);
    if (outline->names)
        xmlDictFree(outline->names);
    g_free(outline);
}

const char *bz_outline_source(const BzOutline *outline)
{
    return outline->text;
}

int bz_outline_count(const BzOutline *outline)
{
    return (int)outline->nodes->len;
}

const BzNode *bz_outline_node(const BzOutline *outline, int index)
{
    return node_at(outline, index);
}

gboolean bz_outline_has_doctype(const BzOutline *outline)
{
    return outline->has_doctype;
}

gboolean bz_outline_is(const BzOutline *outline, int index, const char *ns, const char *name)
{
    const BzNode *node = node_at(outline, index);

    return g_strcmp0(node->ns, ns) == 0 && (!name || strcmp(node->name, name) == 0);
}

int bz_outline_any_child(const BzOutline *outline, int parent, int after)
{
    gsize end = node_at(outline, parent)->end;

    for (int i = MAX(after, parent) + 1; i < bz_outline_count(outline) && node_at(outline, i)->start < end; i++)
        if (node_at(outline, i)->parent == parent)
            return i;
    return BZ_NODE_NONE;
}

int bz_outline_child(const BzOutline *outline, int parent, int after, const char *ns, const char *name)
{
    int child = bz_outline_any_child(outline, parent, after);

    while (child != BZ_NODE_NONE && !bz_outline_is(outline, child, ns, name))
        child = bz_outline_any_child(outline, parent, child);
    return child;
}

int bz_outline_last_child(const BzOutline *outline, int parent)
{
    int last = BZ_NODE_NONE;

    for (int child = bz_outline_any_child(outline, parent, BZ_NODE_NONE); child != BZ_NODE_NONE;
         child = bz_outline_any_child(outline, parent, child))
        last = child;
    return last;
}

const BzAttribute *bz_outline_attribute_at(const BzOutline *outline, int index, guint n)
{
    return &g_array_index(outline->attributes, BzAttribute, node_at(outline, index)->attributes + n);
}

const char *bz_outline_attribute(const BzOutline *outline, int index, const char *name)
{
    for (guint i = 0; i < node_at(outline, index)->n_attributes; i++) {
        const BzAttribute *attribute = bz_outline_attribute_at(outline, index, i);

        if (!attribute->prefixed && strcmp(attribute->name, name) == 0)
            return attribute->value;
    }
    return NULL;
}

/* The start tag is known to be well-formed: NAME (S NAME S? = S? QUOTED)* */
gboolean bz_outline_attribute_span(const BzOutline *outline, int index, const char *name, gsize *start, gsize *end)
{
    const BzNode *node = node_at(outline, index);
    const char *at = outline->text + node->start + 1;
    const char *stop = outline->text + node->open_end;

    at += strcspn(at, " \t\r\n/>");
    while (at < stop) {
        const char *attribute, *open, *close;
        gsize length;

        at += strspn(at, " \t\r\n");
        if (at >= stop || *at == '/' || *at == '>')
            return FALSE;
        attribute = at;
        length = strcspn(at, " \t\r\n=");
        open = at + strcspn(at, "'\"");
        close = strchr(open + 1, *open);
        if (strlen(name) == length && memcmp(attribute, name, length) == 0) {
            *start = open + 1 - outline->text;
            *end = close - outline->text;
            return TRUE;
        }
        at = close + 1;
    }
    return FALSE;
}
