/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * This process's own files in /proc. They are opened when the VM is created: later QEMU may have left for a chroot or
 * another user and could not, earlier -daemonize would still fork, and a descriptor from before a fork shows the
 * parent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bz_self {
    pid_t pid;
    int pagemap;
    int maps;
};

/* False with the reason when a file cannot be opened. */
bool bz_self_open(struct bz_self *self, char *why, size_t size);

/* The files show the process that asks, not one it was forked from. */
bool bz_self_is_me(const struct bz_self *self);

void bz_self_close(struct bz_self *self);
