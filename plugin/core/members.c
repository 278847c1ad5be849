/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/members.h"

static JsonNode *get(JsonObject *object, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node : NULL;
}

const char *bz_member_text(JsonObject *object, const char *name)
{
    JsonNode *node = get(object, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : NULL;
}

JsonObject *bz_member_object(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *bz_member_array(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

gboolean bz_member_number(JsonObject *object, const char *name, guint64 *number)
{
    JsonNode *node = get(object, name, G_TYPE_INT64);

    if (!node || json_node_get_int(node) < 0)
        return FALSE;
    *number = (guint64)json_node_get_int(node);
    return TRUE;
}

gboolean bz_member_boolean(JsonObject *object, const char *name, gboolean *value)
{
    JsonNode *node = get(object, name, G_TYPE_BOOLEAN);

    if (!node)
        return FALSE;
    *value = json_node_get_boolean(node);
    return TRUE;
}

JsonObject *bz_element_object(JsonArray *array, guint index)
{
    JsonNode *node = index < json_array_get_length(array) ? json_array_get_element(array, index) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}
