/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of a JSON object that may be anything: each is given when it is there and of the type asked for. */
#pragma once
#include <json-glib/json-glib.h>

/* NULL otherwise. What is given stays the object's. */
const char *bz_member_text(JsonObject *object, const char *name);
JsonObject *bz_member_object(JsonObject *object, const char *name);
JsonArray *bz_member_array(JsonObject *object, const char *name);

/* FALSE otherwise. A number below 0 or above 2^63 - 1 is none. */
gboolean bz_member_number(JsonObject *object, const char *name, guint64 *number);
gboolean bz_member_boolean(JsonObject *object, const char *name, gboolean *value);

/* An element of an array that is an object; else NULL. */
JsonObject *bz_element_object(JsonArray *array, guint index);
