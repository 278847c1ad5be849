/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/qmp-session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/qmp-request.h"
#include "qmp-schema.h" /* BZ_QMP_SCHEMA, made from schema/bootzero.json */

/* --- out --- */

static void put_version(struct bz_buffer *out)
{
    unsigned major = 0, minor = 0, micro = 0;

    sscanf(BZ_VERSION, "%u.%u.%u", &major, &minor, &micro);
    bz_buffer_printf(out, "{\"qemu\": {\"micro\": %u, \"minor\": %u, \"major\": %u}, \"package\": \"bootzero-%s\"}", micro,
                     minor, major, BZ_VERSION);
}

/* The id as it was sent, but on one line: white space between its values is of no meaning. */
static void put_id(struct bz_buffer *out, const char *id, size_t length)
{
    bool in_string = false;

    if (length == 0)
        return;
    bz_buffer_printf(out, ", \"id\": ");
    for (size_t i = 0; i < length; i++) {
        if (in_string && id[i] == '\\')
            bz_buffer_append(out, &id[i++], 1);
        else if (id[i] == '"')
            in_string = !in_string;
        else if (!in_string && strchr(" \t\r\n", id[i]))
            continue;
        bz_buffer_append(out, &id[i], 1);
    }
}

static void put_return(struct bz_qmp_session *session, const char *json, const char *id, size_t id_length)
{
    bz_buffer_printf(&session->out, "{\"return\": %s", json);
    put_id(&session->out, id, id_length);
    bz_buffer_printf(&session->out, "}\r\n");
}

static void put_error(struct bz_qmp_session *session, const char *class, const char *text, const char *id,
                      size_t id_length)
{
    bz_buffer_printf(&session->out, "{\"error\": {\"class\": \"%s\", \"desc\": ", class);
    bz_buffer_json_string(&session->out, text);
    bz_buffer_printf(&session->out, "}");
    put_id(&session->out, id, id_length);
    bz_buffer_printf(&session->out, "}\r\n");
}

uint64_t bz_qmp_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void bz_qmp_event(struct bz_buffer *to, const char *name, const char *data, uint64_t at)
{
    bz_buffer_printf(to, "{\"timestamp\": {\"seconds\": %" PRIu64 ", \"microseconds\": %" PRIu64 "}, \"event\": \"%s\", "
                         "\"data\": %s}\r\n", at / 1000000, at % 1000000, name, data);
}

/* --- commands --- */

typedef enum bz_qmp_outcome query_function(void *server, struct bz_qmp_session *session, const char *domain,
                                           struct bz_buffer *out);

static bool check_capabilities(const struct bz_qmp_request *request, struct bz_qmp_refusal *refusal)
{
    const struct bz_json *json = request->json;
    char name[BZ_QMP_NAME_SIZE];
    unsigned enable;

    if (!bz_qmp_request_argument(request, "enable", &enable, refusal))
        return false;
    if (enable == 0)
        return true;
    if (!bz_qmp_request_is(request, enable, BZ_JSON_ARRAY))
        return bz_qmp_refuse(refusal, "Invalid parameter type for 'enable', expected: array");
    if (json->values[enable].next == enable + 1)
        return true;
    if (!bz_qmp_request_is(request, enable + 1, BZ_JSON_STRING))
        return bz_qmp_refuse(refusal, "Invalid parameter type for 'enable[0]', expected: string");
    bz_json_string(json, enable + 1, name, sizeof name);
    if (strcmp(name, "oob") == 0)
        return bz_qmp_refuse(refusal, "Capability %s not available", name);
    return bz_qmp_refuse(refusal, "Parameter 'enable[0]' does not accept value '%s'", name);
}

static const char *const command_names[] = {
    "qmp_capabilities", "query-version",           "query-commands",
    "query-qmp-schema", "__bootzero_query-tracking", "__bootzero_query-zeroed-ranges",
};

static void put_commands(struct bz_buffer *out)
{
    for (size_t i = 0; i < sizeof command_names / sizeof command_names[0]; i++)
        bz_buffer_printf(out, "%s{\"name\": \"%s\"}", i ? ", " : "[", command_names[i]);
    bz_buffer_printf(out, "]");
}

/* The commands that every server answers alike. True when it was one. */
static bool run_common(const char *name, struct bz_buffer *out)
{
    if (strcmp(name, "query-version") == 0)
        put_version(out);
    else if (strcmp(name, "query-commands") == 0)
        put_commands(out);
    else if (strcmp(name, "query-qmp-schema") == 0)
        bz_buffer_printf(out, "%s", BZ_QMP_SCHEMA);
    else
        return false;
    return true;
}

static bool run_query(struct bz_qmp_session *session, const struct bz_qmp_request *request, query_function *query,
                      enum bz_qmp_outcome *outcome, struct bz_buffer *out, struct bz_qmp_refusal *refusal)
{
    char domain[BZ_QMP_NAME_SIZE];
    unsigned argument;

    if (!bz_qmp_request_argument(request, "domain", &argument, refusal))
        return false;
    if (argument && !bz_qmp_request_is(request, argument, BZ_JSON_STRING))
        return bz_qmp_refuse(refusal, "Invalid parameter type for 'domain', expected: string");
    if (argument)
        bz_json_string(request->json, argument, domain, sizeof domain);
    *outcome = query(session->server, session, argument ? domain : NULL, out);
    return true;
}

static bool run_negotiated(struct bz_qmp_session *session, const struct bz_qmp_request *request,
                           enum bz_qmp_outcome *outcome, struct bz_buffer *out, struct bz_qmp_refusal *refusal)
{
    unsigned argument;

    if (strcmp(request->name, "__bootzero_query-tracking") == 0)
        return run_query(session, request, session->type->query_tracking, outcome, out, refusal);
    if (strcmp(request->name, "__bootzero_query-zeroed-ranges") == 0)
        return run_query(session, request, session->type->query_zeroed_ranges, outcome, out, refusal);
    if (strcmp(request->name, "qmp_capabilities") == 0) {
        bz_qmp_refuse(refusal, "Capabilities negotiation is already complete, command ignored");
        refusal->class = "CommandNotFound";
        return false;
    }
    *outcome = BZ_QMP_RETURN;
    if (run_common(request->name, out))
        return bz_qmp_request_argument(request, "", &argument, refusal);
    bz_qmp_refuse(refusal, "The command %s has not been found", request->name);
    refusal->class = "CommandNotFound";
    return false;
}

static bool run(struct bz_qmp_session *session, const struct bz_qmp_request *request, enum bz_qmp_outcome *outcome,
                struct bz_buffer *out, struct bz_qmp_refusal *refusal)
{
    if (session->negotiated)
        return run_negotiated(session, request, outcome, out, refusal);
    if (strcmp(request->name, "qmp_capabilities") != 0) {
        bz_qmp_refuse(refusal, "Expecting capabilities negotiation with 'qmp_capabilities'");
        refusal->class = "CommandNotFound";
        return false;
    }
    if (!check_capabilities(request, refusal))
        return false;
    session->negotiated = true;
    bz_buffer_printf(out, "{}");
    *outcome = BZ_QMP_RETURN;
    return true;
}

static void answer(struct bz_qmp_session *session, enum bz_qmp_outcome outcome, const struct bz_buffer *text,
                   const char *id, size_t id_length)
{
    if (text->failed || text->data == NULL)
        put_error(session, "GenericError", "Out of memory", id, id_length);
    else if (outcome == BZ_QMP_RETURN)
        put_return(session, text->data, id, id_length);
    else
        put_error(session, "GenericError", text->data, id, id_length);
}

static void run_text(struct bz_qmp_session *session, const char *text, size_t length)
{
    struct bz_json json;
    struct bz_qmp_request request = { .json = &json };
    struct bz_qmp_refusal refusal;
    struct bz_buffer out = { .limit = BZ_QMP_OUTPUT_LIMIT };
    enum bz_qmp_outcome outcome = BZ_QMP_ERROR;
    const char *why = bz_json_parse(&json, text, length);

    if (why) {
        bz_qmp_refuse(&refusal, "JSON parse error, %s", why);
        put_error(session, refusal.class, refusal.text, NULL, 0);
        return;
    }
    bz_qmp_request_find_id(&request); /* first, so that a refusal has it */
    if (!bz_qmp_request_read(&request, &refusal) || !run(session, &request, &outcome, &out, &refusal)) {
        put_error(session, refusal.class, refusal.text, request.id, request.id_length);
    } else if (outcome == BZ_QMP_LATER) {
        session->waits = true;
        bz_buffer_append(&session->id, request.id ? request.id : "", request.id_length);
    } else {
        answer(session, outcome, &out, request.id, request.id_length);
    }
    bz_buffer_clear(&out);
}

/* --- the stream --- */

static void end_badly(struct bz_qmp_session *session, const char *text)
{
    put_error(session, "GenericError", text, NULL, 0);
    session->over = true;
}

/* Runs one command. False when there is none, or none may run now. */
static bool run_next(struct bz_qmp_session *session)
{
    struct bz_buffer *in = &session->in;

    if (session->waits || session->over || session->out.length > BZ_QMP_OUTPUT_PAUSE)
        return false;
    if (session->frame.scanned == 0)
        bz_buffer_drop(in, bz_json_space(in->data, in->length));
    enum bz_json_cut cut = bz_json_cut(&session->frame, in->data, in->length);
    size_t length = session->frame.scanned;
    if (cut == BZ_JSON_TOO_DEEP) {
        end_badly(session, "JSON parse error, too deep");
        return false;
    }
    if (length > BZ_QMP_INPUT_LIMIT) {
        end_badly(session, "JSON parse error, too long");
        return false;
    }
    if (cut == BZ_JSON_MORE)
        return false;
    if (cut == BZ_JSON_BROKEN)
        put_error(session, "GenericError", "JSON parse error, control character in a string", NULL, 0);
    else
        run_text(session, in->data, length);
    session->frame = (struct bz_json_frame){ 0 };
    bz_buffer_drop(in, length);
    return true;
}

static void run_all(struct bz_qmp_session *session)
{
    while (run_next(session))
        ;
}

void bz_qmp_session_init(struct bz_qmp_session *session, const struct bz_qmp_server_type *type, void *server)
{
    *session = (struct bz_qmp_session){ .type = type, .server = server, .out.limit = BZ_QMP_OUTPUT_LIMIT };
    bz_buffer_printf(&session->out, "{\"QMP\": {\"version\": ");
    put_version(&session->out);
    bz_buffer_printf(&session->out, ", \"capabilities\": []}}\r\n");
}

void bz_qmp_session_clear(struct bz_qmp_session *session)
{
    bz_buffer_clear(&session->in);
    bz_buffer_clear(&session->out);
    bz_buffer_clear(&session->id);
}

bool bz_qmp_session_wants_input(const struct bz_qmp_session *session)
{
    return !session->waits && !session->over && session->out.length <= BZ_QMP_OUTPUT_PAUSE;
}

void bz_qmp_session_input(struct bz_qmp_session *session, const char *data, size_t length)
{
    if (session->over)
        return;
    bz_buffer_append(&session->in, data, length);
    run_all(session);
}

void bz_qmp_session_sent(struct bz_qmp_session *session, size_t length)
{
    bz_buffer_drop(&session->out, length);
    run_all(session);
}

void bz_qmp_session_answer(struct bz_qmp_session *session, enum bz_qmp_outcome outcome, const char *text)
{
    struct bz_buffer id = session->id;

    session->id = (struct bz_buffer){ 0 };
    session->waits = false;
    if (outcome == BZ_QMP_RETURN)
        put_return(session, text, id.data, id.length);
    else
        put_error(session, "GenericError", text, id.data, id.length);
    bz_buffer_clear(&id);
    run_all(session);
}

void bz_qmp_session_event(struct bz_qmp_session *session, const struct bz_buffer *event)
{
    if (session->negotiated && !session->over)
        bz_buffer_append(&session->out, event->data, event->length);
}

bool bz_qmp_session_failed(const struct bz_qmp_session *session)
{
    return session->in.failed || session->out.failed || session->id.failed;
}
