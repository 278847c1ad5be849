/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool bz_self_open(struct bz_self *self, char *why, size_t size)
{
    *self = (struct bz_self){ .pid = getpid(), .pagemap = -1, .maps = -1 };
    const char *path = "/proc/self/pagemap";

    self->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (self->pagemap >= 0) {
        path = "/proc/self/maps";
        self->maps = open(path, O_RDONLY | O_CLOEXEC);
        if (self->maps >= 0)
            return true;
    }
    snprintf(why, size, "cannot open %s: %s", path, strerror(errno));
    bz_self_close(self);
    return false;
}

bool bz_self_is_me(const struct bz_self *self)
{
    return self->pid == getpid();
}

void bz_self_close(struct bz_self *self)
{
    if (self->pagemap >= 0)
        close(self->pagemap);
    if (self->maps >= 0)
        close(self->maps);
    *self = (struct bz_self){ .pagemap = -1, .maps = -1 };
}
