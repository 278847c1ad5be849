/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/qmp-request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool bz_qmp_refuse(struct bz_qmp_refusal *refusal, const char *format, ...)
{
    va_list arguments;

    refusal->class = "GenericError";
    va_start(arguments, format);
    vsnprintf(refusal->text, sizeof refusal->text, format, arguments);
    va_end(arguments);
    return false;
}

bool bz_qmp_request_is(const struct bz_qmp_request *request, unsigned index, enum bz_json_kind kind)
{
    return request->json->values[index].kind == kind;
}

void bz_qmp_request_find_id(struct bz_qmp_request *request)
{
    unsigned id = bz_qmp_request_is(request, 0, BZ_JSON_OBJECT) ? bz_json_member(request->json, 0, "id") : 0;

    if (id == 0)
        return;
    request->id = request->json->values[id].text;
    request->id_length = request->json->values[id].length;
}

bool bz_qmp_request_read(struct bz_qmp_request *request, struct bz_qmp_refusal *refusal)
{
    const struct bz_json *json = request->json;
    char key[BZ_QMP_NAME_SIZE];
    unsigned execute = 0;

    if (!bz_qmp_request_is(request, 0, BZ_JSON_OBJECT))
        return bz_qmp_refuse(refusal, "QMP input must be a JSON object");
    for (unsigned i = 1; i < json->values[0].next; i = json->values[i + 1].next) {
        bz_json_string(json, i, key, sizeof key);
        if (bz_json_member(json, 0, key) != i + 1 && strlen(key) < 64)
            return bz_qmp_refuse(refusal, bz_json_member(json, 0, key) ? "JSON parse error, duplicate key '%s'"
                                                                       : "QMP input member '%s' is unexpected", key);
        if (strcmp(key, "execute") == 0) {
            if (!bz_qmp_request_is(request, i + 1, BZ_JSON_STRING))
                return bz_qmp_refuse(refusal, "QMP input member '%s' must be a string", key);
            execute = i + 1;
        } else if (strcmp(key, "arguments") == 0) {
            if (!bz_qmp_request_is(request, i + 1, BZ_JSON_OBJECT))
                return bz_qmp_refuse(refusal, "QMP input member '%s' must be an object", key);
            request->arguments = i + 1;
        } else if (strcmp(key, "id") != 0) {
            return bz_qmp_refuse(refusal, "QMP input member '%s' is unexpected", key);
        }
    }
    if (execute == 0)
        return bz_qmp_refuse(refusal, "QMP input lacks member 'execute'");
    bz_json_string(json, execute, request->name, sizeof request->name);
    return true;
}

bool bz_qmp_request_argument(const struct bz_qmp_request *request, const char *allowed, unsigned *found,
                             struct bz_qmp_refusal *refusal)
{
    const struct bz_json *json = request->json;
    char key[BZ_QMP_NAME_SIZE];

    *found = 0;
    if (request->arguments == 0)
        return true;
    unsigned end = json->values[request->arguments].next;
    for (unsigned i = request->arguments + 1; i < end; i = json->values[i + 1].next) {
        bz_json_string(json, i, key, sizeof key);
        if (strcmp(key, allowed) != 0)
            return bz_qmp_refuse(refusal, "Parameter '%s' is unexpected", key);
        if (*found)
            return bz_qmp_refuse(refusal, "JSON parse error, duplicate key '%s'", key);
        *found = i + 1;
    }
    return true;
}
