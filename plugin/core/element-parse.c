/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/element-parse.h"

#include <string.h>

#include "core/error.h"

gboolean bz_element_is_name(const char *name)
{
    return strcmp(name, BZ_ELEMENT_BOOT_ZEROED_MEMORY) == 0 || strcmp(name, BZ_ELEMENT_EXT_QUERY_CAPS) == 0;
}

static BzState *slot_for(BzFeatures *features, const char *name)
{
    return strcmp(name, BZ_ELEMENT_EXT_QUERY_CAPS) == 0 ? &features->ext_query_caps : &features->boot_zeroed_memory;
}

static gboolean check_attributes(const BzOutline *outline, int index, GError **error)
{
    const BzNode *node = bz_outline_node(outline, index);

    for (guint i = 0; i < node->n_attributes; i++) {
        const BzAttribute *attribute = bz_outline_attribute_at(outline, index, i);

        if (attribute->prefixed || strcmp(attribute->name, "state") != 0) {
            g_set_error(error, BZ_ERROR, BZ_ERROR_XML,
                        "Unknown attribute '%s' in element '%s': only 'state' is allowed", attribute->name,
                        node->name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean check_empty(const BzOutline *outline, int index, GError **error)
{
    const BzNode *node = bz_outline_node(outline, index);
    int child = bz_outline_any_child(outline, index, BZ_NODE_NONE);

    if (child != BZ_NODE_NONE) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "Unexpected element '%s' in element '%s': it must be empty",
                    bz_outline_node(outline, child)->name, node->name);
        return FALSE;
    }
    if (node->has_text) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "Unexpected text in element '%s': it must be empty", node->name);
        return FALSE;
    }
    return TRUE;
}

gboolean bz_element_parse(const BzOutline *outline, int index, const char *ns, BzFeatures *features, GError **error)
{
    const BzNode *node = bz_outline_node(outline, index);
    const char *value;
    BzState *state;

    if (!bz_outline_is(outline, index, ns, NULL) || !bz_element_is_name(node->name)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "Unexpected element '%s' beside '%s' and '%s': remove it",
                    node->name, BZ_ELEMENT_EXT_QUERY_CAPS, BZ_ELEMENT_BOOT_ZEROED_MEMORY);
        return FALSE;
    }
    state = slot_for(features, node->name);
    if (*state != BZ_STATE_ABSENT) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "element '%s' is given more than once: remove all but one",
                    node->name);
        return FALSE;
    }
    value = bz_outline_attribute(outline, index, "state");
    if (!value) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "Missing required attribute 'state' in element '%s'", node->name);
        return FALSE;
    }
    if (!bz_state_from_string(value, state)) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_XML, "Invalid value for attribute 'state' in element '%s': '%s'.",
                    node->name, value);
        return FALSE;
    }
    return check_attributes(outline, index, error) && check_empty(outline, index, error);
}

char *bz_element_format(const BzFeatures *features, const char *indent)
{
    GString *text = g_string_new(NULL);

    if (features->ext_query_caps != BZ_STATE_ABSENT)
        g_string_append_printf(text, "%s<" BZ_ELEMENT_EXT_QUERY_CAPS " state='%s'/>", indent,
                               bz_state_to_string(features->ext_query_caps));
    if (features->boot_zeroed_memory != BZ_STATE_ABSENT)
        g_string_append_printf(text, "%s<" BZ_ELEMENT_BOOT_ZEROED_MEMORY " state='%s'/>", indent,
                               bz_state_to_string(features->boot_zeroed_memory));
    return g_string_free(text, FALSE);
}
