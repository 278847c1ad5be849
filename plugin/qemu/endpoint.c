/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/qmp-session.h"
#include "qemu/endpoint-socket.h"
#include "qemu/events.h"
#include "qemu/identity.h"
#include "qemu/ranges-message.h"

#define STACK_SIZE (256 * 1024) /* a JSON text is parsed on it: 32 KiB */
#define READ_SIZE 4096
#define FIRST_CLIENT 2 /* in the array for poll: before are the wake-up and the listener */
#define ACCEPT_PAUSE_MS 1000

struct client {
    int fd; /* -1: free */
    struct bz_qmp_session session;
};

/* The thread's own, but for what is constant after the start, and wake_fd. */
static struct {
    int listener;
    int wake_fd;
    bz_endpoint_look *look;
    struct bz_identity identity;
    struct client clients[BZ_ENDPOINT_CLIENTS];
    uint64_t second;       /* the one being counted */
    unsigned told;         /* events passed on in it */
    uint64_t accept_after; /* no descriptors were left: not before this time, in ms */
} endpoint;

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* On a vCPU thread. The counter cannot overflow; and if it could, the thread would be awake. */
static void wake(void)
{
    uint64_t one = 1;
    ssize_t ignored = write(endpoint.wake_fd, &one, sizeof one);

    (void)ignored;
}

/* --- commands --- */

static bool is_this_guest(const char *domain)
{
    return domain == NULL || strcmp(domain, endpoint.identity.name) == 0 ||
           strcasecmp(domain, endpoint.identity.uuid) == 0;
}

static enum bz_qmp_outcome no_such_guest(const char *domain, struct bz_buffer *out)
{
    bz_buffer_printf(out, "No guest '%s' here: this is the endpoint of '%s'", domain, endpoint.identity.name);
    return BZ_QMP_ERROR;
}

static enum bz_qmp_outcome query_tracking(void *server, struct bz_qmp_session *session, const char *domain,
                                          struct bz_buffer *out)
{
    struct bz_tracking tracking;
    struct bz_report report;

    if (!is_this_guest(domain))
        return no_such_guest(domain, out);
    bz_events_now(&tracking, &report);
    bz_buffer_printf(out, "[");
    bz_message_tracking(out, &tracking, &report, &endpoint.identity);
    bz_buffer_printf(out, "]");
    return BZ_QMP_RETURN;
}

static enum bz_qmp_outcome query_zeroed_ranges(void *server, struct bz_qmp_session *session, const char *domain,
                                               struct bz_buffer *out)
{
    static struct bz_zeroed zeroed;
    static struct bz_memory_map map;

    if (!is_this_guest(domain))
        return no_such_guest(domain, out);
    endpoint.look(&zeroed, &map);
    bz_message_zeroed_ranges(out, &zeroed, &map, &endpoint.identity);
    return BZ_QMP_RETURN;
}

static const struct bz_qmp_server_type server_type = { query_tracking, query_zeroed_ranges };

/* --- clients --- */

static void drop_client(struct client *client)
{
    close(client->fd);
    client->fd = -1;
    bz_qmp_session_clear(&client->session);
}

/* Sends what can be sent without waiting. */
static void flush_client(struct client *client)
{
    struct bz_qmp_session *session = &client->session;

    while (session->out.length > 0 && !bz_qmp_session_failed(session)) {
        ssize_t n = send(client->fd, session->out.data, session->out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            drop_client(client);
            return;
        }
        bz_qmp_session_sent(session, (size_t)n);
    }
    if (session->over || bz_qmp_session_failed(session))
        drop_client(client);
}

static void read_client(struct client *client)
{
    char data[READ_SIZE];
    ssize_t n = recv(client->fd, data, sizeof data, MSG_DONTWAIT);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        drop_client(client);
        return;
    }
    bz_qmp_session_input(&client->session, data, (size_t)n);
    flush_client(client);
}

static void accept_client(void)
{
    int fd = accept4(endpoint.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            endpoint.accept_after = now_ms() + ACCEPT_PAUSE_MS;
        return;
    }
    for (unsigned i = 0; i < BZ_ENDPOINT_CLIENTS; i++) {
        struct client *client = &endpoint.clients[i];
        if (client->fd >= 0)
            continue;
        client->fd = fd;
        bz_qmp_session_init(&client->session, &server_type, NULL);
        flush_client(client);
        return;
    }
    close(fd);
}

static void tell_all(const struct bz_buffer *message)
{
    if (message->failed)
        return;
    for (unsigned i = 0; i < BZ_ENDPOINT_CLIENTS; i++) {
        struct client *client = &endpoint.clients[i];
        if (client->fd < 0)
            continue;
        bz_qmp_session_event(&client->session, message);
        flush_client(client);
    }
}

/* --- events --- */

/* Passes events on, as many as this second allows. The rest waits in the queue, or is lost there. */
static void tell_events(void)
{
    struct bz_buffer message = { 0 };
    struct bz_event event;
    uint64_t second = now_ms() / 1000;

    if (second != endpoint.second) {
        endpoint.second = second;
        endpoint.told = 0;
    }
    while (endpoint.told < BZ_ENDPOINT_EVENTS_PER_SECOND && bz_events_take(&event)) {
        endpoint.told++;
        if (event.is_report)
            bz_message_report(&message, &event.report, &endpoint.identity, event.at);
        else
            bz_message_change(&message, &event.tracking, &endpoint.identity, event.at);
        tell_all(&message);
        bz_buffer_clear(&message);
    }
    if (endpoint.told == BZ_ENDPOINT_EVENTS_PER_SECOND)
        return;
    uint64_t lost = bz_events_lost();
    if (lost > 0) {
        bz_message_lost(&message, lost, &endpoint.identity, bz_qmp_now());
        tell_all(&message);
        bz_buffer_clear(&message);
    }
}

/* --- the thread --- */

static short wanted_events(const struct client *client)
{
    return (short)((bz_qmp_session_wants_input(&client->session) ? POLLIN : 0) |
                   (client->session.out.length > 0 ? POLLOUT : 0));
}

/* Waits for something to do; polled[] shows what. */
static void wait_for_work(struct pollfd *polled)
{
    bool exhausted = endpoint.told == BZ_ENDPOINT_EVENTS_PER_SECOND;
    bool pausing = endpoint.accept_after > 0;
    uint64_t dummy;

    polled[0] = (struct pollfd){ .fd = exhausted ? -1 : endpoint.wake_fd, .events = POLLIN };
    polled[1] = (struct pollfd){ .fd = pausing ? -1 : endpoint.listener, .events = POLLIN };
    for (unsigned i = 0; i < BZ_ENDPOINT_CLIENTS; i++) {
        const struct client *client = &endpoint.clients[i];
        polled[FIRST_CLIENT + i] = (struct pollfd){ .fd = client->fd };
        if (client->fd >= 0)
            polled[FIRST_CLIENT + i].events = wanted_events(client);
    }
    int timeout = exhausted ? (int)(1000 - now_ms() % 1000) : pausing ? ACCEPT_PAUSE_MS : -1;
    if (poll(polled, FIRST_CLIENT + BZ_ENDPOINT_CLIENTS, timeout) < 0) {
        for (unsigned i = 0; i < FIRST_CLIENT + BZ_ENDPOINT_CLIENTS; i++)
            polled[i].revents = 0;
        return;
    }
    if (polled[0].revents) {
        ssize_t ignored = read(endpoint.wake_fd, &dummy, sizeof dummy);
        (void)ignored;
    }
    if (pausing && now_ms() >= endpoint.accept_after)
        endpoint.accept_after = 0;
}

static void *serve(void *unused)
{
    struct pollfd polled[FIRST_CLIENT + BZ_ENDPOINT_CLIENTS];

    for (;;) {
        wait_for_work(polled);
        tell_events();
        for (unsigned i = 0; i < BZ_ENDPOINT_CLIENTS; i++) {
            struct client *client = &endpoint.clients[i];
            short happened = polled[FIRST_CLIENT + i].revents;
            if (client->fd < 0 || client->fd != polled[FIRST_CLIENT + i].fd || happened == 0)
                continue;
            if (happened & POLLIN)
                read_client(client);
            else if (happened & (POLLERR | POLLHUP | POLLNVAL))
                drop_client(client);
            if (client->fd >= 0 && (happened & POLLOUT))
                flush_client(client);
        }
        if (polled[1].revents)
            accept_client();
    }
    return NULL;
}

/* --- start --- */

/* Signals are for QEMU's threads, which wait for them. */
static int start_thread(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error == 0)
        pthread_setname_np(thread, "bootzero-qmp");
    return error;
}

bool bz_endpoint_start(const char *path, bz_endpoint_look *look)
{
    bz_identity_of_self(&endpoint.identity);
    endpoint.look = look;
    for (unsigned i = 0; i < BZ_ENDPOINT_CLIENTS; i++)
        endpoint.clients[i].fd = -1;
    endpoint.listener = bz_endpoint_listen(path, endpoint.identity.uuid);
    if (endpoint.listener < 0)
        return false;
    endpoint.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    int error = endpoint.wake_fd < 0 ? errno : start_thread();
    if (error) {
        bz_endpoint_unlisten(error);
        if (endpoint.wake_fd >= 0)
            close(endpoint.wake_fd);
        return false;
    }
    bz_events_set_wake(wake);
    return true;
}
