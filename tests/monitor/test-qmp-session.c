/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One QMP connection, as a client sees it. */
#include <glib.h>
#include <string.h>

#include "core/qmp-session.h"

#define GREETING "{\"QMP\": {\"version\": {\"qemu\": {"
#define ERROR(class, desc) "{\"error\": {\"class\": \"" class "\", \"desc\": \"" desc "\"}}\r\n"
#define GENERIC(desc) ERROR("GenericError", desc)

static enum bz_qmp_outcome query_tracking(void *server, struct bz_qmp_session *session, const char *domain,
                                          struct bz_buffer *out)
{
    if (g_strcmp0(domain, "none") == 0) {
        bz_buffer_printf(out, "There is no guest '%s'", domain);
        return BZ_QMP_ERROR;
    }
    bz_buffer_printf(out, "[\"%s\"]", domain ? domain : "all");
    return BZ_QMP_RETURN;
}

static enum bz_qmp_outcome query_zeroed_ranges(void *server, struct bz_qmp_session *session, const char *domain,
                                               struct bz_buffer *out)
{
    return BZ_QMP_LATER;
}

static const struct bz_qmp_server_type type = {query_tracking, query_zeroed_ranges};

static void begin(struct bz_qmp_session *session)
{
    bz_qmp_session_init(session, &type, NULL);
    g_assert_true(g_str_has_prefix(session->out.data, GREETING));
    g_assert_true(g_str_has_suffix(session->out.data, "\"capabilities\": []}}\r\n"));
    bz_qmp_session_sent(session, session->out.length);
}

/* Sends text; wanted comes back. */
static void says(struct bz_qmp_session *session, const char *text, const char *wanted)
{
    bz_qmp_session_input(session, text, strlen(text));
    g_assert_cmpstr(session->out.length ? session->out.data : "", ==, wanted);
    bz_qmp_session_sent(session, session->out.length);
}

static void negotiate(struct bz_qmp_session *session)
{
    begin(session);
    says(session, "{\"execute\": \"qmp_capabilities\"}", "{\"return\": {}}\r\n");
}

static void negotiation(void)
{
    struct bz_qmp_session session;

    begin(&session);
    says(&session, "{\"execute\": \"query-version\", \"id\": 1}",
         "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
         "\"Expecting capabilities negotiation with 'qmp_capabilities'\"}, \"id\": 1}\r\n");
    says(&session, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}",
         GENERIC("Capability oob not available"));
    says(&session, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"other\"]}}",
         GENERIC("Parameter 'enable[0]' does not accept value 'other'"));
    says(&session, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [1]}}",
         GENERIC("Invalid parameter type for 'enable[0]', expected: string"));
    says(&session, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": 1}}",
         GENERIC("Invalid parameter type for 'enable', expected: array"));
    says(&session, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"able\": 1}}",
         GENERIC("Parameter 'able' is unexpected"));
    says(&session, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": []}}", "{\"return\": {}}\r\n");
    says(&session, "{\"execute\": \"qmp_capabilities\"}",
         ERROR("CommandNotFound", "Capabilities negotiation is already complete, command ignored"));
    bz_qmp_session_clear(&session);
}

static void wrong_requests(void)
{
    static const struct {
        const char *text;
        const char *answer;
    } wrong[] = {
        {"[]", GENERIC("QMP input must be a JSON object")},
        {"12 ", GENERIC("QMP input must be a JSON object")},
        {"\"x\"", GENERIC("QMP input must be a JSON object")},
        {"{}", GENERIC("QMP input lacks member 'execute'")},
        {"{\"execute\": 1}", GENERIC("QMP input member 'execute' must be a string")},
        {"{\"exec-oob\": \"query-version\"}", GENERIC("QMP input member 'exec-oob' is unexpected")},
        {"{\"execute\": \"query-version\", \"arguments\": 1}", GENERIC("QMP input member 'arguments' must be an object")},
        {"{\"execute\": \"query-version\", \"arguments\": {\"a\": 1}}", GENERIC("Parameter 'a' is unexpected")},
        {"{\"execute\": \"query-version\", \"more\": 1}", GENERIC("QMP input member 'more' is unexpected")},
        {"{\"execute\": \"query-version\", \"execute\": \"x\"}", GENERIC("JSON parse error, duplicate key 'execute'")},
        {"{\"execute\": \"quit\"}", ERROR("CommandNotFound", "The command quit has not been found")},
        {"{\"execute\": \"\\u0022\\u000a\"}", ERROR("CommandNotFound", "The command \\\"\\u000a has not been found")},
        {"{\"execute\": \"__bootzero_query-tracking\", \"arguments\": {\"domain\": 1}}",
         GENERIC("Invalid parameter type for 'domain', expected: string")},
        {"{\"execute\": \"__bootzero_query-tracking\", \"arguments\": {\"domain\": \"a\", \"domain\": \"b\"}}",
         GENERIC("JSON parse error, duplicate key 'domain'")},
        {"{\"execute\": \"__bootzero_query-tracking\", \"arguments\": {\"domain\": \"none\"}}",
         GENERIC("There is no guest 'none'")},
        {"{\"execute\": }", GENERIC("JSON parse error, invalid value")},
        {"garbage\n", GENERIC("JSON parse error, invalid value")},
        {"{\"execute\n", GENERIC("JSON parse error, control character in a string")},
    };
    struct bz_qmp_session session;

    negotiate(&session);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        says(&session, wrong[i].text, wrong[i].answer);
    /* and none of it harmed the connection */
    says(&session, "{\"execute\": \"__bootzero_query-tracking\"}", "{\"return\": [\"all\"]}\r\n");
    bz_qmp_session_clear(&session);
}

static void ids(void)
{
    static const char *const given[] = {"null", "1.50", "\"a \\\" b\"", "[ 1,\r\n{ \"x y\": [] } ]", "{}"};
    static const char *const echoed[] = {"null", "1.50", "\"a \\\" b\"", "[1,{\"x y\":[]}]", "{}"};
    struct bz_qmp_session session;

    negotiate(&session);
    for (gsize i = 0; i < G_N_ELEMENTS(given); i++) {
        g_autofree char *request = g_strdup_printf("{\"id\": %s, \"execute\": \"__bootzero_query-tracking\"}", given[i]);
        g_autofree char *answer = g_strdup_printf("{\"return\": [\"all\"], \"id\": %s}\r\n", echoed[i]);
        says(&session, request, answer);
    }
    bz_qmp_session_clear(&session);
}

/* However the bytes are cut, the answers are the same. */
static void pieces(void)
{
    static const char text[] = "{\"execute\":\"qmp_capabilities\"}"
                               "{\"execute\":\"__bootzero_query-tracking\",\"id\":\"\xc3\xa9\"}"
                               " {\"execute\":\"__bootzero_query-tracking\",\"arguments\":{\"domain\":\"\xc3\xa9\"}}";

    for (gsize step = 1; step <= strlen(text); step++) {
        struct bz_qmp_session session;
        g_autoptr(GString) answers = g_string_new(NULL);
        begin(&session);
        for (gsize at = 0; at < strlen(text); at += step) {
            bz_qmp_session_input(&session, text + at, MIN(step, strlen(text) - at));
            g_string_append_len(answers, session.out.data, (gssize)session.out.length);
            bz_qmp_session_sent(&session, session.out.length);
        }
        g_assert_cmpstr(answers->str, ==, "{\"return\": {}}\r\n{\"return\": [\"all\"], \"id\": \"\xc3\xa9\"}\r\n"
                                          "{\"return\": [\"\xc3\xa9\"]}\r\n");
        bz_qmp_session_clear(&session);
    }
}

static void later(void)
{
    struct bz_qmp_session session;

    negotiate(&session);
    says(&session,
         "{\"execute\": \"__bootzero_query-zeroed-ranges\", \"id\": 7}{\"execute\": \"__bootzero_query-tracking\"}", "");
    g_assert_false(bz_qmp_session_wants_input(&session));
    bz_qmp_session_answer(&session, BZ_QMP_RETURN, "{\"x\": 1}");
    g_assert_cmpstr(session.out.data, ==, "{\"return\": {\"x\": 1}, \"id\": 7}\r\n{\"return\": [\"all\"]}\r\n");
    bz_qmp_session_sent(&session, session.out.length);
    says(&session, "{\"execute\": \"__bootzero_query-zeroed-ranges\"}", "");
    bz_qmp_session_answer(&session, BZ_QMP_ERROR, "no \"luck\"");
    g_assert_cmpstr(session.out.data, ==, GENERIC("no \\\"luck\\\""));
    bz_qmp_session_clear(&session);
}

static void events(void)
{
    struct bz_qmp_session session;
    struct bz_buffer event = {0};

    bz_qmp_event(&event, "X", "{\"a\": 1}", 12000345);
    begin(&session);
    bz_qmp_session_event(&session, &event);
    g_assert_cmpuint(session.out.length, ==, 0); /* not before negotiation */
    says(&session, "{\"execute\": \"qmp_capabilities\"}", "{\"return\": {}}\r\n");
    bz_qmp_session_event(&session, &event);
    g_assert_cmpstr(session.out.data, ==,
                    "{\"timestamp\": {\"seconds\": 12, \"microseconds\": 345}, \"event\": \"X\", \"data\": {\"a\": 1}}\r\n");
    /* a client that never reads is given up, not kept for ever */
    for (gsize i = 0; i < BZ_QMP_OUTPUT_LIMIT / event.length + 1; i++)
        bz_qmp_session_event(&session, &event);
    g_assert_true(bz_qmp_session_failed(&session));
    g_assert_cmpuint(session.out.length, <=, BZ_QMP_OUTPUT_LIMIT);
    bz_qmp_session_clear(&session);
    bz_buffer_clear(&event);
}

static void ends_with(struct bz_qmp_session *session, const char *error)
{
    g_assert_true(session->over);
    g_assert_true(g_str_has_suffix(session->out.data, error));
    g_assert_cmpuint(session->in.length, <=, 2 * BZ_QMP_INPUT_LIMIT);
    g_assert_false(bz_qmp_session_wants_input(session));
}

/* 100 MB of it, as far as the session wants it. */
static void flood(struct bz_qmp_session *session, const char *start, char c)
{
    g_autofree char *fill = g_strnfill(4096, c);

    negotiate(session);
    bz_qmp_session_input(session, start, strlen(start));
    for (int i = 0; i < 25 * 1024 && bz_qmp_session_wants_input(session); i++)
        bz_qmp_session_input(session, fill, 4096);
}

static void floods(void)
{
    struct bz_qmp_session session;

    flood(&session, "{\"execute\": \"", 'a');
    ends_with(&session, GENERIC("JSON parse error, too long"));
    bz_qmp_session_clear(&session);
    flood(&session, "", 'a');
    ends_with(&session, GENERIC("JSON parse error, too long"));
    bz_qmp_session_clear(&session);
    flood(&session, "", '[');
    ends_with(&session, GENERIC("JSON parse error, too deep"));
    bz_qmp_session_clear(&session);
    /* white space is nothing */
    flood(&session, "", ' ');
    g_assert_cmpuint(session.in.length, ==, 0);
    g_assert_false(session.over);
    bz_qmp_session_clear(&session);
}

/* Commands without reading the answers: the session stops, and goes on when they are read. */
static void pause_and_go_on(void)
{
    struct bz_qmp_session session;
    guint answers = 0;

    negotiate(&session);
    for (int i = 0; i < 100; i++)
        bz_qmp_session_input(&session, "{\"execute\": \"query-qmp-schema\"}", 31);
    g_assert_false(bz_qmp_session_wants_input(&session));
    g_assert_cmpuint(session.out.length, <, BZ_QMP_OUTPUT_PAUSE + 20000);
    while (session.out.length > 0) {
        for (const char *at = session.out.data; (at = strstr(at, "\r\n")); at += 2)
            answers++;
        bz_qmp_session_sent(&session, session.out.length);
    }
    g_assert_cmpuint(answers, ==, 100);
    g_assert_false(bz_qmp_session_failed(&session));
    bz_qmp_session_clear(&session);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp-session/negotiation", negotiation);
    g_test_add_func("/qmp-session/wrong-requests", wrong_requests);
    g_test_add_func("/qmp-session/ids", ids);
    g_test_add_func("/qmp-session/pieces", pieces);
    g_test_add_func("/qmp-session/later", later);
    g_test_add_func("/qmp-session/events", events);
    g_test_add_func("/qmp-session/floods", floods);
    g_test_add_func("/qmp-session/pause", pause_and_go_on);
    return g_test_run();
}
