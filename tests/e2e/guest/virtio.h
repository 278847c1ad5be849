/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtio.c: one virtio device at a time, with one of its queues. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_QUEUE 32 /* parts of requests, at most, that are not used yet */

typedef struct {
    void *at;
    uint32_t size;
    bool device_writes;
} VirtioPart;

/*
 * Resets the first device of that type and takes of the features (bits 0 to 31) those that it offers. False, with a
 * line that says so, when there is none.
 */
bool virtio_open(unsigned type, uint32_t features, unsigned queue);
/* 8 bytes of the device's own registers. */
uint64_t virtio_register(unsigned at);
/* Puts a request into the queue. */
void virtio_offer(const VirtioPart *parts, unsigned count);
/* Tells the device of the queue, and waits until it has used all of it. False, with a line that says so, after a long time. */
bool virtio_finish(void);
/* Both, for one request. */
bool virtio_send(const VirtioPart *parts, unsigned count);
