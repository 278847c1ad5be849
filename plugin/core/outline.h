/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where things are in an XML text.
 *
 * A tree would have to be written out again, and a user's quotes, comments and spacing would be lost on the way. So
 * the text is only read, by libxml2's SAX2 interface, and each element is noted with the bytes it covers; changes
 * are made to the text itself (core/edit.h). It also costs a third of what building a tree costs, and every dumpxml
 * of a domain with the element pays it.
 *
 * The text is hostile: no network, no file, no entity is ever loaded. A document type with entities is refused, since
 * offsets into expanded text would mean nothing and billion-laughs texts come that way.
 */
#pragma once
#include <glib.h>

#define BZ_NS_MARKER "urn:bootzero:domain:1"
#define BZ_NS_QEMU "http://libvirt.org/schemas/domain/qemu/1.0"

/* As much as libvirt's protocol carries in one string (REMOTE_STRING_MAX), in bytes. */
#define BZ_XML_MAX (4u * 1024 * 1024)

#define BZ_NODE_NONE (-1)
#define BZ_NODE_ROOT 0

typedef struct {
    const char *name;
    const char *value; /* entities resolved */
    gboolean prefixed; /* belongs to a namespace */
} BzAttribute;

/* Offsets are bytes from the start of the text. `<a/>` has open_end == close_start == end. */
typedef struct {
    const char *name; /* local name */
    const char *ns;   /* namespace URI, NULL for none */
    int parent;       /* index, BZ_NODE_NONE for the root */
    int depth;        /* 0 for the root */
    gsize start;      /* '<' of the start tag */
    gsize open_end;   /* after '>' of the start tag */
    gsize close_start; /* '<' of the end tag */
    gsize end;        /* after '>' of the end tag */
    guint attributes; /* index of the first one */
    guint n_attributes;
    gboolean has_text; /* has character data that is not white space */
    GString *text;     /* character data, kept for <name>, <uuid> and <emulator> only */
} BzNode;

typedef struct BzOutline BzOutline;

/*
 * Reads text. The outline keeps pointing into it.
 * Errors: BZ_ERROR_MALFORMED with line and reason; BZ_ERROR_XML for a text that is too long or declares entities.
 */
BzOutline *bz_outline_new(const char *text, GError **error);
void bz_outline_free(BzOutline *outline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzOutline, bz_outline_free)

const char *bz_outline_source(const BzOutline *outline);
int bz_outline_count(const BzOutline *outline);
const BzNode *bz_outline_node(const BzOutline *outline, int index);
gboolean bz_outline_has_doctype(const BzOutline *outline);

/* Whether the node has this namespace (NULL: none) and local name (NULL: any). */
gboolean bz_outline_is(const BzOutline *outline, int index, const char *ns, const char *name);

/*
 * The next child of parent after the child `after` (BZ_NODE_NONE: the first) that bz_outline_is() ns and name.
 * bz_outline_any_child() takes every element. BZ_NODE_NONE at the end.
 */
int bz_outline_child(const BzOutline *outline, int parent, int after, const char *ns, const char *name);
int bz_outline_any_child(const BzOutline *outline, int parent, int after);
int bz_outline_last_child(const BzOutline *outline, int parent);

/*
 * Attributes are kept, except inside <devices>, most of a domain's text: there only those of <disk>, <filesystem>,
 * <hostdev>, <interface>, <memory> and of a <driver> in one of them.
 * The value of an attribute without namespace, NULL when it is not there.
 */
const char *bz_outline_attribute(const BzOutline *outline, int index, const char *name);
const BzAttribute *bz_outline_attribute_at(const BzOutline *outline, int index, guint n);

/* The bytes between the quotes of an attribute, by the name as written ("xmlns:qemu", "value"). */
gboolean bz_outline_attribute_span(const BzOutline *outline, int index, const char *name, gsize *start, gsize *end);
