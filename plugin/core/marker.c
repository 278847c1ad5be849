/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/marker.h"

#include <string.h>

#include "core/element-parse.h"
#include "core/error.h"

static const struct {
    const char *word;
    BzWritten flag;
} written_words[] = {
    {"metadata", BZ_WRITTEN_METADATA},
    {"commandline", BZ_WRITTEN_COMMANDLINE},
    {"plain-hyperv", BZ_WRITTEN_PLAIN_HYPERV},
};

gboolean bz_marker_find(const BzOutline *outline, int domain, int *marker, GError **error)
{
    int metadata = BZ_NODE_NONE;

    *marker = BZ_NODE_NONE;
    while ((metadata = bz_outline_child(outline, domain, metadata, NULL, "metadata")) != BZ_NODE_NONE) {
        int node = BZ_NODE_NONE;

        while ((node = bz_outline_child(outline, metadata, node, BZ_NS_MARKER, NULL)) != BZ_NODE_NONE) {
            if (!bz_outline_is(outline, node, BZ_NS_MARKER, "features")) {
                g_set_error(error, BZ_ERROR, BZ_ERROR_XML,
                            "Unexpected element '%s' of namespace " BZ_NS_MARKER
                            " in <metadata>: only 'features' is known; remove it",
                            bz_outline_node(outline, node)->name);
                return FALSE;
            }
            if (*marker != BZ_NODE_NONE) {
                g_set_error_literal(error, BZ_ERROR, BZ_ERROR_XML,
                                    "<metadata> has two 'features' elements of namespace " BZ_NS_MARKER
                                    ": remove one of them");
                return FALSE;
            }
            *marker = node;
        }
    }
    return TRUE;
}

static gboolean parse_written(const char *value, BzWritten *written, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(value, " \t\r\n", -1);

    for (char **word = words; *word; word++) {
        guint i = 0;

        if (!**word)
            continue;
        while (i < G_N_ELEMENTS(written_words) && strcmp(written_words[i].word, *word) != 0)
            i++;
        if (i == G_N_ELEMENTS(written_words)) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_XML,
                        "Invalid value for attribute 'written' in element 'features' of namespace " BZ_NS_MARKER
                        ": '%s'.",
                        *word);
            return FALSE;
        }
        *written |= written_words[i].flag;
    }
    return TRUE;
}

gboolean bz_marker_parse(const BzOutline *outline, int marker, BzFeatures *features, BzWritten *written,
                         GError **error)
{
    const BzNode *node = bz_outline_node(outline, marker);

    *written = 0;
    for (guint i = 0; i < node->n_attributes; i++) {
        const BzAttribute *attribute = bz_outline_attribute_at(outline, marker, i);

        if (attribute->prefixed || strcmp(attribute->name, "written") != 0) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_XML,
                        "Unknown attribute '%s' in element 'features' of namespace " BZ_NS_MARKER ": remove it",
                        attribute->name);
            return FALSE;
        }
        if (!parse_written(attribute->value, written, error))
            return FALSE;
    }
    for (int child = bz_outline_any_child(outline, marker, BZ_NODE_NONE); child != BZ_NODE_NONE;
         child = bz_outline_any_child(outline, marker, child))
        if (!bz_element_parse(outline, child, BZ_NS_MARKER, features, error))
            return FALSE;
    if (bz_features_is_absent(features)) {
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_XML,
                            "the element 'features' of namespace " BZ_NS_MARKER " in <metadata> is empty: remove it");
        return FALSE;
    }
    return TRUE;
}

static void append_state(GString *text, const char *indent, const char *name, BzState state)
{
    if (state != BZ_STATE_ABSENT)
        g_string_append_printf(text, "%s  <bootzero:%s state='%s'/>", indent, name, bz_state_to_string(state));
}

char *bz_marker_format(const BzFeatures *features, BzWritten written, const char *indent)
{
    GString *text = g_string_new("<bootzero:features xmlns:bootzero='" BZ_NS_MARKER "'");

    if (written) {
        const char *separator = "";

        g_string_append(text, " written='");
        for (guint i = 0; i < G_N_ELEMENTS(written_words); i++) {
            if (written & written_words[i].flag) {
                g_string_append_printf(text, "%s%s", separator, written_words[i].word);
                separator = " ";
            }
        }
        g_string_append_c(text, '\'');
    }
    g_string_append_c(text, '>');
    append_state(text, indent, BZ_ELEMENT_EXT_QUERY_CAPS, features->ext_query_caps);
    append_state(text, indent, BZ_ELEMENT_BOOT_ZEROED_MEMORY, features->boot_zeroed_memory);
    g_string_append_printf(text, "%s</bootzero:features>", indent);
    return g_string_free(text, FALSE);
}
