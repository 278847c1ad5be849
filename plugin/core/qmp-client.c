/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/qmp-client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "core/json-stream.h"
#include "core/text.h"

/* The longest answer of interest, device-list-properties of an x86 CPU, has 40 KB and depth 3. */
#define ANSWER_LIMIT (1024 * 1024)
#define DEPTH_LIMIT 64
/* Of the whole conversation, so that a flood of small events ends too. */
#define TOTAL_LIMIT (4 * 1024 * 1024)

struct BzQmpClient {
    int socket;
    gint64 deadline;
    gsize received;
    BzJsonStream *stream;
};

G_DEFINE_QUARK(bz-qmp-error-quark, bz_qmp_error)

BzQmpClient *bz_qmp_client_new(int socket, gint64 deadline)
{
    BzQmpClient *client = g_new0(BzQmpClient, 1);

    client->socket = socket;
    client->deadline = deadline;
    client->stream = bz_json_stream_new(ANSWER_LIMIT, DEPTH_LIMIT);
    return client;
}

void bz_qmp_client_free(BzQmpClient *client)
{
    if (!client)
        return;
    bz_json_stream_free(client->stream);
    g_free(client);
}

/* Waits until the socket is ready for events. what names what we wait for, in errors. */
static gboolean wait_ready(BzQmpClient *client, short events, const char *what, GError **error)
{
    for (;;) {
        struct pollfd ready = {.fd = client->socket, .events = events};
        gint64 left = client->deadline - g_get_monotonic_time();
        int n = left <= 0 ? 0 : poll(&ready, 1, (int)MIN(left / 1000 + 1, G_MAXINT));

        if (n > 0)
            return TRUE;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_CLOSED, "cannot be waited for: %s", g_strerror(errno));
        else
            g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_TIMEOUT, "gave no answer to %s", what);
        return FALSE;
    }
}

static gboolean closed(const char *what, GError **error)
{
    g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_CLOSED, "closed its QMP monitor instead of answering %s", what);
    return FALSE;
}

static gboolean send_all(BzQmpClient *client, const char *data, gsize length, const char *what, GError **error)
{
    while (length > 0) {
        if (!wait_ready(client, POLLOUT, what, error))
            return FALSE;
        ssize_t n = send(client->socket, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return closed(what, error);
        data += n;
        length -= (gsize)n;
    }
    return TRUE;
}

/* The next object of the other end; never NULL when TRUE. */
static gboolean receive(BzQmpClient *client, const char *what, JsonObject **object, GError **error)
{
    char buffer[16384];

    for (;;) {
        g_autoptr(GError) cause = NULL;
        if (!bz_json_stream_next(client->stream, object, &cause)) {
            g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_GARBAGE, "sent %s", cause->message);
            return FALSE;
        }
        if (*object)
            return TRUE;
        if (!wait_ready(client, POLLIN, what, error))
            return FALSE;
        ssize_t n = recv(client->socket, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return closed(what, error);
        client->received += (gsize)n;
        if (client->received > TOTAL_LIMIT) {
            g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_GARBAGE, "sent more than %d bytes", TOTAL_LIMIT);
            return FALSE;
        }
        bz_json_stream_append(client->stream, buffer, (gsize)n);
    }
}

/* The other end's words for an error, however odd its form. */
static char *describe(JsonNode *node)
{
    JsonNode *description = NULL;

    if (JSON_NODE_HOLDS_OBJECT(node))
        description = json_object_get_member(json_node_get_object(node), "desc");
    if (description && JSON_NODE_HOLDS_VALUE(description) && json_node_get_value_type(description) == G_TYPE_STRING)
        return bz_text_escape(json_node_get_string(description), 200);
    return g_strdup("no description");
}

static char *to_text(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);

    return json_to_string(node, FALSE);
}

static gboolean misunderstood(JsonObject *object, GError **error)
{
    g_autofree char *text = to_text(object);
    g_autofree char *shown = bz_text_escape(text, 60);

    g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_GARBAGE, "sent garbage: '%s'", shown);
    return FALSE;
}

JsonNode *bz_qmp_client_execute(BzQmpClient *client, const char *command, JsonObject *arguments, GError **error)
{
    g_autoptr(JsonObject) request = json_object_new();
    g_autofree char *what = g_strdup_printf("'%s'", command);

    json_object_set_string_member(request, "execute", command);
    if (arguments)
        json_object_set_object_member(request, "arguments", arguments);
    g_autofree char *text = to_text(request);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (!send_all(client, line, strlen(line), what, error))
        return NULL;

    for (;;) {
        g_autoptr(JsonObject) answer = NULL;
        if (!receive(client, what, &answer, error))
            return NULL;
        if (json_object_has_member(answer, "return"))
            return json_node_copy(json_object_get_member(answer, "return"));
        if (json_object_has_member(answer, "error")) {
            g_autofree char *words = describe(json_object_get_member(answer, "error"));
            g_set_error(error, BZ_QMP_ERROR, BZ_QMP_ERROR_REFUSED, "refused '%s': %s", command, words);
            return NULL;
        }
        if (!json_object_has_member(answer, "event")) {
            misunderstood(answer, error);
            return NULL;
        }
    }
}

gboolean bz_qmp_client_handshake(BzQmpClient *client, GError **error)
{
    g_autoptr(JsonObject) greeting = NULL;
    g_autoptr(JsonNode) done = NULL;

    if (!receive(client, "the QMP handshake", &greeting, error))
        return FALSE;
    if (!json_object_has_member(greeting, "QMP"))
        return misunderstood(greeting, error);
    done = bz_qmp_client_execute(client, "qmp_capabilities", NULL, error);
    return done != NULL;
}
