/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/fair-lock.h"

void bz_fair_lock(struct bz_fair_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    uint64_t ticket = lock->next_ticket++;
    while (ticket != lock->now_served)
        pthread_cond_wait(&lock->turn, &lock->mutex);
    pthread_mutex_unlock(&lock->mutex);
}

void bz_fair_unlock(struct bz_fair_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->now_served++;
    pthread_cond_broadcast(&lock->turn);
    pthread_mutex_unlock(&lock->mutex);
}
