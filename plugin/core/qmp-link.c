/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/qmp-link.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/json-stream.h"
#include "core/text.h"

#define READ_SIZE 16384
#define MESSAGE_LIMIT (8 * 1024 * 1024) /* a host's list of guests: 500 bytes each */
#define DEPTH_LIMIT 64
#define SILENCE_LIMIT 10 /* seconds a command may take */

typedef struct {
    BzQmpLinkReply reply;
    gpointer opaque;
} Command;

struct BzQmpLink {
    const BzQmpLinkType *type;
    gpointer opaque;
    GSocket *socket;
    GSource *source;
    GSource *timeout; /* while a command is outstanding */
    BzJsonStream *stream;
    gboolean greeted;
    GQueue outstanding; /* Command */
    gboolean *freed;    /* set by bz_qmp_link_free(), for a function of ours that goes on after a call of the owner's */
};

static void end_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

/* Answers what is outstanding. */
static void fail_commands(BzQmpLink *link, const char *why)
{
    g_autoptr(GError) error = g_error_new(BZ_ERROR, BZ_ERROR_FAILED, "the endpoint %s", why);
    Command *command;

    while ((command = g_queue_pop_head(&link->outstanding))) {
        if (command->reply)
            command->reply(NULL, error, command->opaque);
        g_free(command);
    }
}

void bz_qmp_link_free(BzQmpLink *link)
{
    if (!link)
        return;
    if (link->freed)
        *link->freed = TRUE;
    end_source(&link->source);
    end_source(&link->timeout);
    fail_commands(link, "was left");
    bz_json_stream_free(link->stream);
    g_object_unref(link->socket);
    g_free(link);
}

/* The link may be gone afterwards. */
static void fail(BzQmpLink *link, const char *why)
{
    end_source(&link->source);
    end_source(&link->timeout);
    fail_commands(link, why);
    link->type->closed(link, why, link->opaque);
}

static gboolean on_silence(gpointer data)
{
    fail(data, "gave no answer");
    return G_SOURCE_REMOVE;
}

/* Counts anew from the last answer, as long as there is something to wait for. */
static void restart_timeout(BzQmpLink *link)
{
    end_source(&link->timeout);
    if (g_queue_is_empty(&link->outstanding))
        return;
    link->timeout = g_timeout_source_new_seconds(SILENCE_LIMIT);
    g_source_set_callback(link->timeout, on_silence, link, NULL);
    g_source_attach(link->timeout, g_main_context_get_thread_default());
}

/* --- what comes in --- */

static char *error_text(JsonNode *node)
{
    JsonNode *text = NULL;

    if (JSON_NODE_HOLDS_OBJECT(node))
        text = json_object_get_member(json_node_get_object(node), "desc");
    if (text && JSON_NODE_HOLDS_VALUE(text) && json_node_get_value_type(text) == G_TYPE_STRING)
        return bz_text_escape(json_node_get_string(text), 200);
    return g_strdup("no description");
}

static gboolean take_reply(BzQmpLink *link, JsonObject *message)
{
    g_autofree Command *command = g_queue_pop_head(&link->outstanding);
    JsonNode *refused = json_object_get_member(message, "error");
    g_autoptr(GError) error = NULL;

    restart_timeout(link);
    if (!command)
        return FALSE;
    if (refused) {
        g_autofree char *text = error_text(refused);
        error = g_error_new_literal(BZ_ERROR, BZ_ERROR_FAILED, text);
    }
    if (command->reply)
        command->reply(refused ? NULL : json_object_get_member(message, "return"), error, command->opaque);
    return TRUE;
}

static gboolean take_event(BzQmpLink *link, JsonObject *message)
{
    JsonNode *name = json_object_get_member(message, "event");
    JsonNode *data = json_object_get_member(message, "data");

    if (!JSON_NODE_HOLDS_VALUE(name) || json_node_get_value_type(name) != G_TYPE_STRING)
        return FALSE;
    link->type->event(link, json_node_get_string(name),
                      data && JSON_NODE_HOLDS_OBJECT(data) ? json_node_get_object(data) : NULL, link->opaque);
    return TRUE;
}

static gboolean take_message(BzQmpLink *link, JsonObject *message)
{
    if (!link->greeted) {
        link->greeted = json_object_has_member(message, "QMP");
        return link->greeted;
    }
    if (json_object_has_member(message, "event"))
        return take_event(link, message);
    if (json_object_has_member(message, "return") || json_object_has_member(message, "error"))
        return take_reply(link, message);
    return FALSE;
}

static void take_messages(BzQmpLink *link)
{
    gboolean freed = FALSE;

    link->freed = &freed;
    while (link->source) {
        g_autoptr(JsonObject) message = NULL;
        g_autoptr(GError) error = NULL;
        gboolean good = bz_json_stream_next(link->stream, &message, &error);

        if (good && !message)
            break;
        if (!good || !take_message(link, message)) {
            if (!freed) {
                link->freed = NULL;
                fail(link, "sent what is not QMP");
            }
            return;
        }
        if (freed)
            return;
    }
    link->freed = NULL;
}

static gboolean on_ready(GSocket *socket, GIOCondition condition, gpointer data)
{
    BzQmpLink *link = data;
    g_autoptr(GError) error = NULL;
    char bytes[READ_SIZE];
    gssize n = g_socket_receive_with_blocking(socket, bytes, sizeof bytes, FALSE, NULL, &error);

    if (n > 0) {
        bz_json_stream_append(link->stream, bytes, (gsize)n);
        take_messages(link);
    } else if (n == 0) {
        fail(link, "has closed the connection");
    } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        fail(link, "has broken the connection");
    }
    return G_SOURCE_CONTINUE; /* of no meaning when the source was destroyed */
}

/* --- what goes out --- */

void bz_qmp_link_execute(BzQmpLink *link, const char *name, const char *domain, BzQmpLinkReply reply, gpointer opaque)
{
    Command *command = g_new(Command, 1);
    struct bz_buffer text = {0};

    *command = (Command){reply, opaque};
    g_queue_push_tail(&link->outstanding, command);
    if (!link->timeout)
        restart_timeout(link);
    bz_buffer_printf(&text, "{\"execute\": \"%s\"", name);
    if (domain) {
        bz_buffer_printf(&text, ", \"arguments\": {\"domain\": ");
        bz_buffer_json_string(&text, domain);
        bz_buffer_printf(&text, "}");
    }
    bz_buffer_printf(&text, "}\n");
    /*
     * Commands are small and few: the kernel takes one whole, or the other end has stopped reading long ago. Then no
     * answer comes either, and the timeout ends the connection.
     */
    if (!text.failed)
        g_socket_send_with_blocking(link->socket, text.data, text.length, FALSE, NULL, NULL);
    bz_buffer_clear(&text);
}

BzQmpLink *bz_qmp_link_new(const char *path, const BzQmpLinkType *type, gpointer opaque, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, error);
    BzQmpLink *link;

    if (!socket)
        return NULL;
    g_socket_set_blocking(socket, FALSE);
    if (!g_socket_connect(socket, address, NULL, error))
        return NULL;
    link = g_new0(BzQmpLink, 1);
    link->type = type;
    link->opaque = opaque;
    link->socket = g_steal_pointer(&socket);
    link->stream = bz_json_stream_new(MESSAGE_LIMIT, DEPTH_LIMIT);
    link->source = g_socket_create_source(link->socket, G_IO_IN, NULL);
    g_queue_init(&link->outstanding);
    g_source_set_callback(link->source, G_SOURCE_FUNC(on_ready), link, NULL);
    g_source_attach(link->source, g_main_context_get_thread_default());
    bz_qmp_link_execute(link, "qmp_capabilities", NULL, NULL, NULL);
    return link;
}

gint bz_qmp_link_pid(BzQmpLink *link)
{
    g_autoptr(GCredentials) credentials = g_socket_get_credentials(link->socket, NULL);

    return credentials ? g_credentials_get_unix_pid(credentials, NULL) : 0;
}
