/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table in two levels: descriptors are small numbers, but the limit may be raised to a million of them. */
#include "qemu/vcpu.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LEAF_SIZE 1024
#define LEAVES 1024

struct leaf {
    struct kvm_run *_Atomic runs[LEAF_SIZE];
};

static struct leaf *_Atomic leaves[LEAVES];

struct kvm_run *bz_vcpu_find(int fd)
{
    if (fd < 0 || fd >= LEAVES * LEAF_SIZE)
        return NULL;
    struct leaf *leaf = atomic_load_explicit(&leaves[fd / LEAF_SIZE], memory_order_acquire);
    return leaf ? atomic_load_explicit(&leaf->runs[fd % LEAF_SIZE], memory_order_acquire) : NULL;
}

bool bz_vcpu_add(int fd)
{
    if (fd < 0 || fd >= LEAVES * LEAF_SIZE) {
        errno = EMFILE;
        return false;
    }
    struct leaf *leaf = atomic_load(&leaves[fd / LEAF_SIZE]);
    if (leaf == NULL) {
        leaf = calloc(1, sizeof *leaf);
        if (leaf == NULL)
            return false;
        atomic_store_explicit(&leaves[fd / LEAF_SIZE], leaf, memory_order_release);
    }
    struct kvm_run *run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct kvm_run *old = atomic_exchange(&leaf->runs[fd % LEAF_SIZE], run == MAP_FAILED ? NULL : run);
    if (old)
        munmap(old, sizeof *old);
    return run != MAP_FAILED;
}
