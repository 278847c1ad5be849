/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's QMP endpoint: a thread of its own in QEMU's process that serves a Unix socket. What it tells comes from
 * qemu/events.h; how it tells it, from core/qmp-session.h.
 *
 * QEMU is not to notice: no signal is handled here, no lock is held that a vCPU or QEMU's main loop would wait for
 * longer than a few hundred bytes take to copy, and a guest runs as well without it. Clients are hostile, and so is the
 * guest, which can cause events as fast as it likes: they are passed on at a bounded rate, and the rest is told as
 * lost.
 */
#pragma once

#include <stdbool.h>

#include "qemu/answer.h"
#include "qemu/memory-map.h"

#define BZ_ENDPOINT_CLIENTS 32
#define BZ_ENDPOINT_EVENTS_PER_SECOND 100

/* Looks through the guest's memory now. Called on the endpoint's thread. */
typedef void bz_endpoint_look(struct bz_zeroed *zeroed, struct bz_memory_map *map);

/*
 * Listens at path (qemu/endpoint-socket.h) and starts the thread; once in the life of a process, before QEMU leaves for a
 * chroot or another user. False after a line in the log that says why not.
 */
bool bz_endpoint_start(const char *path, bz_endpoint_look *look);
