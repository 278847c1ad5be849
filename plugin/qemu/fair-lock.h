/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A lock that is handed over in the order of arrival. With a plain mutex a guest that asks without pause would take it
 * again before a woken waiter runs, and QEMU's main loop, waiting to change a memory slot, would starve.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

struct bz_fair_lock {
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    uint64_t next_ticket;
    uint64_t now_served;
};

#define BZ_FAIR_LOCK_INIT { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 }

void bz_fair_lock(struct bz_fair_lock *lock);
void bz_fair_unlock(struct bz_fair_lock *lock);
