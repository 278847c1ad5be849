/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors are small numbers, but the limit may be raised to a million of them: those have a table in two levels. */
#include "qemu/vcpu.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LEAF_SIZE 1024
#define LEAVES 1024

struct leaf {
    struct kvm_run *_Atomic runs[LEAF_SIZE];
};

struct bz_hot bz_hot __attribute__((aligned(4096)));
_Static_assert(sizeof bz_hot <= 4096, "one page");

static struct leaf *_Atomic leaves[LEAVES];

struct kvm_run *bz_vcpu_find_far(int fd)
{
    if (fd < 0 || fd >= LEAVES * LEAF_SIZE)
        return NULL;
    struct leaf *leaf = atomic_load_explicit(&leaves[fd / LEAF_SIZE], memory_order_acquire);
    return leaf ? atomic_load_explicit(&leaf->runs[fd % LEAF_SIZE], memory_order_acquire) : NULL;
}

/* Where the mapping for fd is kept; NULL with errno when there is no room. */
static struct kvm_run *_Atomic *place_for(int fd)
{
    if (fd < 0 || fd >= LEAVES * LEAF_SIZE) {
        errno = EMFILE;
        return NULL;
    }
    if (fd < BZ_HOT_VCPUS)
        return &bz_hot.runs[fd];
    struct leaf *leaf = atomic_load(&leaves[fd / LEAF_SIZE]);
    if (leaf == NULL) {
        leaf = calloc(1, sizeof *leaf);
        if (leaf == NULL)
            return NULL;
        atomic_store_explicit(&leaves[fd / LEAF_SIZE], leaf, memory_order_release);
    }
    return &leaf->runs[fd % LEAF_SIZE];
}

static void replace(struct kvm_run *_Atomic *place, struct kvm_run *run)
{
    struct kvm_run *old = atomic_exchange(place, run);

    if (old)
        munmap(old, sizeof *old);
}

void bz_vcpu_forget(int fd)
{
    if (bz_vcpu_find(fd))
        replace(place_for(fd), NULL);
}

bool bz_vcpu_add(int fd)
{
    struct kvm_run *_Atomic *place = place_for(fd);

    if (place == NULL)
        return false;
    struct kvm_run *run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    replace(place, run == MAP_FAILED ? NULL : run);
    return run != MAP_FAILED;
}
