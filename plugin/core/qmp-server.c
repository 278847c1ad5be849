/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/qmp-server.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"

#define READ_SIZE 4096
#define CLIENT_LIMIT 256

struct BzQmpServer {
    const struct bz_qmp_server_type *type;
    gpointer opaque;
    GPtrArray *listeners; /* GSource */
    GPtrArray *paths;     /* of sockets that are ours to remove */
    GHashTable *clients;  /* guint64 -> Client */
    guint64 last_serial;
};

typedef struct {
    guint64 serial;
    BzQmpServer *server;
    GSocket *socket;
    GSource *source; /* for what the client is waited for; NULL for nothing */
    GIOCondition condition;
    gboolean over; /* to be dropped as soon as nobody up the stack uses it */
    struct bz_qmp_session session;
} Client;

static void end_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

static void client_free(gpointer data)
{
    Client *client = data;

    end_source(&client->source);
    g_object_unref(client->socket);
    bz_qmp_session_clear(&client->session);
    g_free(client);
}

static void flush(Client *client)
{
    struct bz_qmp_session *session = &client->session;

    while (session->out.length > 0 && !bz_qmp_session_failed(session)) {
        g_autoptr(GError) error = NULL;
        gssize n = g_socket_send_with_blocking(client->socket, session->out.data, session->out.length, FALSE, NULL,
                                               &error);
        if (n < 0) {
            if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
                client->over = TRUE;
            break;
        }
        bz_qmp_session_sent(session, (gsize)n);
    }
    if (bz_qmp_session_failed(session) || (session->over && session->out.length == 0))
        client->over = TRUE;
}

static void receive(Client *client)
{
    g_autoptr(GError) error = NULL;
    char data[READ_SIZE];
    gssize n = g_socket_receive_with_blocking(client->socket, data, sizeof data, FALSE, NULL, &error);

    if (n > 0)
        bz_qmp_session_input(&client->session, data, (gsize)n);
    else if (n == 0 || !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        client->over = TRUE;
}

static gboolean on_ready(GSocket *socket, GIOCondition condition, gpointer data);

/* Waits for what the session needs next; drops the client when it is over. The caller does not use it again. */
static void settle(Client *client)
{
    GIOCondition wanted = 0;

    flush(client);
    if (client->over) {
        g_hash_table_remove(client->server->clients, &client->serial);
        return;
    }
    if (bz_qmp_session_wants_input(&client->session))
        wanted |= G_IO_IN;
    if (client->session.out.length > 0)
        wanted |= G_IO_OUT;
    if (client->source && client->condition == wanted)
        return;
    end_source(&client->source);
    /* also without any: G_IO_HUP and G_IO_ERR always come */
    client->source = g_socket_create_source(client->socket, wanted, NULL);
    client->condition = wanted;
    g_source_set_callback(client->source, G_SOURCE_FUNC(on_ready), client, NULL);
    g_source_attach(client->source, g_main_context_get_thread_default());
}

static gboolean on_ready(GSocket *socket, GIOCondition condition, gpointer data)
{
    Client *client = data;

    if ((condition & G_IO_IN) && bz_qmp_session_wants_input(&client->session))
        receive(client);
    else if (condition & (G_IO_HUP | G_IO_ERR))
        client->over = TRUE;
    settle(client);
    return G_SOURCE_CONTINUE; /* of no meaning when settle() has destroyed the source */
}

static gboolean on_connection(GSocket *listener, GIOCondition condition, gpointer data)
{
    BzQmpServer *server = data;
    GSocket *socket = g_socket_accept(listener, NULL, NULL);

    if (!socket) {
        /* No descriptors left, most likely: it would come again at once, and nothing else be done. */
        g_usleep(1000);
        return G_SOURCE_CONTINUE;
    }
    if (g_hash_table_size(server->clients) >= CLIENT_LIMIT) {
        g_object_unref(socket);
        return G_SOURCE_CONTINUE;
    }
    Client *client = g_new0(Client, 1);
    client->serial = ++server->last_serial;
    client->server = server;
    client->socket = socket;
    g_socket_set_blocking(socket, FALSE);
    bz_qmp_session_init(&client->session, server->type, server->opaque);
    g_hash_table_insert(server->clients, &client->serial, client);
    settle(client);
    return G_SOURCE_CONTINUE;
}

static void listener_free(gpointer data)
{
    GSource *source = data;

    end_source(&source);
}

static void path_free(gpointer data)
{
    g_unlink(data);
    g_free(data);
}

BzQmpServer *bz_qmp_server_new(const struct bz_qmp_server_type *type, gpointer opaque)
{
    BzQmpServer *server = g_new0(BzQmpServer, 1);

    server->type = type;
    server->opaque = opaque;
    server->listeners = g_ptr_array_new_with_free_func(listener_free);
    server->paths = g_ptr_array_new_with_free_func(path_free);
    server->clients = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, client_free);
    return server;
}

void bz_qmp_server_free(BzQmpServer *server)
{
    if (!server)
        return;
    g_ptr_array_unref(server->paths);
    g_ptr_array_unref(server->listeners);
    g_hash_table_unref(server->clients);
    g_free(server);
}

/* --- listening --- */

static void watch(BzQmpServer *server, GSocket *socket)
{
    GSource *source = g_socket_create_source(socket, G_IO_IN, NULL);

    g_socket_set_blocking(socket, FALSE);
    g_source_set_callback(source, G_SOURCE_FUNC(on_connection), server, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    g_ptr_array_add(server->listeners, source);
}

/* A socket file whose owner was killed: nobody answers there. */
static gboolean is_stale(const char *path, GSocketAddress *address)
{
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, NULL);
    g_autoptr(GError) error = NULL;
    GStatBuf status;

    return g_lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && socket &&
           !g_socket_connect(socket, address, NULL, &error) &&
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static gboolean bind_there(GSocket *socket, const char *path, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);

    /* bind() takes the mode from the socket, less the umask: never more than it is to have; then what is to be. */
    fchmod(g_socket_get_fd(socket), 0660);
    if (!g_socket_bind(socket, address, FALSE, error)) {
        if (!is_stale(path, address) || g_unlink(path) < 0)
            return FALSE;
        g_clear_error(error);
        if (!g_socket_bind(socket, address, FALSE, error))
            return FALSE;
    }
    return TRUE;
}

gboolean bz_qmp_server_listen(BzQmpServer *server, const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, &cause);

    if (socket && bind_there(socket, path, &cause)) {
        g_ptr_array_add(server->paths, g_strdup(path));
        g_chmod(path, 0660);
        if (g_socket_listen(socket, &cause)) {
            watch(server, socket);
            return TRUE;
        }
    }
    g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot listen on %s: %s", path, cause->message);
    return FALSE;
}

gboolean bz_qmp_server_listen_on(BzQmpServer *server, int fd, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, &cause);

    if (!socket) {
        g_set_error(error, BZ_ERROR, BZ_ERROR_FAILED, "cannot listen on descriptor %d: %s", fd, cause->message);
        return FALSE;
    }
    watch(server, socket);
    return TRUE;
}

/* --- telling --- */

void bz_qmp_server_emit(BzQmpServer *server, const struct bz_buffer *event)
{
    g_autoptr(GList) clients = g_hash_table_get_values(server->clients);

    if (event->failed)
        return;
    for (GList *item = clients; item; item = item->next) {
        Client *client = item->data;
        bz_qmp_session_event(&client->session, event);
        settle(client);
    }
}

guint64 bz_qmp_server_client(BzQmpServer *server, const struct bz_qmp_session *session)
{
    const Client *client = (const Client *)((const char *)session - offsetof(Client, session));

    return client->serial;
}

void bz_qmp_server_answer(BzQmpServer *server, guint64 serial, enum bz_qmp_outcome outcome, const char *text)
{
    Client *client = g_hash_table_lookup(server->clients, &serial);

    if (!client)
        return;
    bz_qmp_session_answer(&client->session, outcome, text);
    settle(client);
}
