/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side of one QMP connection: bytes in, bytes out. Who moves the bytes is not known here: a thread in QEMU
 * (qemu/endpoint.c), a GLib main loop in virtbootzerod (core/qmp-server.c). The client is hostile: what it can make us
 * keep is bounded, and what it gets wrong is answered as QEMU would answer it, so that every QMP client is at home.
 *
 * schema/bootzero.json has the commands. Light: libc alone, since plugin/qemu links it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/json.h"

#define BZ_QMP_INPUT_LIMIT (64 * 1024)         /* bytes of one command */
#define BZ_QMP_OUTPUT_PAUSE (64 * 1024)        /* unread bytes from which on no command is run */
#define BZ_QMP_OUTPUT_LIMIT (4 * 1024 * 1024)  /* unread bytes at which the client is given up */

enum bz_qmp_outcome {
    BZ_QMP_RETURN, /* out holds what the command returns, as JSON */
    BZ_QMP_ERROR,  /* out holds why not, as plain text; the class is GenericError */
    BZ_QMP_LATER,  /* bz_qmp_session_answer() will be called; no other command of this client runs before */
};

struct bz_qmp_session;

/* The commands that differ from server to server. domain is the argument of that name, NULL when it was not given. */
struct bz_qmp_server_type {
    enum bz_qmp_outcome (*query_tracking)(void *server, struct bz_qmp_session *session, const char *domain,
                                          struct bz_buffer *out);
    enum bz_qmp_outcome (*query_zeroed_ranges)(void *server, struct bz_qmp_session *session, const char *domain,
                                               struct bz_buffer *out);
};

struct bz_qmp_session {
    const struct bz_qmp_server_type *type;
    void *server;
    struct bz_buffer in;
    struct bz_buffer out; /* to be sent; tell bz_qmp_session_sent() what was */
    struct bz_json_frame frame;
    struct bz_buffer id; /* of the command that is to be answered later; empty when it had none */
    bool negotiated;
    bool waits; /* for bz_qmp_session_answer() */
    bool over;  /* nothing more is read: send what is in out, then close */
};

/* Puts the greeting into out. */
void bz_qmp_session_init(struct bz_qmp_session *session, const struct bz_qmp_server_type *type, void *server);
void bz_qmp_session_clear(struct bz_qmp_session *session);

/* Whether to read from the client. While not, what it sends waits in the kernel. */
bool bz_qmp_session_wants_input(const struct bz_qmp_session *session);

/* What was read; runs the commands in it. */
void bz_qmp_session_input(struct bz_qmp_session *session, const char *data, size_t length);

/* The first length bytes of out were sent; runs commands that waited for that. */
void bz_qmp_session_sent(struct bz_qmp_session *session, size_t length);

/* The outcome of a command that was to be answered later: RETURN with JSON, or ERROR with plain text. */
void bz_qmp_session_answer(struct bz_qmp_session *session, enum bz_qmp_outcome outcome, const char *text);

/* An event in full, as bz_qmp_event() wrote it. Clients that have not negotiated yet get none. */
void bz_qmp_session_event(struct bz_qmp_session *session, const struct bz_buffer *event);

/* The client cannot be served any longer: close at once. It does not read, or there is no memory. */
bool bz_qmp_session_failed(const struct bz_qmp_session *session);

/* Writes an event with its line end. data is a JSON object; at is in microseconds since 1970. */
void bz_qmp_event(struct bz_buffer *to, const char *name, const char *data, uint64_t at);

/* Microseconds since 1970, for that. */
uint64_t bz_qmp_now(void);
